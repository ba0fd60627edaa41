// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchEvents} from "./BatchEvents.sol";
import {EffectLog} from "./EffectLog.sol";
import {Parameters} from "./Parameters.sol";
import {Sessions} from "./Sessions.sol";
import {BatchLeaves} from "./libraries/BatchLeaves.sol";
import {BatchLimits} from "./libraries/BatchLimits.sol";
import {Limits} from "./libraries/Limits.sol";
import {BatchHeader, Line, PaymentLeaf, SessionPart} from "./types/Batch.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title The money of batches
/// @notice Bonds of posters, what final batches have drawn, and the claims on it. The contract holds exactly
/// `bondsWei + fundsWei` in tokens.
abstract contract BatchMoney is EffectLog, BatchEvents {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @notice The token.
    IERC20 public immutable COR;
    /// @notice Where the money comes from.
    Sessions public immutable SESSIONS;
    /// @notice The shares of a price, and who the treasury is.
    Parameters public immutable PARAMETERS;
    address private immutable _DEPLOYER;

    /// @notice Who judges proofs of faults.
    address public challenges;
    /// @notice Who judges whether leaves are shown.
    address public demands;
    /// @notice All bonds, free and held.
    uint128 public bondsWei;
    /// @notice All that was drawn and not claimed.
    uint128 public fundsWei;

    mapping(address poster => Line) private _lines;
    mapping(address poster => mapping(address account => uint128)) private _claimed;

    /// @param sessions Where the money comes from.
    /// @param parameters The shares of a price, and who the treasury is.
    constructor(Sessions sessions, Parameters parameters) {
        SESSIONS = sessions;
        COR = sessions.COR();
        PARAMETERS = parameters;
        _DEPLOYER = msg.sender;
    }

    /// @notice Names the judges, once. Only the deployer may.
    /// @param challenges_ Who judges proofs of faults.
    /// @param demands_ Who judges whether leaves are shown.
    function bindJudges(address challenges_, address demands_) external {
        if (msg.sender != _DEPLOYER) revert NotDeployer(msg.sender);
        if (challenges != address(0) || challenges_ == address(0) || demands_ == address(0)) {
            revert JudgesNotBindable();
        }
        challenges = challenges_;
        demands = demands_;
    }

    /// @notice Puts down more of a bond. Each batch holds a part of it until it is final or void.
    /// @param amountWei More than nothing.
    /// @param effectId The sender's id of this call; a second use reverts.
    function depositBond(uint128 amountWei, bytes32 effectId) external {
        if (amountWei == 0) revert EmptyBond();
        _markEffectOnce(effectId);
        _lines[msg.sender].freeBondWei += uint256(amountWei).toUint80();
        bondsWei += amountWei;
        emit BondDeposited(msg.sender, amountWei);
        COR.safeTransferFrom(msg.sender, address(this), amountWei);
    }

    /// @notice Takes back what no batch is holding.
    /// @param amountWei More than nothing, at most what is free.
    /// @param effectId The sender's id of this call; a second use reverts.
    function withdrawBond(uint128 amountWei, bytes32 effectId) external {
        if (amountWei == 0) revert EmptyBond();
        _markEffectOnce(effectId);
        _takeBond(msg.sender, amountWei);
        bondsWei -= amountWei;
        emit BondWithdrawn(msg.sender, amountWei);
        COR.safeTransfer(msg.sender, amountWei);
    }

    /// @notice Pays an account what a final batch says it has earned in all, less what it was paid before. Anyone may.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param leaf A payment of the account; the last one has the highest total.
    /// @param proof Its proof.
    /// @param effectId The sender's id of this call.
    function claim(
        uint64 batchId,
        BatchHeader calldata header,
        PaymentLeaf calldata leaf,
        bytes32[] calldata proof,
        bytes32 effectId
    ) external {
        _requireFinal(batchId, header);
        _markEffect(effectId);
        uint128 amountWei = _claim(header, leaf, proof);
        if (amountWei == 0) revert NothingToClaim(leaf.account);
        _take(batchId, header.poster, amountWei);
    }

    /// @notice {claim} for several accounts. Those that somebody was quicker for are left out.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param leaves A payment of each account.
    /// @param proofs Their proofs.
    /// @param effectId The sender's id of this call.
    function claimMany(
        uint64 batchId,
        BatchHeader calldata header,
        PaymentLeaf[] calldata leaves,
        bytes32[][] calldata proofs,
        bytes32 effectId
    ) external {
        if (leaves.length != proofs.length) revert ProofMissing();
        _requireFinal(batchId, header);
        _markEffect(effectId);
        uint128 sumWei = 0;
        for (uint256 i = 0; i < leaves.length; ++i) {
            sumWei += _claim(header, leaves[i], proofs[i]);
        }
        if (sumWei == 0) revert NothingToClaim(msg.sender);
        _take(batchId, header.poster, sumWei);
    }

    /// @notice A poster's books.
    /// @param poster The poster.
    function lineOf(address poster) external view returns (Line memory) {
        return _lines[poster];
    }

    /// @notice What an account was paid by a poster's batches.
    /// @param poster The poster.
    /// @param account The account.
    function claimedOf(address poster, address account) external view returns (uint128) {
        return _claimed[poster][account];
    }

    /// @dev Pays an account; zero where it was paid before.
    function _claim(BatchHeader calldata header, PaymentLeaf calldata leaf, bytes32[] calldata proof)
        private
        returns (uint128 amountWei)
    {
        BatchLeaves.requireIn(header, leaf, proof);
        (address account, uint128 totalWei) = (leaf.account, leaf.accountTotalWei);
        mapping(address account => uint128) storage claimed = _claimed[header.poster];
        uint128 claimedWei = claimed[account];
        if (totalWei <= claimedWei) return 0;
        claimed[account] = totalWei;
        amountWei = totalWei - claimedWei;
        COR.safeTransfer(account, amountWei);
    }

    /// @dev Never more than this poster's batches have drawn, whatever a root that nobody checked may say.
    function _take(uint64 batchId, address poster, uint128 amountWei) private {
        Line storage line = _lines[poster];
        if (amountWei > line.fundsWei) revert FundsExceeded(line.fundsWei, amountWei);
        // forge-lint: disable-next-line(unsafe-typecast) at most the funds, which fit
        line.fundsWei -= uint96(amountWei);
        fundsWei -= amountWei;
        emit BatchClaimed(batchId, poster, amountWei);
    }

    /// @dev Begins a batch: its number is used, and its bond held.
    function _begin(address poster, uint32 number) internal {
        Line storage line = _lines[poster];
        if (line.begun != number) revert WrongNumber(number, line.begun);
        line.begun = number + 1;
        _takeBond(poster, BatchLimits.BOND_WEI);
    }

    /// @dev Gives a batch's bond free.
    function _freeBond(BatchHeader calldata header) internal {
        // forge-lint: disable-next-line(unsafe-typecast) it was held of a bond that fits
        _lines[header.poster].freeBondWei += uint80(header.bondWei);
    }

    /// @dev Takes a batch's bond for good.
    function _forfeit(BatchHeader calldata header, address challenger) internal {
        uint128 bondWei = header.bondWei;
        // forge-lint: disable-next-line(unsafe-typecast) smaller than the bond, which fits
        uint128 rewardWei = uint128((uint256(bondWei) * BatchLimits.CHALLENGER_BPS) / Limits.BPS);
        bondsWei -= bondWei;
        COR.safeTransfer(challenger, rewardWei);
        COR.safeTransfer(PARAMETERS.treasury(), bondWei - rewardWei);
    }

    /// @dev Takes the next place in a poster's line.
    function _append(address poster) internal returns (uint256 place) {
        Line storage line = _lines[poster];
        uint8 pending = line.pending;
        if (pending == BatchLimits.POSTED_MAX) {
            revert CountOutOfBounds(BatchLimits.POSTED_MAX + 1, BatchLimits.POSTED_MAX);
        }
        place = line.length;
        line.pending = pending + 1;
        line.length += 1;
    }

    /// @dev Takes a batch and all behind it out of its poster's line.
    function _cut(address poster, uint32 place) internal {
        Line storage line = _lines[poster];
        // forge-lint: disable-next-line(unsafe-typecast) no more than are pending can be taken out
        line.pending -= uint8(line.length - place);
        line.length = place;
    }

    /// @dev Whether a batch is the next to become final; then it is, with what it draws and its bond free again.
    function _advance(BatchHeader calldata header, uint128 drawnWei) internal returns (bool) {
        Line storage line = _lines[header.poster];
        if (line.length - line.pending != header.place) return false;
        line.pending -= 1;
        line.fundsWei += uint256(drawnWei).toUint96();
        _freeBond(header);
        fundsWei += drawnWei;
        return true;
    }

    /// @dev Notes what each session pays.
    function _noteDrawn(SessionPart[] memory parts, uint128[] calldata drawnWei) internal pure returns (bool any) {
        for (uint256 i = 0; i < parts.length; ++i) {
            SessionPart memory part = parts[i];
            if (drawnWei[i] > part.reservedWei) revert DrawnTooMuch(part.sessionId, drawnWei[i], part.reservedWei);
            part.drawnWei = drawnWei[i];
            if (drawnWei[i] != 0) any = true;
        }
    }

    /// @dev Gives the sessions of a void batch all that was set aside for it.
    function _giveAllBack(SessionPart[] calldata parts) internal {
        for (uint256 i = 0; i < parts.length; ++i) {
            SESSIONS.settleBatch(parts[i].sessionId, parts[i].reservedWei, 0);
        }
    }

    /// @dev Draws what the sessions of a final batch pay, and gives them the rest back.
    function _settleAll(SessionPart[] calldata parts) internal {
        for (uint256 i = 0; i < parts.length; ++i) {
            SESSIONS.settleBatch(parts[i].sessionId, parts[i].reservedWei, parts[i].drawnWei);
        }
    }

    function _sumOf(SessionPart[] calldata parts) internal pure returns (uint128 sumWei) {
        for (uint256 i = 0; i < parts.length; ++i) {
            sumWei += parts[i].drawnWei;
        }
    }

    function _requireJudge() internal view {
        if (msg.sender != challenges && msg.sender != demands) revert NotJudge(msg.sender);
    }

    function _lengthOf(address poster) internal view returns (uint256) {
        return _lines[poster].length;
    }

    /// @dev Reverts unless a batch is final and this is its header.
    function _requireFinal(uint64 batchId, BatchHeader calldata header) internal view virtual;

    function _takeBond(address poster, uint128 amountWei) private {
        uint80 freeWei = _lines[poster].freeBondWei;
        if (amountWei > freeWei) revert BondTooLow(freeWei, amountWei);
        // forge-lint: disable-next-line(unsafe-typecast) at most what is free, which fits
        _lines[poster].freeBondWei = freeWei - uint80(amountWei);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Modules} from "./Modules.sol";
import {NodeAuthorisation} from "./NodeAuthorisation.sol";
import {Parameters} from "./Parameters.sol";
import {Limits} from "./libraries/Limits.sol";
import {Powers} from "./libraries/Powers.sol";
import {RegistryTotals, SlashReason} from "./types/Node.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title What the network may do to a node
/// @notice Only the bound modules can take from a stake, keep a node from work for a while, or change its level. What is
/// slashed is the treasury's, but for the part of whoever proved the fault; both are fetched, never sent along.
abstract contract NodeDiscipline is Modules, NodeAuthorisation {
    using SafeERC20 for IERC20;

    /// @dev What the totals are kept as, two to a storage slot: those that a deposit changes, those that a slash does.
    struct Books {
        uint128 depositedWei;
        uint128 stakedWei;
        uint128 slashedWei;
        uint128 treasuryWei;
        uint128 withdrawnWei;
        uint128 rewardsWei;
    }

    /// @notice The token that is staked.
    IERC20 public immutable COR;

    Books internal _books;
    mapping(address account => uint128 amountWei) private _rewards;

    constructor(IERC20 cor, Parameters parameters) NodeAuthorisation(parameters) {
        COR = cor;
    }

    /// @notice Takes stake for a fault; at most what there is. A part may go to who proved it; the rest is the treasury's.
    /// A node left below its minimum takes no new work. Only a module with that power may.
    /// @param account The node.
    /// @param amountWei How much the fault costs.
    /// @param ref The task, batch or round it was about.
    /// @param reason The fault.
    /// @param rewardTo Who proved it; zero for nobody.
    /// @param rewardBps Its part of what is taken, in ten-thousandths; never all.
    /// @return takenWei What was taken.
    /// @return rewardWei What of it `rewardTo` can withdraw.
    function slash(
        address account,
        uint128 amountWei,
        bytes32 ref,
        SlashReason reason,
        address rewardTo,
        uint16 rewardBps
    ) external returns (uint128 takenWei, uint128 rewardWei) {
        _requirePower(Powers.SLASH);
        if (rewardBps > Limits.CHALLENGER_BPS_MAX) revert RewardTooHigh(rewardBps, Limits.CHALLENGER_BPS_MAX);
        Node storage node = _nodes[account];
        uint96 stakeWei = node.stakeWei;
        // forge-lint: disable-start(unsafe-typecast) each is at most the stake
        takenWei = amountWei < stakeWei ? amountWei : stakeWei;
        if (rewardTo != address(0)) rewardWei = uint128((uint256(takenWei) * rewardBps) / Limits.BPS);
        node.stakeWei = stakeWei - uint96(takenWei);
        // forge-lint: disable-end(unsafe-typecast)
        _books.stakedWei -= takenWei;
        _books.slashedWei += takenWei;
        _books.treasuryWei += takenWei - rewardWei;
        emit StakeSlashed(account, ref, takenWei, reason);
        if (rewardWei != 0) {
            _rewards[rewardTo] += rewardWei;
            _books.rewardsWei += rewardWei;
            emit SlashRewarded(rewardTo, ref, rewardWei);
        }
        _drainIfUnfit(node, account);
    }

    /// @notice Keeps a node from new work until a time; never shortens what another fault has brought. Only a module with
    /// that power may.
    /// @param account The node.
    /// @param coolUntilAt Seconds since 1970.
    function coolDown(address account, uint40 coolUntilAt) external {
        _requirePower(Powers.COOL_DOWN);
        uint40 latestAt = uint40(block.timestamp) + Limits.COOL_DOWN_S_MAX;
        if (coolUntilAt > latestAt) revert CoolDownTooLong(coolUntilAt, latestAt);
        Node storage node = _registered(account);
        if (coolUntilAt <= node.coolUntilAt) return;
        node.coolUntilAt = coolUntilAt;
        emit NodeCooledDown(account, coolUntilAt);
    }

    /// @notice Sets a node's level. Only a module with that power may.
    /// @param account The node.
    /// @param level 0 to 10.
    function setLevel(address account, uint8 level) external {
        _requirePower(Powers.SET_LEVEL);
        if (level > Limits.NODE_LEVEL_MAX) revert LevelOutOfBounds(level, Limits.NODE_LEVEL_MAX);
        Node storage node = _registered(account);
        if (node.level == level) return;
        node.level = level;
        emit NodeLevelSet(account, level);
    }

    // ---------------------------------------------------------------- what was slashed

    /// @notice Takes what the sender has earned by challenges.
    /// @param effectId The sender's id of this call; a second use reverts.
    function withdrawReward(bytes32 effectId) external {
        _markEffectOnce(effectId);
        uint128 amountWei = _rewards[msg.sender];
        if (amountWei == 0) revert NoReward(msg.sender);
        _rewards[msg.sender] = 0;
        _books.rewardsWei -= amountWei;
        emit RewardWithdrawn(msg.sender, amountWei);
        COR.safeTransfer(msg.sender, amountWei);
    }

    /// @notice Sends the treasury its part of what was slashed. Anyone may.
    /// @param effectId The sender's id of this call; a second use reverts.
    function sweepSlashed(bytes32 effectId) external {
        _markEffectOnce(effectId);
        uint128 amountWei = _books.treasuryWei;
        if (amountWei == 0) revert NothingSlashed();
        _books.treasuryWei = 0;
        address treasury = PARAMETERS.treasury();
        emit SlashedSwept(treasury, amountWei);
        COR.safeTransfer(treasury, amountWei);
    }

    /// @notice What an account has earned by challenges and not withdrawn, in wei.
    /// @param account The account.
    function rewardOf(address account) external view returns (uint128) {
        return _rewards[account];
    }

    /// @notice The registry's money.
    function totals() external view returns (RegistryTotals memory) {
        Books memory books = _books;
        return RegistryTotals({
            depositedWei: books.depositedWei,
            stakedWei: books.stakedWei,
            withdrawnWei: books.withdrawnWei,
            slashedWei: books.slashedWei,
            unclaimedWei: books.treasuryWei + books.rewardsWei
        });
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CheckpointBook} from "./CheckpointBook.sol";
import {EffectLog} from "./EffectLog.sol";
import {EpochClock} from "./EpochClock.sol";
import {LogAnchor} from "./LogAnchor.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Parameters} from "./Parameters.sol";
import {IncentiveLimits} from "./libraries/IncentiveLimits.sol";
import {Limits} from "./libraries/Limits.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {Role} from "./types/Node.sol";
import {Checkpoint, CheckpointState, Standing} from "./types/Reputation.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title What the log says about nodes
/// @notice Each epoch has one checkpoint: a root over the standings of all nodes, signed by a quorum of the active
/// oracles and recomputable by anyone from the log. It counts once nobody has disputed it in time; a dispute is ruled on
/// by more than two thirds, and ends by time alone. From a checkpoint that counts anyone moves a node's level.
contract Reputation is CheckpointBook, EffectLog, EpochClock {
    using SafeERC20 for IERC20;

    /// @notice Who is an active oracle, and what level a node has.
    NodeRegistry public immutable REGISTRY;
    /// @notice The quorum, the treasury and the pause.
    Parameters public immutable PARAMETERS;
    /// @notice The anchors of the log.
    LogAnchor public immutable ANCHORS;
    /// @notice The token of bonds.
    IERC20 public immutable COR;
    /// @notice Seconds in which a checkpoint may be disputed.
    uint40 public immutable DISPUTE_S;
    /// @notice Seconds in which a dispute may be ruled on before anyone may end it.
    uint40 public immutable RULING_S;

    /// @notice How many checkpoints have been voided.
    uint32 public revision;

    mapping(address node => uint64 epoch) private _appliedEpoch;
    mapping(address account => uint128 amountWei) private _owedWei;

    /// @param registry Who is an active oracle, and what level a node has.
    /// @param anchors The anchors of the log.
    /// @param cor The token of bonds.
    /// @param epochS How long an epoch lasts; the first one begins now.
    /// @param disputeS Seconds in which a checkpoint may be disputed.
    /// @param rulingS Seconds in which a dispute may be ruled on. Both together fit into an epoch.
    constructor(NodeRegistry registry, LogAnchor anchors, IERC20 cor, uint40 epochS, uint40 disputeS, uint40 rulingS)
        EpochClock(uint40(block.timestamp), epochS)
        EIP712("pouw Reputation", "1")
    {
        uint40 minimumS = IncentiveLimits.DISPUTE_S_MIN;
        if (disputeS < minimumS || rulingS < minimumS || uint256(disputeS) + rulingS > epochS) {
            revert WindowOutOfBounds(disputeS, rulingS, minimumS, epochS);
        }
        (REGISTRY, ANCHORS, COR) = (registry, anchors, cor);
        PARAMETERS = registry.PARAMETERS();
        (DISPUTE_S, RULING_S) = (disputeS, rulingS);
    }

    // ---------------------------------------------------------------- checkpoints

    /// @notice Posts the checkpoint of an epoch that is over. Anyone may who has the signatures of a quorum of the
    /// active oracles. The one before has to count already.
    /// @param checkpoint What the oracles signed.
    /// @param signatures Theirs over {checkpointDigest}, in ascending order of the signers.
    /// @param effectId The sender's id of this call.
    function post(Checkpoint calldata checkpoint, bytes[] calldata signatures, bytes32 effectId) external {
        PARAMETERS.requireEntriesOpen();
        _requireNext(checkpoint);
        uint256 needed = Quorum.needed(REGISTRY.activeOracleCount(), PARAMETERS.shares().quorumBps);
        address[] memory signers = _oraclesOf(checkpointDigest(checkpoint), signatures, needed);
        _markEffect(effectId);
        uint64 epoch = checkpoint.epoch;
        uint40 disputeBy = uint40(block.timestamp) + DISPUTE_S;
        newestEpoch = epoch;
        _kept[epoch].checkpoint = checkpoint;
        _kept[epoch].disputeBy = disputeBy;
        if (checkpoint.skipped != 0) emit EpochsSkipped(epoch - checkpoint.skipped, epoch - 1);
        emit CheckpointPosted(epoch, checkpoint, signers, disputeBy);
    }

    /// @notice Says that the newest checkpoint is false and puts a bond on it. Anyone may, once for each checkpoint and
    /// before it counts. Pulls the bond by `transferFrom`.
    /// @param epoch The checkpoint's.
    /// @param claimDigest The digest of what the sender has found instead.
    /// @param effectId The sender's id of this call.
    function dispute(uint64 epoch, bytes32 claimDigest, bytes32 effectId) external {
        if (stateOf(epoch) != CheckpointState.Open) revert NotDisputable(epoch);
        _markEffect(effectId);
        uint40 ruleBy = uint40(block.timestamp) + RULING_S;
        Kept storage kept = _kept[epoch];
        kept.disputer = msg.sender;
        kept.ruleBy = ruleBy;
        uint128 bondWei = IncentiveLimits.DISPUTE_BOND_WEI;
        emit CheckpointDisputed(epoch, msg.sender, claimDigest, bondWei, ruleBy);
        COR.safeTransferFrom(msg.sender, address(this), bondWei);
    }

    /// @notice Rules on a disputed checkpoint. Anyone may who has the signatures of more than two thirds of the active
    /// oracles, until somebody uses {endDispute}. Where it stands the treasury gets the bond; where it does not, the
    /// disputer gets it back and the epoch may be posted again.
    /// @param epoch The checkpoint's.
    /// @param stands Whether it is true.
    /// @param signatures Those over {rulingDigest}, in ascending order of the signers.
    /// @param effectId The sender's id of this call.
    function rule(uint64 epoch, bool stands, bytes[] calldata signatures, bytes32 effectId) external {
        Kept storage kept = _disputed(epoch);
        uint256 needed = Quorum.neededToRule(REGISTRY.activeOracleCount(), PARAMETERS.shares().quorumBps);
        _oraclesOf(rulingDigest(epoch, stands), signatures, needed);
        _markEffect(effectId);
        if (stands) {
            kept.upheldAt = uint40(block.timestamp);
            _owedWei[PARAMETERS.treasury()] += IncentiveLimits.DISPUTE_BOND_WEI;
            emit CheckpointUpheld(epoch, true);
            return;
        }
        _owedWei[kept.disputer] += IncentiveLimits.DISPUTE_BOND_WEI;
        bytes32 root = kept.checkpoint.root;
        newestEpoch = _previousOf(kept.checkpoint);
        delete _kept[epoch];
        emit CheckpointVoided(epoch, root, revision++);
    }

    /// @notice Ends a dispute that the oracles let lie: the checkpoint stands, and the disputer gets its bond back less a
    /// fee for the delay. Anyone may, once the time to rule is over.
    /// @param epoch The checkpoint's.
    /// @param effectId The sender's id of this call.
    function endDispute(uint64 epoch, bytes32 effectId) external {
        Kept storage kept = _disputed(epoch);
        if (block.timestamp <= kept.ruleBy) revert RulingNotDue(epoch, kept.ruleBy);
        _markEffect(effectId);
        kept.upheldAt = uint40(block.timestamp);
        _owedWei[kept.disputer] += IncentiveLimits.DISPUTE_BOND_WEI - IncentiveLimits.DISPUTE_FEE_WEI;
        _owedWei[PARAMETERS.treasury()] += IncentiveLimits.DISPUTE_FEE_WEI;
        emit CheckpointUpheld(epoch, false);
    }

    /// @notice Takes what the sender is owed of bonds.
    /// @param effectId The sender's id of this call; a second use reverts.
    function withdrawBond(bytes32 effectId) external {
        uint128 amountWei = _owedWei[msg.sender];
        if (amountWei == 0) revert NothingOwed(msg.sender);
        _markEffectOnce(effectId);
        _owedWei[msg.sender] = 0;
        emit BondWithdrawn(msg.sender, amountWei);
        COR.safeTransfer(msg.sender, amountWei);
    }

    // ---------------------------------------------------------------- levels

    /// @notice Moves a node's level towards what the newest checkpoint that counts says, by a bounded step. Anyone may,
    /// once for each node and checkpoint.
    /// @param standing The node's leaf.
    /// @param proof From the leaf to the root.
    /// @param effectId The sender's id of this call.
    /// @return level The node's level from now on.
    function applyLevel(Standing calldata standing, bytes32[] calldata proof, bytes32 effectId)
        external
        returns (uint8 level)
    {
        (address node, uint64 epoch) = (standing.node, finalEpoch());
        requireStanding(epoch, standing, proof);
        if (standing.level > Limits.NODE_LEVEL_MAX) {
            revert LevelOutOfBounds(standing.level, Limits.NODE_LEVEL_MAX);
        }
        if (_appliedEpoch[node] == epoch) revert LevelAlreadyApplied(epoch, node);
        uint8 before = REGISTRY.levelOf(node);
        level = _step(before, standing.level);
        if (level == before) revert LevelUnchanged(node, level);
        _markEffect(effectId);
        _appliedEpoch[node] = epoch;
        emit LevelApplied(epoch, node, before, level);
        REGISTRY.setLevel(node, level);
    }

    /// @notice What an account can withdraw of bonds, in wei.
    /// @param account The account.
    function owedTo(address account) external view returns (uint128) {
        return _owedWei[account];
    }

    // ---------------------------------------------------------------- in short

    /// @dev A checkpoint comes after its epoch and goes on where the one before ended.
    function _requireNext(Checkpoint calldata next) private view {
        (uint64 epoch, uint64 newest) = (next.epoch, newestEpoch);
        if (epoch <= newest) revert EpochNotForward(epoch, newest);
        uint256 endsAt = epochEndsAt(epoch);
        if (block.timestamp < endsAt) revert EpochNotOver(epoch, endsAt);
        if (newest != 0) _requireFinal(newest);
        if (next.skipped != epoch - newest - 1) revert SkippedMismatch(epoch - newest - 1, next.skipped);
        Checkpoint storage previous = _kept[newest].checkpoint;
        uint64 from = previous.toPosition + 1;
        if (next.fromPosition != from) revert PositionMismatch(from, next.fromPosition);
        if (next.toPosition < from - 1) revert PositionsReversed(from, next.toPosition);
        (uint64 oldest, uint64 latest) = (previous.anchorEpoch, ANCHORS.epochCount());
        if (next.anchorEpoch < oldest || next.anchorEpoch > latest || next.anchorEpoch == 0) {
            revert AnchorOutOfBounds(next.anchorEpoch, oldest, latest);
        }
        if (next.root == 0 || next.nodes == 0) revert EmptyCheckpoint();
        if (next.revision != revision) revert WrongRevision(revision, next.revision);
    }

    /// @dev Those who signed, all of them active oracles.
    function _oraclesOf(bytes32 digest, bytes[] calldata signatures, uint256 needed)
        private
        view
        returns (address[] memory signers)
    {
        signers = Quorum.signersOf(digest, signatures, needed);
        for (uint256 i = 0; i < signers.length; ++i) {
            if (!REGISTRY.isActive(signers[i], Role.Oracle)) revert NotActiveOracle(signers[i]);
        }
    }

    function _disputed(uint64 epoch) private view returns (Kept storage) {
        if (stateOf(epoch) != CheckpointState.Disputed) revert NotDisputed(epoch);
        return _kept[epoch];
    }

    function _step(uint8 before, uint8 wanted) private pure returns (uint8) {
        if (wanted > before) {
            uint8 rise = wanted - before;
            return before + (rise < IncentiveLimits.LEVEL_RISE_MAX ? rise : IncentiveLimits.LEVEL_RISE_MAX);
        }
        uint8 fall = before - wanted;
        return before - (fall < IncentiveLimits.LEVEL_FALL_MAX ? fall : IncentiveLimits.LEVEL_FALL_MAX);
    }
}

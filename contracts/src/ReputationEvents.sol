// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoint} from "./types/Reputation.sol";

/// @title What the reputation contract says
/// @notice Its events and errors. Times are block time, in seconds since 1970.
interface ReputationEvents {
    /// @notice The oracles' word on the nodes, open to dispute until `disputeBy`.
    /// @param signers Who signed it, in ascending order.
    event CheckpointPosted(uint64 indexed epoch, Checkpoint checkpoint, address[] signers, uint40 disputeBy);
    /// @notice Epochs have no checkpoint of their own, from the first to the last.
    event EpochsSkipped(uint64 firstEpoch, uint64 lastEpoch);
    /// @notice Somebody says that a checkpoint is false.
    /// @param claimDigest The digest of what the disputer has found instead.
    event CheckpointDisputed(
        uint64 indexed epoch, address indexed by, bytes32 claimDigest, uint128 bondWei, uint40 ruleBy
    );
    /// @notice A disputed checkpoint stands: by the larger quorum's ruling, or because nobody ruled in time.
    event CheckpointUpheld(uint64 indexed epoch, bool ruled);
    /// @notice A disputed checkpoint was false; its epoch may be posted again.
    event CheckpointVoided(uint64 indexed epoch, bytes32 root, uint32 revision);
    /// @notice A node's level follows a checkpoint.
    event LevelApplied(uint64 indexed epoch, address indexed node, uint8 before, uint8 level);
    /// @notice A bond, or part of one, was paid out.
    event BondWithdrawn(address indexed account, uint128 amountWei);

    /// @notice A duration is out of its bounds; dispute and ruling must fit into an epoch.
    error WindowOutOfBounds(uint40 disputeS, uint40 rulingS, uint40 minimumS, uint40 epochS);
    /// @notice The epoch has not ended.
    error EpochNotOver(uint64 epoch, uint256 endsAt);
    /// @notice Checkpoints go forward only.
    error EpochNotForward(uint64 epoch, uint64 newest);
    /// @notice Epochs that are left out have to be named.
    error SkippedMismatch(uint64 actual, uint64 given);
    /// @notice A checkpoint goes on where the one before ended.
    error PositionMismatch(uint64 expected, uint64 given);
    /// @notice The last position is before the first.
    error PositionsReversed(uint64 fromPosition, uint64 toPosition);
    /// @notice The log was not anchored under this epoch, or an earlier checkpoint names a later anchor.
    error AnchorOutOfBounds(uint64 anchorEpoch, uint64 minimum, uint64 maximum);
    /// @notice A checkpoint says something about somebody.
    error EmptyCheckpoint();
    /// @notice Signed for before another checkpoint was voided, or after one that was not.
    error WrongRevision(uint32 actual, uint32 given);
    /// @notice Only active oracles sign.
    error NotActiveOracle(address account);
    /// @notice There is no such checkpoint.
    error UnknownCheckpoint(uint64 epoch);
    /// @notice The checkpoint may still be disputed, or is.
    error CheckpointNotFinal(uint64 epoch);
    /// @notice It is too late for a dispute, or one was there.
    error NotDisputable(uint64 epoch);
    /// @notice Nobody disputes the checkpoint.
    error NotDisputed(uint64 epoch);
    /// @notice The oracles may still rule.
    error RulingNotDue(uint64 epoch, uint40 ruleBy);
    /// @notice The leaf is not in the checkpoint's tree.
    error WrongProof(uint64 epoch, address node);
    /// @notice No tree is that deep.
    error ProofTooLong(uint256 length, uint256 maximum);
    /// @notice A level is 0 to 10.
    error LevelOutOfBounds(uint8 level, uint8 maximum);
    /// @notice A checkpoint moves a node's level once.
    error LevelAlreadyApplied(uint64 epoch, address node);
    /// @notice The node has that level.
    error LevelUnchanged(address node, uint8 level);
    /// @notice There is nothing to withdraw.
    error NothingOwed(address account);
}

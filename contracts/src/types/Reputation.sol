// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the oracles sign: what the log up to a position says about the nodes.
struct Checkpoint {
    /// The epoch it is of, from 1.
    uint64 epoch;
    /// How many epochs before it have no checkpoint; what happened in them is covered by this one.
    uint64 skipped;
    /// The first position of the log that it covers: the one after the last of the checkpoint before.
    uint64 fromPosition;
    /// The last position, included; one less than the first where nothing was written.
    uint64 toPosition;
    /// The epoch of the log anchor that binds the order of these positions.
    uint64 anchorEpoch;
    /// The sum of idle work over all leaves.
    uint64 idleWork;
    /// How many leaves there are.
    uint32 nodes;
    /// How many checkpoints have been voided before, so that what was signed for one of them is worth nothing after.
    uint32 revision;
    /// The root over the nodes' standings, as `@openzeppelin/merkle-tree` builds it.
    bytes32 root;
    /// The digest of the manifest, from which anyone recomputes the root.
    bytes32 manifestDigest;
}

/// @notice What a checkpoint says about one node: a leaf of its tree.
struct Standing {
    address node;
    uint8 level;
    uint16 scoreBps;
    uint32 honest;
    uint32 outlier;
    uint32 timedOut;
    /// Idle work in the checkpoint's epoch, in credits.
    uint64 idleWork;
}

/// @notice Where a checkpoint stands.
/// @custom:variant None There is none, or it was voided.
/// @custom:variant Open It may be disputed.
/// @custom:variant Disputed Somebody has put a bond on its being false.
/// @custom:variant Final It counts.
enum CheckpointState {
    None,
    Open,
    Disputed,
    Final
}

/// @notice A checkpoint, as the views return it.
struct CheckpointRecord {
    Checkpoint checkpoint;
    CheckpointState state;
    /// Open: until when it may be disputed. Disputed: until when it may be ruled on. Final: since when it counts.
    uint40 dueAt;
    /// Who disputed it; zero if nobody did.
    address disputer;
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReputationEvents} from "./ReputationEvents.sol";
import {IncentiveLimits} from "./libraries/IncentiveLimits.sol";
import {Standings} from "./libraries/Standings.sol";
import {Checkpoint, CheckpointRecord, CheckpointState, Standing} from "./types/Reputation.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// @title The checkpoints, as everybody may read them
/// @notice The reading half of the reputation contract.
abstract contract CheckpointBook is ReputationEvents, EIP712 {
    using Standings for Checkpoint;
    using Standings for Standing;

    /// @dev A checkpoint with what became of it.
    struct Kept {
        Checkpoint checkpoint;
        address disputer;
        uint40 disputeBy;
        uint40 ruleBy;
        /// When a dispute was decided for the checkpoint; zero where it was not.
        uint40 upheldAt;
    }

    /// @notice The epoch of the newest checkpoint; zero before the first.
    uint64 public newestEpoch;

    mapping(uint64 epoch => Kept) internal _kept;

    /// @notice What an oracle signs for a checkpoint: its EIP-712 digest.
    /// @param checkpoint The checkpoint.
    function checkpointDigest(Checkpoint calldata checkpoint) public view returns (bytes32) {
        return _hashTypedDataV4(checkpoint.hashOf());
    }

    /// @notice What an oracle signs to rule on a disputed checkpoint: its EIP-712 digest.
    /// @param epoch The checkpoint's epoch.
    /// @param stands Whether it is true.
    function rulingDigest(uint64 epoch, bool stands) public view returns (bytes32) {
        Checkpoint storage checkpoint = _kept[epoch].checkpoint;
        return _hashTypedDataV4(Standings.rulingHash(epoch, checkpoint.root, checkpoint.revision, stands));
    }

    /// @notice Where the checkpoint of an epoch stands now.
    /// @param epoch The epoch.
    function stateOf(uint64 epoch) public view returns (CheckpointState) {
        Kept storage kept = _kept[epoch];
        if (kept.disputeBy == 0) return CheckpointState.None;
        if (kept.disputer != address(0)) {
            return kept.upheldAt == 0 ? CheckpointState.Disputed : CheckpointState.Final;
        }
        return block.timestamp <= kept.disputeBy ? CheckpointState.Open : CheckpointState.Final;
    }

    /// @notice The newest epoch whose checkpoint counts; zero where none does.
    function finalEpoch() public view returns (uint64 epoch) {
        epoch = newestEpoch;
        if (epoch == 0 || stateOf(epoch) == CheckpointState.Final) return epoch;
        // One can be posted only on top of one that counts.
        return _previousOf(_kept[epoch].checkpoint);
    }

    /// @notice All about the checkpoint of an epoch.
    /// @param epoch The epoch.
    function checkpointOf(uint64 epoch) external view returns (CheckpointRecord memory record) {
        Kept storage kept = _kept[epoch];
        record.checkpoint = kept.checkpoint;
        record.state = stateOf(epoch);
        record.disputer = kept.disputer;
        if (record.state == CheckpointState.Open) record.dueAt = kept.disputeBy;
        else if (record.state == CheckpointState.Disputed) record.dueAt = kept.ruleBy;
        else if (record.state == CheckpointState.Final) record.dueAt = _finalAt(kept);
    }

    /// @notice The sum of idle work in a checkpoint that counts, and since when it does.
    /// @param epoch Its epoch.
    function idleWorkOf(uint64 epoch) external view returns (uint64 idleWork, uint40 finalAt) {
        _requireFinal(epoch);
        Kept storage kept = _kept[epoch];
        return (kept.checkpoint.idleWork, _finalAt(kept));
    }

    /// @notice Reverts unless a node's leaf is in a checkpoint that counts.
    /// @param epoch The checkpoint's epoch.
    /// @param standing The leaf.
    /// @param proof From the leaf to the root.
    function requireStanding(uint64 epoch, Standing calldata standing, bytes32[] calldata proof) public view {
        _requireFinal(epoch);
        if (proof.length > IncentiveLimits.PROOF_MAX) revert ProofTooLong(proof.length, IncentiveLimits.PROOF_MAX);
        if (!MerkleProof.verifyCalldata(proof, _kept[epoch].checkpoint.root, standing.leaf())) {
            revert WrongProof(epoch, standing.node);
        }
    }

    function _requireFinal(uint64 epoch) internal view {
        CheckpointState state = stateOf(epoch);
        if (state == CheckpointState.None) revert UnknownCheckpoint(epoch);
        if (state != CheckpointState.Final) revert CheckpointNotFinal(epoch);
    }

    function _previousOf(Checkpoint storage checkpoint) internal view returns (uint64) {
        return checkpoint.epoch - checkpoint.skipped - 1;
    }

    function _finalAt(Kept storage kept) private view returns (uint40) {
        return kept.upheldAt == 0 ? kept.disputeBy : kept.upheldAt;
    }
}

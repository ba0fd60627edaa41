// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoint, Standing} from "../types/Reputation.sol";

/// @title The hashes of a checkpoint and of its leaves
/// @notice The same as in `src/core/reputation-checkpoint.ts`; `contracts/test/vectors/reputation.json` holds both to it.
library Standings {
    bytes32 internal constant CHECKPOINT_TYPEHASH = keccak256(
        "Checkpoint(uint64 epoch,uint64 skipped,uint64 fromPosition,uint64 toPosition,uint64 anchorEpoch,uint64 idleWork,uint32 nodes,uint32 revision,bytes32 root,bytes32 manifestDigest)"
    );
    bytes32 internal constant RULING_TYPEHASH =
        keccak256("Ruling(uint64 epoch,bytes32 root,uint32 revision,bool stands)");

    /// @dev The leaf of a node: hashed twice, so that no inner node of the tree can pass for one.
    function leaf(Standing calldata standing) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(standing))));
    }

    /// @dev The EIP-712 struct hash of a checkpoint.
    function hashOf(Checkpoint calldata checkpoint) internal pure returns (bytes32) {
        return keccak256(abi.encode(CHECKPOINT_TYPEHASH, checkpoint));
    }

    /// @dev The EIP-712 struct hash of a ruling on a disputed checkpoint.
    function rulingHash(uint64 epoch, bytes32 root, uint32 revision, bool stands) internal pure returns (bytes32) {
        return keccak256(abi.encode(RULING_TYPEHASH, epoch, root, revision, stands));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BatchHeader,
    LeafKind,
    OutcomeAt,
    OutcomeLeaf,
    PaymentAt,
    PaymentLeaf,
    PrecommitAt,
    PrecommitLeaf,
    RevealAt,
    RevealLeaf
} from "../types/Batch.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {MerkleProofLib} from "solady/utils/MerkleProofLib.sol";

/// @title The leaves of a batch
/// @notice Leaves, pairs and roots are those of `StandardMerkleTree` of `@openzeppelin/merkle-tree`. A tree is full: its
/// leaves are filled up to a power of two, and every proof is as long as the tree is high. So a tree has room for exactly
/// one leaf at each position, and a leaf that is there twice leaves a position that nobody can show.
library BatchLeaves {
    /// @notice The proof does not lead from the leaf to the root.
    error NotInBatch(LeafKind kind, uint256 position);

    /// @dev How high a tree over so many leaves is.
    function height(uint256 leaves) internal pure returns (uint256) {
        return Math.log2(leaves, Math.Rounding.Ceil);
    }

    /// @dev How high a tree of a batch is.
    function height(BatchHeader calldata header, LeafKind kind) internal pure returns (uint256) {
        return height(kind == LeafKind.Payment ? header.payments : header.tasks);
    }

    /// @dev The hash of a leaf.
    function hash(PrecommitLeaf calldata leaf) internal pure returns (bytes32 inner) {
        // A struct that has lists is encoded as its fields are, behind one word that says where they begin. Naming all
        // fields would need more of the stack than there is where the optimiser is off, as coverage wants it.
        bytes memory encoded = abi.encode(leaf);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            inner := keccak256(add(encoded, 0x40), sub(mload(encoded), 0x20))
        }
        return keccak256(bytes.concat(inner));
    }

    /// @dev The hash of a leaf.
    function hash(RevealLeaf calldata leaf) internal pure returns (bytes32) {
        return _twice(abi.encode(leaf.position, leaf.taskId, leaf.resultRoots, leaf.salts));
    }

    /// @dev The hash of a leaf.
    function hash(OutcomeLeaf calldata leaf) internal pure returns (bytes32) {
        return _twice(abi.encode(leaf));
    }

    /// @dev The hash of a leaf.
    function hash(PaymentLeaf calldata leaf) internal pure returns (bytes32) {
        return _twice(abi.encode(leaf));
    }

    /// @dev Reverts unless the leaf is in the batch, at the position of a task.
    function requireIn(BatchHeader calldata header, PrecommitAt calldata placed) internal pure {
        _require(
            header,
            LeafKind.Precommit,
            placed.leaf.position,
            header.tasks,
            header.precommitRoot,
            hash(placed.leaf),
            placed.proof
        );
    }

    /// @dev Reverts unless the leaf is in the batch, at the position of a task.
    function requireIn(BatchHeader calldata header, RevealAt calldata placed) internal pure {
        _require(
            header,
            LeafKind.Reveal,
            placed.leaf.position,
            header.tasks,
            header.revealRoot,
            hash(placed.leaf),
            placed.proof
        );
    }

    /// @dev Reverts unless the leaf is in the batch, at the position of a task.
    function requireIn(BatchHeader calldata header, OutcomeAt calldata placed) internal pure {
        _require(
            header,
            LeafKind.Outcome,
            placed.leaf.position,
            header.tasks,
            header.outcomeRoot,
            hash(placed.leaf),
            placed.proof
        );
    }

    /// @dev Reverts unless the leaf is in the batch, and one of its payments.
    function requireIn(BatchHeader calldata header, PaymentAt calldata placed) internal pure {
        requireIn(header, placed.leaf, placed.proof);
    }

    /// @dev Reverts unless the leaf is in the batch, and one of its payments.
    function requireIn(BatchHeader calldata header, PaymentLeaf calldata leaf, bytes32[] calldata proof) internal pure {
        _require(header, LeafKind.Payment, leaf.index, header.payments, header.paymentRoot, hash(leaf), proof);
    }

    /// @dev Reverts unless a leaf's hash is in a tree of the batch. `count` may be the whole tree's width.
    function requireHash(
        BatchHeader calldata header,
        LeafKind kind,
        uint256 position,
        bytes32 leafHash,
        bytes32[] calldata proof
    ) internal pure {
        bytes32 root = kind == LeafKind.Precommit
            ? header.precommitRoot
            : kind == LeafKind.Reveal
                ? header.revealRoot
                : kind == LeafKind.Outcome ? header.outcomeRoot : header.paymentRoot;
        _require(header, kind, position, type(uint256).max, root, leafHash, proof);
    }

    function _require(
        BatchHeader calldata header,
        LeafKind kind,
        uint256 position,
        uint256 count,
        bytes32 root,
        bytes32 leafHash,
        bytes32[] calldata proof
    ) private pure {
        if (
            position >= count || proof.length != height(header, kind)
                || !MerkleProofLib.verifyCalldata(proof, root, leafHash)
        ) revert NotInBatch(kind, position);
    }

    function _twice(bytes memory encoded) private pure returns (bytes32) {
        return EfficientHashLib.hash(keccak256(encoded));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BatchHeader,
    OutcomeAt,
    OutcomeLeaf,
    PaymentAt,
    PaymentLeaf,
    PrecommitAt,
    PrecommitLeaf,
    RevealAt,
    RevealLeaf,
    SessionShare
} from "../../src/types/Batch.sol";
import {BatchLeafHarness} from "./BatchLeafHarness.sol";
import {BatchTree} from "./BatchTree.sol";
import {NetworkTest} from "./NetworkTest.sol";

/// @notice A batch as its poster has it: the leaves, with those that fill up the trees, and the header so far.
struct Plan {
    uint64 id;
    address poster;
    SessionShare[] shares;
    BatchHeader header;
    PrecommitLeaf[] tasks;
    RevealLeaf[] shown;
    OutcomeLeaf[] outcomes;
    PaymentLeaf[] payments;
    uint32 paymentCount;
    uint128[] drawnWei;
    bytes32[] taskTree;
    bytes32[] shownTree;
    bytes32[] outcomeTree;
    bytes32[] paymentTree;
}

/// @title The trees of a plan, and its leaves with their proofs
abstract contract BatchPlans is NetworkTest {
    using BatchTree for bytes32[];

    BatchLeafHarness internal harness;

    function taskAt(Plan memory b, uint256 position) internal pure returns (PrecommitAt memory) {
        return PrecommitAt(b.tasks[position], b.taskTree.proofOf(position));
    }

    function shownAt(Plan memory b, uint256 position) internal pure returns (RevealAt memory) {
        return RevealAt(b.shown[position], b.shownTree.proofOf(position));
    }

    function outcomeAt(Plan memory b, uint256 position) internal pure returns (OutcomeAt memory) {
        return OutcomeAt(b.outcomes[position], b.outcomeTree.proofOf(position));
    }

    function paymentAt(Plan memory b, uint256 index) internal pure returns (PaymentAt memory) {
        return PaymentAt(b.payments[index], b.paymentTree.proofOf(index));
    }

    /// @dev Payments that follow one another, from `from` on.
    function paymentsAt(Plan memory b, uint256 from, uint256 count) internal pure returns (PaymentAt[] memory list) {
        list = new PaymentAt[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = paymentAt(b, from + i);
        }
    }

    /// @dev The last payment of an account in a batch.
    function lastOf(Plan memory b, address account) internal pure returns (uint256 index) {
        index = type(uint256).max;
        for (uint256 i = 0; i < b.paymentCount; ++i) {
            if (b.payments[i].account == account) index = i;
        }
    }

    function widthOf(uint256 count) internal pure returns (uint256 width) {
        if (count == 0) return 0;
        width = 1;
        while (width < count) width *= 2;
    }

    function treeOf(PrecommitLeaf[] memory leaves) internal view returns (bytes32[] memory) {
        bytes32[] memory hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = harness.hashPrecommit(leaves[i]);
        }
        return hashes.make();
    }

    function treeOf(RevealLeaf[] memory leaves) internal view returns (bytes32[] memory) {
        bytes32[] memory hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = harness.hashReveal(leaves[i]);
        }
        return hashes.make();
    }

    function treeOf(OutcomeLeaf[] memory leaves) internal view returns (bytes32[] memory) {
        bytes32[] memory hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = harness.hashOutcome(leaves[i]);
        }
        return hashes.make();
    }

    function treeOf(PaymentLeaf[] memory leaves) internal view returns (bytes32[] memory) {
        bytes32[] memory hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = harness.hashPayment(leaves[i]);
        }
        return hashes.make();
    }
}

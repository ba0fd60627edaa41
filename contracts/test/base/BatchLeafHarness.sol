// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchLeaves} from "../../src/libraries/BatchLeaves.sol";
import {BatchShares} from "../../src/libraries/BatchShares.sol";
import {BatchHeader, OutcomeLeaf, PaymentLeaf, PrecommitLeaf, RevealLeaf} from "../../src/types/Batch.sol";
import {Share} from "../../src/types/Session.sol";

/// @notice The leaves' hashes and the shares, for tests that have them in memory.
contract BatchLeafHarness {
    function hashPrecommit(PrecommitLeaf calldata leaf) external pure returns (bytes32) {
        return BatchLeaves.hash(leaf);
    }

    function hashReveal(RevealLeaf calldata leaf) external pure returns (bytes32) {
        return BatchLeaves.hash(leaf);
    }

    function hashOutcome(OutcomeLeaf calldata leaf) external pure returns (bytes32) {
        return BatchLeaves.hash(leaf);
    }

    function hashPayment(PaymentLeaf calldata leaf) external pure returns (bytes32) {
        return BatchLeaves.hash(leaf);
    }

    function amountOf(
        BatchHeader calldata header,
        PrecommitLeaf calldata task,
        OutcomeLeaf calldata outcome,
        Share share,
        address account
    ) external pure returns (uint128) {
        return BatchShares.amountOf(header, task, outcome, share, account);
    }
}

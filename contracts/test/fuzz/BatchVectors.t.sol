// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchDemands} from "../../src/BatchDemands.sol";
import {BatchHeader, OutcomeLeaf, PaymentLeaf, PrecommitLeaf, RevealLeaf} from "../../src/types/Batch.sol";
import {BatchTest} from "../base/BatchTest.sol";
import {BatchTree} from "../base/BatchTree.sol";
import {vm} from "../base/Vm.sol";

/// @notice The TypeScript side is held to the same file by `src/core/batch/vectors.test.ts`.
contract BatchVectorsTest is BatchTest {
    using BatchTree for bytes32[];

    function test_theVectorsAreMet() external {
        string memory json = vm.readFile("contracts/test/vectors/batch.json");
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        address place = vm.parseJsonAddress(json, ".demands");
        vm.etch(place, address(demands).code);
        uint256 payments = 0;
        for (uint256 i = 0; i < 2; ++i) {
            payments += _batch(json, string.concat(".vectors[", vm.toString(i), "]"), BatchDemands(place));
        }
        assertEq(payments, 27 + 40, "payments");
    }

    function _batch(string memory json, string memory path, BatchDemands place)
        private
        view
        returns (uint256 payments)
    {
        BatchHeader memory header;
        header.poster = vm.parseJsonAddress(json, string.concat(path, ".poster"));
        header.rates.treasury = vm.parseJsonAddress(json, string.concat(path, ".treasury"));
        (header.rates.minersBps, header.rates.validatorsBps, header.rates.routerBps) = (8000, 800, 700);
        PrecommitLeaf[] memory given = _precommits(json, path);
        OutcomeLeaf[] memory outcomes = _outcomes(json, path);
        _reveals(json, path, given);
        bytes32[] memory verdicts = vm.parseJsonBytes32Array(json, string.concat(path, ".verdicts"));
        assertEq(verdicts.length, vm.parseJsonUint(json, string.concat(path, ".tasks")), "verdicts");
        for (uint256 i = 0; i < verdicts.length; ++i) {
            assertEq(place.verdictDigest(header.poster, given[i], outcomes[i]), verdicts[i], "verdict");
        }
        payments = vm.parseJsonUint(json, string.concat(path, ".payments"));
        _payments(json, path, header, given, outcomes, payments);
    }

    function _precommits(string memory json, string memory path) private view returns (PrecommitLeaf[] memory list) {
        bytes[] memory encoded = _leaves(json, path, "precommit");
        list = new PrecommitLeaf[](encoded.length);
        bytes32[] memory hashes = new bytes32[](encoded.length);
        for (uint256 i = 0; i < encoded.length; ++i) {
            list[i] = abi.decode(_asStruct(encoded[i]), (PrecommitLeaf));
            hashes[i] = harness.hashPrecommit(list[i]);
        }
        _assertTree(json, path, "precommit", hashes);
    }

    /// @dev Every precommit of a slot that was shown is what was shown.
    function _reveals(string memory json, string memory path, PrecommitLeaf[] memory given) private view {
        bytes[] memory encoded = _leaves(json, path, "reveal");
        bytes32[] memory hashes = new bytes32[](encoded.length);
        address place = vm.parseJsonAddress(json, ".batches");
        for (uint256 i = 0; i < encoded.length; ++i) {
            RevealLeaf memory leaf = abi.decode(_asStruct(encoded[i]), (RevealLeaf));
            hashes[i] = harness.hashReveal(leaf);
            for (uint256 j = 0; j < leaf.salts.length; ++j) {
                if (leaf.resultRoots[j] == 0) continue;
                assertEq(_bind(place, given[i], j, leaf), given[i].precommits[j], "precommit");
            }
        }
        _assertTree(json, path, "reveal", hashes);
    }

    function _bind(address place, PrecommitLeaf memory task, uint256 slot, RevealLeaf memory shown)
        private
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                block.chainid,
                place,
                task.sessionId,
                task.taskId,
                task.step,
                task.attempts[slot],
                task.miners[slot],
                shown.resultRoots[slot],
                shown.salts[slot]
            )
        );
    }

    function _outcomes(string memory json, string memory path) private view returns (OutcomeLeaf[] memory list) {
        bytes[] memory encoded = _leaves(json, path, "outcome");
        list = new OutcomeLeaf[](encoded.length);
        bytes32[] memory hashes = new bytes32[](encoded.length);
        for (uint256 i = 0; i < encoded.length; ++i) {
            list[i] = abi.decode(encoded[i], (OutcomeLeaf));
            hashes[i] = harness.hashOutcome(list[i]);
        }
        _assertTree(json, path, "outcome", hashes);
    }

    /// @dev Leaves, tree, and the bill of every task.
    function _payments(
        string memory json,
        string memory path,
        BatchHeader memory header,
        PrecommitLeaf[] memory given,
        OutcomeLeaf[] memory outcomes,
        uint256 count
    ) private view {
        bytes[] memory encoded = _leaves(json, path, "payment");
        bytes32[] memory hashes = new bytes32[](encoded.length);
        uint128 sumWei = 0;
        for (uint256 i = 0; i < hashes.length; ++i) {
            PaymentLeaf memory leaf = abi.decode(encoded[i], (PaymentLeaf));
            hashes[i] = harness.hashPayment(leaf);
            if (i >= count) continue;
            uint256 p = leaf.position;
            sumWei += harness.amountOf(header, given[p], outcomes[p], leaf.share, leaf.account);
            assertEq(leaf.batchTotalWei, sumWei, "the bill");
        }
        _assertTree(json, path, "payment", hashes);
    }

    /// @dev A struct with lists is encoded as its members are, behind where it begins.
    function _asStruct(bytes memory members) private pure returns (bytes memory) {
        return bytes.concat(bytes32(uint256(32)), members);
    }

    function _leaves(string memory json, string memory path, string memory kind) private pure returns (bytes[] memory) {
        return vm.parseJsonBytesArray(json, string.concat(path, ".trees.", kind, ".leaves"));
    }

    function _assertTree(string memory json, string memory path, string memory kind, bytes32[] memory hashes)
        private
        pure
    {
        string memory at_ = string.concat(path, ".trees.", kind);
        bytes32[] memory wanted = vm.parseJsonBytes32Array(json, string.concat(at_, ".hashes"));
        assertEq(keccak256(abi.encode(hashes)), keccak256(abi.encode(wanted)), string.concat(kind, ": leaves"));
        bytes32[] memory tree = hashes.make();
        assertEq(tree.root(), vm.parseJsonBytes32(json, string.concat(at_, ".root")), string.concat(kind, ": root"));
        bytes memory proofs;
        for (uint256 i = 0; i < hashes.length; ++i) {
            proofs = bytes.concat(proofs, abi.encodePacked(tree.proofOf(i)));
        }
        assertEq(
            keccak256(proofs),
            vm.parseJsonBytes32(json, string.concat(at_, ".proofsHash")),
            string.concat(kind, ": proofs")
        );
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Selection} from "../../src/libraries/Selection.sol";
import {Draw, Scheme} from "../../src/types/Task.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// @notice The draw, for tests that hold lists in memory.
contract SelectionHarness {
    function draw(bytes32 beacon, bytes32 taskId, uint256[] calldata list, uint256 count)
        external
        pure
        returns (address[] memory)
    {
        return Selection.nodesOf(Selection.draw(beacon, taskId, list, count));
    }
}

/// @title Lists of nodes, and draws from them
abstract contract Drawing is Test {
    SelectionHarness internal immutable selection = new SelectionHarness();

    // ---------------------------------------------------------------- lists

    function first(address[] memory nodes, uint256 count) internal pure returns (address[] memory some) {
        some = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            some[i] = nodes[i];
        }
    }

    function nobody() internal pure returns (address[] memory) {
        return new address[](0);
    }

    function only(address node) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = node;
    }

    function pair(address a, address b) internal pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (a, b);
    }

    // ---------------------------------------------------------------- draws

    /// @dev A block after the submission's whose hash is known.
    function beaconAfter(uint256 submittedBlock) internal returns (uint64 beaconBlock) {
        beaconBlock = uint64(submittedBlock) + 1;
        if (block.number <= beaconBlock) vm.roll(beaconBlock + 1);
        else if (block.number > beaconBlock + 256) beaconBlock = uint64(block.number) - 1;
    }

    /// @dev A draw among nodes of equal weight; miners that come first keep their order.
    function drawOf(Scheme scheme, address[] memory to, address[] memory by) internal pure returns (Draw memory draw) {
        draw.scheme = scheme;
        draw.selectionDigest = "why";
        draw.miners = scheme == Scheme.Drawn ? candidates(to) : _weighed(to);
        draw.validators = candidates(by);
    }

    /// @dev Candidates of equal weight, in order of address.
    function candidates(address[] memory nodes) internal pure returns (uint256[] memory list) {
        list = _weighed(nodes);
        for (uint256 i = 1; i < list.length; ++i) {
            for (uint256 j = i; j > 0 && list[j - 1] > list[j]; --j) {
                (list[j - 1], list[j]) = (list[j], list[j - 1]);
            }
        }
    }

    /// @dev All candidates in the order of their draw.
    function rankOf(uint256[] memory list, bytes32 beacon, bytes32 taskId) internal view returns (address[] memory) {
        return selection.draw(beacon, taskId, list, list.length);
    }

    function candidate(address node, uint256 weight) internal pure returns (uint256) {
        return uint256(uint160(node)) << 96 | weight;
    }

    function _weighed(address[] memory nodes) private pure returns (uint256[] memory list) {
        list = new uint256[](nodes.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = candidate(nodes[i], 1_000_000);
        }
    }
}

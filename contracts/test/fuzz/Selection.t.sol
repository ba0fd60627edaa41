// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {Selection} from "../../src/libraries/Selection.sol";
import {SelectionHarness} from "../base/Drawing.sol";
import {Test} from "../base/Test.sol";
import {vm} from "../base/Vm.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @notice The draw: the same as TypeScript's, and always the best of all candidates.
contract SelectionTest is Test {
    string private constant VECTORS = "contracts/test/vectors/selection.json";
    SelectionHarness private _harness;

    function setUp() external {
        _harness = new SelectionHarness();
    }

    function test_logarithmsHaveTheSameBitsAsInTypeScript() external view {
        string memory json = vm.readFile(VECTORS);
        bytes32 seed = vm.parseJsonBytes32(json, ".seed");
        uint256 count = vm.parseJsonUint(json, ".logarithms");
        bytes32 digest = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 logOf = (uint256(keccak256(abi.encode(seed, i))) >> (1 + i % 250)) + 1;
            digest = keccak256(abi.encode(digest, FixedPointMathLib.lnWad(int256(logOf))));
        }
        assertEq(digest, vm.parseJsonBytes32(json, ".logarithmsDigest"), "logarithms");
    }

    function test_drawsHaveTheSameOrderAsInTypeScript() external view {
        string memory json = vm.readFile(VECTORS);
        bytes32 seed = vm.parseJsonBytes32(json, ".seed");
        uint256 count = vm.parseJsonUint(json, ".draws");
        bytes32 digest = 0;
        for (uint256 i = 0; i < count; ++i) {
            bytes32 salt = keccak256(abi.encode(seed, i, 1));
            uint256[] memory list = new uint256[](1 + i % 64);
            for (uint256 j = 0; j < list.length; ++j) {
                uint256 word = uint256(keccak256(abi.encode(salt, j)));
                uint256 weight = 1 + (word >> 160) % (i % 2 == 0 ? 3 : 65_535_000);
                list[j] = uint256(uint160(word)) << 96 | weight;
            }
            address[] memory ranking =
                _harness.draw(salt, keccak256(abi.encode(salt, 1000)), _sorted(list), list.length);
            for (uint256 j = 0; j < ranking.length; ++j) {
                digest = keccak256(abi.encode(digest, ranking[j]));
            }
        }
        assertEq(digest, vm.parseJsonBytes32(json, ".drawsDigest"), "draws");
    }

    function testFuzz_fewerAreTheFirstOfMore(bytes32 beacon, bytes32 taskId, uint256 seed, uint256 size, uint256 k)
        external
        view
    {
        size = within(size, 0, 64);
        k = within(k, 0, 16);
        uint256[] memory list = _list(seed, size);
        address[] memory all = _harness.draw(beacon, taskId, list, size);
        address[] memory some = _harness.draw(beacon, taskId, list, k);
        assertEq(some.length, k < size ? k : size, "as many as asked for");
        for (uint256 i = 0; i < some.length; ++i) {
            assertEq(some[i], all[i], "the best");
        }
    }

    /// @dev Who leaves out somebody that is not drawn changes nothing: only leaving out the drawn does.
    function testFuzz_othersDoNotMatterToTheDrawn(bytes32 beacon, uint256 seed, uint256 gone) external view {
        uint256[] memory list = _list(seed, 10);
        address[] memory chosen = _harness.draw(beacon, 0, list, 3);
        gone = within(gone, 0, 9);
        (address node,) = Selection.unpack(list[gone]);
        if (node == chosen[0] || node == chosen[1] || node == chosen[2]) return;
        uint256[] memory fewer = new uint256[](9);
        for (uint256 i = 0; i < 9; ++i) {
            fewer[i] = list[i < gone ? i : i + 1];
        }
        address[] memory again = _harness.draw(beacon, 0, fewer, 3);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(again[i], chosen[i], "the same");
        }
    }

    function test_candidatesHaveBounds() external {
        uint256[] memory list = _list(1, 65);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.CandidateCountOutOfBounds.selector, 65, 64));
        _harness.draw(0, 0, list, 3);
        _harness.draw(0, 0, _list(1, 64), 3);

        list = _list(1, 3);
        (address node, uint256 weight) = Selection.unpack(list[1]);
        list[1] -= weight;
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WeightOutOfBounds.selector, node, 0, 65_535_000));
        _harness.draw(0, 0, list, 3);
        list[1] += 65_535_001;
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WeightOutOfBounds.selector, node, 65_535_001, 65_535_000)
        );
        _harness.draw(0, 0, list, 3);
        list[1] -= 1;
        assertEq(_harness.draw(0, 0, list, 3).length, 3, "at the bound");
    }

    function test_candidatesAreInOrderEachOnce() external {
        uint256[] memory list = _list(1, 3);
        (list[1], list[2]) = (list[2], list[1]);
        (address node,) = Selection.unpack(list[2]);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.CandidatesUnordered.selector, node));
        _harness.draw(0, 0, list, 3);
        // The same node with another weight is the same node.
        list = _list(1, 2);
        list[1] = (list[0] >> 96) << 96 | 7;
        (node,) = Selection.unpack(list[1]);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.CandidatesUnordered.selector, node));
        _harness.draw(0, 0, list, 3);
        list[0] = 7;
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.CandidatesUnordered.selector, address(0)));
        _harness.draw(0, 0, list, 3);
    }

    function _list(uint256 seed, uint256 size) private pure returns (uint256[] memory list) {
        list = new uint256[](size);
        for (uint256 i = 0; i < size; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            list[i] = uint256(uint160(word)) << 96 | (1 + (word >> 160) % 65_535_000);
        }
        return _sorted(list);
    }

    function _sorted(uint256[] memory list) private pure returns (uint256[] memory) {
        for (uint256 i = 1; i < list.length; ++i) {
            for (uint256 j = i; j > 0 && list[j - 1] > list[j]; --j) {
                (list[j - 1], list[j]) = (list[j], list[j - 1]);
            }
        }
        return list;
    }
}

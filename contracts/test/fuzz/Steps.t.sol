// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {TaskState} from "../../src/types/Task.sol";
import {StepTest} from "../base/StepTest.sol";
import {vm} from "../base/Vm.sol";

contract StepsFuzzTest is StepTest {
    uint256 private constant TASKS = 6;

    bytes32[] private _all;

    /// @dev Any plan of six tasks: each step stands one after the deepest it comes after, is assigned exactly when all of
    /// these are settled, and where one of them is refunded everything behind it can be at once.
    function testFuzz_aStepRunsAfterAllThatItComesAfter(uint256 edges, uint256 failing) external {
        uint64 id = openSession();
        uint256[] memory depth = new uint256[](TASKS);
        for (uint256 i = 0; i < TASKS; ++i) {
            bytes32[] memory parents = _parentsOf(edges, i);
            _all.push(parents.length == 0 ? submit(id, bytes32(i + 1)) : submitAfter(id, bytes32(i + 1), parents));
            for (uint256 j = 0; j < i; ++j) {
                if (_isAfter(edges, i, j) && depth[j] >= depth[i]) depth[i] = depth[j] + 1;
            }
            assertEq(queue.taskOf(_all[i]).step, depth[i], "step");
        }
        failing = within(failing, 0, TASKS);
        bool[] memory failed = new bool[](TASKS);
        for (uint256 i = 0; i < TASKS; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (_isAfter(edges, i, j) && failed[j]) failed[i] = true;
            }
            if (failed[i]) {
                bytes4 refusal = TaskQueueEvents.StepNotReady.selector;
                assignRefused(_all[i], abi.encodeWithSelector(refusal, _all[i], _firstUnsettled(_all[i])));
                queue.refundStep(_all[i], effect());
            } else if (i == failing) {
                vm.prank(CLIENT);
                queue.cancel(_all[i], effect());
                failed[i] = true;
            } else {
                vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoParentRefunded.selector, _all[i]));
                queue.refundStep(_all[i], effect());
                bring(_all[i], TaskState.Settled, 1, 2);
            }
        }
        assertEq(sessions.sessionOf(id).escrowedWei, 0, "nothing hangs");
        assertMoneyConserved();
    }

    function _firstUnsettled(bytes32 taskId) private view returns (bytes32 parent) {
        for (uint256 i = 0; i < 8; ++i) {
            parent = queue.parentOf(taskId, i);
            if (queue.taskOf(parent).state != TaskState.Settled) return parent;
        }
    }

    function _isAfter(uint256 edges, uint256 task, uint256 before) private pure returns (bool) {
        return edges >> (8 * task + before) & 1 != 0;
    }

    function _parentsOf(uint256 edges, uint256 task) private view returns (bytes32[] memory parents) {
        uint256 count = 0;
        for (uint256 j = 0; j < task; ++j) {
            if (_isAfter(edges, task, j)) ++count;
        }
        parents = new bytes32[](count);
        for (uint256 j = task; j > 0; --j) {
            if (_isAfter(edges, task, j - 1)) parents[--count] = _all[j - 1];
        }
    }
}

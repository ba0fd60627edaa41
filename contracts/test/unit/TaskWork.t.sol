// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {Terms} from "../../src/types/Session.sol";
import {SlotState, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice ack, precommit, reveal.
contract TaskWorkTest is NetworkTest {
    uint64 private _session;

    function setUp() public override {
        super.setUp();
        _session = openSession();
    }

    // ---------------------------------------------------------------- ack

    function test_theFirstAckBeginsTheWork() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        uint40 precommitBy = uint40(block.timestamp) + 30;
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(miners[1], "ack");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskAcked(_session, taskId, miners[1], precommitBy);
        vm.prank(miners[1]);
        queue.ack(taskId, "ack");
        assertState(taskId, TaskState.Executing);
        TaskRecord memory task = queue.taskOf(taskId);
        assertEq(uint256(task.slots[1].state), uint256(SlotState.Acked), "acked");
        assertEq(task.slots[1].dueBy, precommitBy, "precommit by");
        assertEq(uint256(task.slots[0].state), uint256(SlotState.Assigned), "the others are not");

        ack(taskId, miners[0]);
        assertState(taskId, TaskState.Executing);
    }

    function test_onlyTheTasksMinersAckAndOnce() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotMinerOfTask.selector, taskId, miners[3]));
        ack(taskId, miners[3]);
        ack(taskId, miners[0]);
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[0], SlotState.Acked)
        );
        ack(taskId, miners[0]);
    }

    function test_thereIsAStateForAcks() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Precommitted));
        ack(taskId, miners[0]);
    }

    // ---------------------------------------------------------------- precommit

    function test_thePhaseEndsWithTheLastPrecommit() external {
        bytes32 taskId = _taskIn(TaskState.Executing);
        bytes32 hash = hashOf(taskId, miners[0], 0);
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(miners[0], "precommit");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskPrecommitted(_session, taskId, miners[0], hash);
        vm.prank(miners[0]);
        queue.precommit(taskId, hash, "precommit");
        assertEq(queue.taskOf(taskId).slots[0].precommit, hash, "kept");
        precommit(taskId, miners[1]);
        assertState(taskId, TaskState.Executing);

        uint40 revealBy = uint40(block.timestamp) + 10;
        hash = hashOf(taskId, miners[2], 0);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskPrecommitted(_session, taskId, miners[2], hash);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.AllPrecommitted(_session, taskId, revealBy);
        vm.prank(miners[2]);
        queue.precommit(taskId, hash, effect());
        assertState(taskId, TaskState.Precommitted);
        assertEq(queue.taskOf(taskId).phaseBy, revealBy, "reveal by");
    }

    function test_lateWorkLeavesTimeToReveal() external {
        bytes32 taskId = _taskIn(TaskState.Executing);
        vm.warp(queue.taskOf(taskId).expireBy);
        for (uint256 i = 0; i < 3; ++i) {
            precommit(taskId, miners[i]);
        }
        assertEq(queue.taskOf(taskId).expireBy, block.timestamp + 20, "two reveal time-outs from now");
    }

    function test_aPrecommitIsAnAckToo() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        uint40 precommitBy = uint40(block.timestamp) + 30;
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskAcked(_session, taskId, miners[0], precommitBy);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskPrecommitted(_session, taskId, miners[0], hashOf(taskId, miners[0], 0));
        precommit(taskId, miners[0]);
        assertState(taskId, TaskState.Executing);
        ack(taskId, miners[1]);
        assertState(taskId, TaskState.Executing);
    }

    function test_onlyTheTasksMinersPrecommitAndOnce() external {
        bytes32 taskId = _taskIn(TaskState.Executing);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotMinerOfTask.selector, taskId, STRANGER));
        precommit(taskId, STRANGER);
        precommit(taskId, miners[0]);
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[0], SlotState.Precommitted)
        );
        precommit(taskId, miners[0]);
    }

    // ---------------------------------------------------------------- reveal

    function test_thePhaseEndsWithTheLastReveal() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(miners[0], "reveal");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskRevealed(_session, taskId, miners[0], rootOf(miners[0]), "result");
        vm.prank(miners[0]);
        queue.reveal(taskId, rootOf(miners[0]), saltOf(miners[0]), "result", "reveal");
        assertEq(uint256(queue.taskOf(taskId).slots[0].state), uint256(SlotState.Revealed), "revealed");
        reveal(taskId, miners[1]);
        assertState(taskId, TaskState.Precommitted);

        uint40 attestBy = uint40(block.timestamp) + 20;
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.AllRevealed(_session, taskId, attestBy);
        reveal(taskId, miners[2]);
        assertState(taskId, TaskState.Committed);
        assertEq(queue.taskOf(taskId).phaseBy, attestBy, "attest by");
    }

    function test_nobodyRevealsBeforeAllArePrecommitted() external {
        bytes32 taskId = _taskIn(TaskState.Executing);
        precommit(taskId, miners[0]);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Executing));
        reveal(taskId, miners[0]);
    }

    function test_aRevealIsWhatWasPrecommitted() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        bytes32 bound = hashOf(taskId, miners[0], 0);
        bytes32 salt = saltOf(miners[0]);
        bytes32 shown =
            keccak256(abi.encode(block.chainid, queue, _session, taskId, 0, 0, miners[0], bytes32("other root"), salt));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.PrecommitMismatch.selector, bound, shown));
        vm.prank(miners[0]);
        queue.reveal(taskId, "other root", salt, "result", effect());
    }

    function test_aCopiedPrecommitCannotBeRevealed() external {
        bytes32 taskId = _taskIn(TaskState.Executing);
        bytes32 copied = hashOf(taskId, miners[0], 0);
        precommit(taskId, miners[0]);
        vm.prank(miners[1]);
        queue.precommit(taskId, copied, effect());
        precommit(taskId, miners[2]);
        reveal(taskId, miners[0]);
        vm.expectPartialRevert(TaskQueueEvents.PrecommitMismatch.selector);
        vm.prank(miners[1]);
        queue.reveal(taskId, rootOf(miners[0]), saltOf(miners[0]), "result", effect());
    }

    function test_onlyTheTasksMinersRevealAndOnce() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotMinerOfTask.selector, taskId, STRANGER));
        reveal(taskId, STRANGER);
        reveal(taskId, miners[0]);
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[0], SlotState.Revealed)
        );
        reveal(taskId, miners[0]);
    }

    function test_atLevelZeroTheLastRevealValidates() external {
        Terms memory terms = defaultTerms();
        (terms.level, terms.validators) = (0, 0);
        _session = openSession(terms);
        bytes32 taskId = _taskIn(TaskState.Precommitted, 0);
        reveal(taskId, miners[2]);
        reveal(taskId, miners[1]);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.AllRevealed(_session, taskId, uint40(block.timestamp) + 20);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultValidated(_session, taskId, miners[0], first(miners, 3), 0, 0, 0);
        reveal(taskId, miners[0]);
        assertState(taskId, TaskState.Validated);
    }

    function _taskIn(TaskState state) private returns (bytes32) {
        return _taskIn(state, 2);
    }

    function _taskIn(TaskState state, uint256 v) private returns (bytes32) {
        return taskIn(state, _session, 3, v);
    }
}

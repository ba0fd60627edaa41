// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {Terms} from "../../src/types/Session.sol";
import {RefundReason, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice attest and resolve.
contract TaskValidateTest is NetworkTest {
    uint64 private _session;
    bytes32 private _task;

    /// @dev A task of three miners and three validators, all revealed.
    function setUp() public override {
        super.setUp();
        Terms memory terms = defaultTerms();
        terms.validators = 3;
        _session = openSession(terms);
        _task = taskIn(TaskState.Committed, _session, 3, 3);
    }

    function test_aMajorityDecides() external {
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(validators[0], "attest");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultAttested(_session, _task, validators[0], "report 0");
        vm.prank(validators[0]);
        queue.attest(_task, miners[1], pair(miners[1], miners[0]), 100, 50, "report 0", "attest");
        assertState(_task, TaskState.Committed);

        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultAttested(_session, _task, validators[2], "report 2");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultValidated(
            _session, _task, miners[1], pair(miners[0], miners[1]), 100, 50, "report 2"
        );
        vm.prank(validators[2]);
        queue.attest(_task, miners[1], pair(miners[0], miners[1]), 100, 50, "report 2", effect());
        assertState(_task, TaskState.Validated);

        TaskRecord memory task = queue.taskOf(_task);
        assertTrue(task.ballots[0].cast && task.ballots[2].cast, "two ballots");
        assertFalse(task.ballots[1].cast, "one is missing");
        assertEq(task.ballots[0].honest, 3, "the first two slots");
        assertEq(task.ballots[0].winner, 1, "the second slot");
    }

    function test_aSingleValidatorIsItsMajority() external {
        bytes32 taskId = taskIn(TaskState.Committed, _session, 2, 1);
        attest(taskId, validators[0], first(miners, 2));
        assertState(taskId, TaskState.Validated);
    }

    function test_otherTokenCountsAreAnotherOutcome() external {
        attest(_task, validators[0], first(miners, 3), 100, 50);
        attest(_task, validators[1], first(miners, 3), 100, 51);
        assertState(_task, TaskState.Committed);
        attest(_task, validators[2], first(miners, 3), 100, 51);
        assertState(_task, TaskState.Validated);
    }

    function test_withoutAMajorityTheLastBallotEndsTheVote() external {
        attest(_task, validators[0], only(miners[0]));
        attest(_task, validators[1], only(miners[1]));
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultValidated(_session, _task, miners[0], only(miners[0]), 100, 50, 0);
        attest(_task, validators[2], only(miners[2]));
        assertState(_task, TaskState.Validated);
    }

    function test_theOrderOfAssignmentBreaksATieEvenAgainstTheOrderOfVotes() external {
        attest(_task, validators[2], only(miners[2]));
        attest(_task, validators[1], only(miners[1]));
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultValidated(_session, _task, miners[0], only(miners[0]), 100, 50, "report");
        attest(_task, validators[0], only(miners[0]));
    }

    function test_onlyTheTasksValidatorsAttestAndOnce() external {
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotValidatorOfTask.selector, _task, miners[0]));
        attest(_task, miners[0], first(miners, 3));
        attest(_task, validators[0], first(miners, 3));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.AlreadyAttested.selector, _task, validators[0]));
        attest(_task, validators[0], first(miners, 3));
    }

    function test_anOutcomeHasHonestMinersThatRevealed() external {
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NobodyHonest.selector, _task));
        _attest(miners[0], nobody());
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotMinerOfTask.selector, _task, miners[4]));
        _attest(miners[0], pair(miners[0], miners[4]));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.RepeatedNode.selector, miners[0]));
        _attest(miners[0], pair(miners[0], miners[0]));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WinnerNotHonest.selector, _task, miners[2]));
        _attest(miners[2], pair(miners[0], miners[1]));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WinnerNotHonest.selector, _task, STRANGER));
        _attest(STRANGER, pair(miners[0], miners[1]));
    }

    function test_whoDidNotRevealIsNotHonest() external {
        bytes32 taskId = taskIn(TaskState.Precommitted, _session, 3, 1);
        reveal(taskId, miners[0]);
        reveal(taskId, miners[1]);
        pass(11);
        reassign(taskId, miners[2], address(0));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerNotRevealed.selector, taskId, miners[2]));
        attest(taskId, validators[0], first(miners, 3));
        attest(taskId, validators[0], first(miners, 2));
        assertState(taskId, TaskState.Validated);
    }

    function test_thereIsAStateForAttesting() external {
        bytes32 taskId = taskIn(TaskState.Precommitted, _session, 3, 3);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Precommitted));
        attest(taskId, validators[0], first(miners, 3));
    }

    // ---------------------------------------------------------------- resolve

    function test_whoAnsweredInTimeDecides() external {
        attest(_task, validators[1], only(miners[1]));
        uint40 attestBy = queue.taskOf(_task).phaseBy;
        vm.warp(attestBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, _task, attestBy));
        queue.resolve(_task, effect());

        vm.warp(attestBy + 1);
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(STRANGER, "resolve");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultValidated(_session, _task, miners[1], only(miners[1]), 100, 50, 0);
        vm.prank(STRANGER);
        queue.resolve(_task, "resolve");
        assertState(_task, TaskState.Validated);
    }

    function test_ifNobodyAnsweredTheTaskIsRefunded() external {
        pass(21);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskRefunded(_session, _task, MAX_PRICE, RefundReason.Exhausted);
        queue.resolve(_task, effect());
        assertState(_task, TaskState.Refunded);
        assertMoneyConserved();
    }

    function test_thereIsAStateForResolving() external {
        attest(_task, validators[0], first(miners, 3));
        attest(_task, validators[1], first(miners, 3));
        pass(21);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, _task, TaskState.Validated));
        queue.resolve(_task, effect());
    }

    function _attest(address winner, address[] memory honest) private {
        vm.prank(validators[0]);
        queue.attest(_task, winner, honest, 100, 50, "report", effect());
    }
}

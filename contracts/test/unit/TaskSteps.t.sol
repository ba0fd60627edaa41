// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {Parameters} from "../../src/Parameters.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {SessionState, SettlementMode, Terms} from "../../src/types/Session.sol";
import {RefundReason, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {StepTest} from "../base/StepTest.sol";
import {vm} from "../base/Vm.sol";

contract TaskStepsTest is StepTest {
    /// With the default terms: what a task may take at most from its queue's end on, and the wait for miners.
    uint40 private constant LIFE = 2 * (6 * 35 + 30);
    uint40 private constant QUEUE = 60;

    uint64 private _session;

    function setUp() public override {
        super.setUp();
        _session = openSession();
    }

    // ---------------------------------------------------------------- submission

    function test_aStepIsATaskThatWaitsForOthers() external {
        bytes32[] memory parents = _pair("a", "b");
        bytes32 taskId = queue.taskIdOf(_session, REQUEST);
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(CLIENT, "step");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.StepSubmitted(_session, taskId, REQUEST, CLIENT, "template", 64, 2 ether, 1, parents);
        vm.prank(CLIENT);
        bytes32 made = queue.submitAfter(_session, REQUEST, "template", 64, 2 ether, parents, "step");
        assertEq(made, taskId, "the id is a task's");

        TaskRecord memory task = queue.taskOf(taskId);
        assertEq(uint256(task.state), uint256(TaskState.Queued), "queued");
        assertEq(task.step, 1, "after the first");
        assertEq(task.escrowWei, 2 ether, "set aside now");
        assertEq(task.expireBy, block.timestamp + QUEUE + LIFE + QUEUE, "time for its parents, and for its miners");
        assertEq(queue.parentOf(taskId, 0), parents[0], "first parent");
        assertEq(queue.parentOf(taskId, 1), parents[1], "second parent");
        assertEq(queue.parentOf(taskId, 2), bytes32(0), "no more");
        assertMoneyConserved();
    }

    function test_theStepIsOneMoreThanTheGreatestBefore() external {
        bytes32 first_ = submit(_session, "first");
        bytes32 second = submitAfter(_session, "second", _one(first_));
        bytes32 third = submitAfter(_session, "third", _two(first_, second));
        assertEq(queue.taskOf(second).step, 1, "second");
        assertEq(queue.taskOf(third).step, 2, "third");
    }

    function test_parentsMayHaveBeenSettledBefore() external {
        bytes32 parent = taskIn(TaskState.Settled, _session, 3, 2);
        bytes32 step = submitAfter(_session, "step", _one(parent));
        assertEq(queue.taskOf(step).expireBy, block.timestamp + LIFE + QUEUE, "counts from now");
        assign(step, 3, 2);
        assertState(step, TaskState.Assigned);
    }

    function test_aStepHasTimeForItsParentsAppeals() external {
        Terms memory terms = defaultTerms();
        terms.appealWindowS = 100;
        uint64 id = openSession(terms);
        bytes32 step = submitAfter(id, "step", _one(submit(id, "parent")));
        assertEq(
            queue.taskOf(step).expireBy, block.timestamp + QUEUE + LIFE + 100 + 2 * 5 + 20 + QUEUE, "window and appeal"
        );
    }

    function test_thereAreOneToEightParents() external {
        bytes32[] memory parents = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.ParentCountOutOfBounds.selector, 0, 8));
        submitAfter(_session, "none", parents);
        parents = new bytes32[](9);
        for (uint256 i = 0; i < 9; ++i) {
            parents[i] = submit(_session, effect());
        }
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.ParentCountOutOfBounds.selector, 9, 8));
        submitAfter(_session, "nine", parents);
        bytes32[] memory eight = new bytes32[](8);
        for (uint256 i = 0; i < 8; ++i) {
            eight[i] = parents[i];
        }
        bytes32 step = submitAfter(_session, "eight", eight);
        assertEq(queue.parentOf(step, 7), eight[7], "the last");
        assignRefused(step, abi.encodeWithSelector(TaskQueueEvents.StepNotReady.selector, step, eight[0]));
    }

    function test_parentsAreInOrderAndNoneIsNamedTwice() external {
        bytes32[] memory parents = _pair("a", "b");
        (parents[0], parents[1]) = (parents[1], parents[0]);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.ParentsUnordered.selector, parents[1]));
        _submitRaw(parents);
        parents[1] = parents[0];
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.ParentsUnordered.selector, parents[0]));
        _submitRaw(parents);
    }

    function test_parentsAreKnownTasksOfTheSameSession() external {
        bytes32 nothing = keccak256("nothing");
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.ParentUnfit.selector, nothing, 0, TaskState.None));
        submitAfter(_session, "step", _one(nothing));
        uint64 other = openSession();
        bytes32 foreign = submit(other, "foreign");
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.ParentUnfit.selector, foreign, other, TaskState.Queued));
        submitAfter(_session, "step", _one(foreign));
        bytes32 self = queue.taskIdOf(_session, "step");
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.ParentUnfit.selector, self, _session, TaskState.Queued));
        submitAfter(_session, "step", _one(self));
        assertState(self, TaskState.None);
        assertEq(sessions.sessionOf(_session).escrowedWei, 0, "nothing was set aside");
    }

    function test_aRefundedTaskIsNoParent() external {
        bytes32 parent = _refunded("parent");
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.ParentUnfit.selector, parent, _session, TaskState.Refunded)
        );
        submitAfter(_session, "step", _one(parent));
    }

    function test_fifteenStepsStandInARow() external {
        bytes32 last = submit(_session, effect());
        for (uint256 i = 1; i <= 15; ++i) {
            last = submitAfter(_session, effect(), _one(last));
            assertEq(queue.taskOf(last).step, i, "in a row");
        }
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.StepTooDeep.selector, last, 15));
        submitAfter(_session, "sixteenth", _one(last));
    }

    function test_aPlanIsCoveredBeforeItsFirstStep() external {
        Terms memory terms = defaultTerms();
        terms.maxTaskPriceWei = DEPOSIT;
        uint64 id = openSession(terms);
        bytes32 parent = submitAs(CLIENT, id, "parent", DEPOSIT - 1 ether);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.InsufficientBalance.selector, 1 ether, 2 ether));
        submitAfterAs(CLIENT, id, "step", 2 ether, _one(parent));
        submitAfterAs(CLIENT, id, "step", 1 ether, _one(parent));
        assertEq(sessions.sessionOf(id).balanceWei, 0, "all of it is set aside");
    }

    /// @dev Parents first, in one transaction: with one step that is refused there is none at all.
    function test_aPlanIsSubmittedWholeOrNotAtAll() external {
        bytes32 parent = queue.taskIdOf(_session, "parent");
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(queue.submit, (_session, "parent", PROMPT, 64, MAX_PRICE, "plan"));
        calls[1] = abi.encodeCall(queue.submitAfter, (_session, "step", PROMPT, 64, MAX_PRICE, _one(parent), "plan"));
        calls[2] = abi.encodeCall(
            queue.submitAfter, (_session, "other", PROMPT, 64, MAX_PRICE, _one(keccak256("nothing")), "plan")
        );
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.ParentUnfit.selector, keccak256("nothing"), 0, TaskState.None)
        );
        vm.prank(CLIENT);
        queue.multicall(calls);
        assertState(parent, TaskState.None);
        calls[2] = abi.encodeCall(queue.submitAfter, (_session, "other", PROMPT, 64, MAX_PRICE, _one(parent), "plan"));
        vm.prank(CLIENT);
        queue.multicall(calls);
        assertState(queue.taskIdOf(_session, "other"), TaskState.Queued);
        assertEq(sessions.sessionOf(_session).escrowedWei, 3 * MAX_PRICE, "all three");
    }

    function test_stepsAreSubmittedAsTasksAre() external {
        bytes32[] memory parents = _one(submit(_session, "parent"));
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSubmitter.selector, _session, STRANGER));
        submitAfterAs(STRANGER, _session, "step", MAX_PRICE, parents);
        submitAfterAs(routers[1], _session, "step", MAX_PRICE, parents);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.TaskExists.selector, queue.taskIdOf(_session, "step")));
        submitAfter(_session, "step", parents);
        pauseEntries();
        vm.expectRevert(Parameters.EntriesArePaused.selector);
        submitAfter(_session, "other", parents);
    }

    function test_aBatchedSessionHasNoSteps() external {
        bytes32[] memory parents = _one(submit(_session, "parent"));
        Terms memory terms = defaultTerms();
        terms.settlement = SettlementMode.Batched;
        update(_session, terms);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.SessionBatched.selector, _session, 2));
        submitAfter(_session, "step", parents);
    }

    // ---------------------------------------------------------------- readiness

    function test_aStepIsAssignedOnceAllItsParentsAreSettled() external {
        bytes32[] memory parents = _pair("a", "b");
        bytes32 step = submitAfter(_session, "step", parents);
        for (uint256 i = 0; i < 2; ++i) {
            assignRefused(step, abi.encodeWithSelector(TaskQueueEvents.StepNotReady.selector, step, parents[i]));
            bring(parents[i], TaskState.Validated, 3, 2);
            assignRefused(step, abi.encodeWithSelector(TaskQueueEvents.StepNotReady.selector, step, parents[i]));
            settle(parents[i]);
        }
        bring(step, TaskState.Settled, 3, 2);
        assertState(step, TaskState.Settled);
        assertMoneyConserved();
    }

    /// @dev A precommit of step 0 is none of step 1: what one step binds shows nothing in another.
    function test_aPrecommitIsBoundToItsStep() external {
        bytes32 parent = taskIn(TaskState.Settled, _session, 1, 2);
        bytes32 step = submitAfter(_session, "step", _one(parent));
        assign(step, 1, 2);
        ack(step, miners[0]);
        bytes32 bound = hashOf(step, miners[0], 0);
        _stepOf[step] = 0;
        bytes32 wrong = hashOf(step, miners[0], 0);
        vm.prank(miners[0]);
        queue.precommit(step, wrong, effect());
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.PrecommitMismatch.selector, wrong, bound));
        reveal(step, miners[0]);
    }

    // ---------------------------------------------------------------- ends

    function test_aStepIsRefundedAtOnceWhereAParentIs() external {
        bytes32[] memory parents = _pair("a", "b");
        bytes32 step = submitAfter(_session, "step", parents);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoParentRefunded.selector, step));
        queue.refundStep(step, effect());
        vm.prank(CLIENT);
        queue.cancel(parents[1], effect());
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskRefunded(_session, step, MAX_PRICE, RefundReason.ParentFailed);
        vm.prank(STRANGER);
        queue.refundStep(step, "refund");
        assertEq(sessions.sessionOf(_session).escrowedWei, MAX_PRICE, "that of the other parent");
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, step, TaskState.Refunded));
        queue.refundStep(step, effect());
        assertMoneyConserved();
    }

    function test_aTaskWithoutParentsIsNoStepToRefund() external {
        bytes32 task = submit(_session, "task");
        _refunded("other");
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoParentRefunded.selector, task));
        queue.refundStep(task, effect());
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.UnknownTask.selector, bytes32("no task")));
        queue.refundStep("no task", effect());
    }

    /// @dev Nobody takes a step from miners that work on it: by then its parents are settled for good.
    function test_aStepAtWorkIsNotRefunded() external {
        bytes32 parent = taskIn(TaskState.Settled, _session, 3, 2);
        bytes32 step = submitAfter(_session, "step", _one(parent));
        assign(step, 3, 2);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, step, TaskState.Assigned));
        queue.refundStep(step, effect());
    }

    function test_aFailureGoesDownTheWholePlan() external {
        bytes32 first_ = submit(_session, "first");
        bytes32 last = first_;
        bytes32[] memory row = new bytes32[](4);
        for (uint256 i = 0; i < 4; ++i) {
            row[i] = last = submitAfter(_session, effect(), _one(last));
        }
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoParentRefunded.selector, row[1]));
        queue.refundStep(row[1], effect());
        vm.prank(CLIENT);
        queue.cancel(first_, effect());
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(STRANGER);
            queue.refundStep(row[i], effect());
        }
        assertEq(sessions.sessionOf(_session).balanceWei, DEPOSIT, "all is back");
    }

    function test_timeAloneFreesAStepWhateverItsParentsDo() external {
        bytes32 parent = submit(_session, "parent");
        bytes32 step = submitAfter(_session, "step", _one(parent));
        uint40 expireBy = queue.taskOf(step).expireBy;
        vm.warp(expireBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, step, expireBy));
        queue.expire(step, effect());
        pass(1);
        vm.prank(STRANGER);
        queue.expire(step, effect());
        assertState(step, TaskState.Refunded);
        assertState(parent, TaskState.Queued);
    }

    function test_aSessionClosesWhateverPlansHang() external {
        bytes32 parent = submit(_session, "parent");
        bytes32 step = submitAfter(_session, "step", _one(parent));
        bytes32 last = submitAfter(_session, "last", _one(step));
        vm.prank(CLIENT);
        sessions.close(_session, effect());
        vm.warp(queue.taskOf(last).expireBy + 1);
        queue.expire(last, effect());
        queue.expire(parent, effect());
        assertEq(uint256(sessions.sessionOf(_session).state), uint256(SessionState.Draining), "one is left");
        queue.refundStep(step, effect());
        assertEq(uint256(sessions.sessionOf(_session).state), uint256(SessionState.Closed), "closed");
        assertEq(sessions.totals().balanceWei + sessions.totals().escrowedWei, 0, "nothing is stuck");
    }

    function test_theOwnerCancelsAStepThatWaits() external {
        bytes32 step = submitAfter(_session, "step", _one(submit(_session, "parent")));
        vm.prank(CLIENT);
        queue.cancel(step, effect());
        assertState(step, TaskState.Refunded);
    }

    // ---------------------------------------------------------------- helpers

    function _one(bytes32 a) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = a;
    }

    function _two(bytes32 a, bytes32 b) private pure returns (bytes32[] memory list) {
        list = new bytes32[](2);
        (list[0], list[1]) = a < b ? (a, b) : (b, a);
    }

    function _pair(bytes32 a, bytes32 b) private returns (bytes32[] memory) {
        return _two(submit(_session, a), submit(_session, b));
    }

    function _refunded(bytes32 requestId) private returns (bytes32 taskId) {
        taskId = submit(_session, requestId);
        vm.prank(CLIENT);
        queue.cancel(taskId, effect());
    }

    function _submitRaw(bytes32[] memory parents) private {
        vm.prank(CLIENT);
        queue.submitAfter(_session, "raw", PROMPT, 64, MAX_PRICE, parents, effect());
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {Role, SlashReason} from "../../src/types/Node.sol";
import {Terms} from "../../src/types/Session.sol";
import {RefundReason, Slot, SlotState, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract TaskReassignTest is NetworkTest {
    uint64 private _session;

    function setUp() public override {
        super.setUp();
        _session = openSession();
    }

    // ---------------------------------------------------------------- replacing

    function test_aSilentMinerIsReplaced() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        pass(6);
        uint40 ackBy = uint40(block.timestamp) + 5;
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(oracles[1], "reassign");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.MinerReassigned(_session, taskId, miners[1], miners[4], 1, oracles[1], ackBy);
        vm.prank(oracles[1]);
        queue.reassign(taskId, miners[1], miners[4], "reassign");

        TaskRecord memory task = queue.taskOf(taskId);
        assertEq(task.slots[1].miner, miners[4], "the replacement");
        assertEq(task.slots[1].attempt, 1, "attempt");
        assertEq(task.slots[1].dueBy, ackBy, "ack by");
        assertEq(uint256(task.slots[1].state), uint256(SlotState.Assigned), "assigned");
        assertEq(task.replaced.length, 1, "remembered");
        assertEq(task.replaced[0], miners[1], "who it was");
        assertEq(task.oracle, oracles[1], "the oracle");

        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotMinerOfTask.selector, taskId, miners[1]));
        ack(taskId, miners[1]);
    }

    function test_aReplacementWorksUnderItsAttempt() external {
        bytes32 taskId = _taskIn(TaskState.Executing);
        precommit(taskId, miners[0]);
        precommit(taskId, miners[1]);
        pass(31);
        reassign(taskId, miners[2], miners[3]);
        assertState(taskId, TaskState.Executing);
        ack(taskId, miners[3]);
        precommit(taskId, miners[3], 1);
        assertState(taskId, TaskState.Precommitted);
        reveal(taskId, miners[3]);
        reveal(taskId, miners[0]);
        reveal(taskId, miners[1]);
        assertState(taskId, TaskState.Committed);
    }

    function test_nobodyIsLateBeforeTheDeadlineHasPassed() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        uint40 ackBy = queue.taskOf(taskId).slots[0].dueBy;
        vm.warp(ackBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, ackBy));
        reassign(taskId, miners[0], miners[3]);

        ack(taskId, miners[0]);
        uint40 precommitBy = queue.taskOf(taskId).slots[0].dueBy;
        vm.warp(precommitBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, precommitBy));
        reassign(taskId, miners[0], miners[3]);
        vm.warp(precommitBy + 1);
        reassign(taskId, miners[0], miners[3]);
        assertEq(queue.taskOf(taskId).slots[0].miner, miners[3], "replaced");
    }

    function test_lateButInTimeIsInTime() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        pass(100);
        for (uint256 i = 0; i < 3; ++i) {
            ack(taskId, miners[i]);
        }
        pass(100);
        for (uint256 i = 0; i < 3; ++i) {
            precommit(taskId, miners[i]);
        }
        pass(100);
        for (uint256 i = 0; i < 3; ++i) {
            reveal(taskId, miners[i]);
        }
        pass(100);
        attest(taskId, validators[0], first(miners, 3));
        attest(taskId, validators[1], first(miners, 3));
        assertState(taskId, TaskState.Validated);
    }

    function test_onlyAnActiveOracleReassignsInTheGracePeriod() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        uint40 graceBy = queue.taskOf(taskId).slots[0].dueBy + GRACE;
        vm.warp(graceBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, graceBy));
        vm.prank(routers[0]);
        queue.reassign(taskId, miners[0], address(0), effect());
        vm.prank(oracles[0]);
        registry.setActive(false, effect());
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, graceBy));
        reassign(taskId, miners[0], miners[3]);
    }

    function test_afterTheGracePeriodAnyoneHasALateMinerDropped() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        vm.warp(queue.taskOf(taskId).slots[0].dueBy + GRACE + 1);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotAnOracle.selector, taskId, STRANGER));
        vm.prank(STRANGER);
        queue.reassign(taskId, miners[0], miners[3], effect());
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.MinerReassigned(_session, taskId, miners[0], address(0), 0, STRANGER, 0);
        vm.prank(STRANGER);
        queue.reassign(taskId, miners[0], address(0), effect());
        TaskRecord memory task = queue.taskOf(taskId);
        assertEq(uint256(task.slots[0].state), uint256(SlotState.Dropped), "dropped");
        assertEq(task.oracle, address(0), "and nobody is paid for it");
    }

    function test_afterTheGracePeriodAnyoneHasAnUnrevealedMinerSlashed() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        reveal(taskId, miners[0]);
        reveal(taskId, miners[1]);
        vm.warp(queue.taskOf(taskId).phaseBy + GRACE + 1);
        vm.prank(STRANGER);
        queue.reassign(taskId, miners[2], address(0), effect());
        assertState(taskId, TaskState.Committed);
        assertEq(registry.totals().slashedWei, 20 ether, "slashed");
    }

    function test_aReplacementIsAnActiveMiner() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        pass(6);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeNotActive.selector, validators[0], Role.Miner));
        reassign(taskId, miners[0], validators[0]);
    }

    function test_aReplacementIsNewToTheTask() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        pass(6);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerSeenBefore.selector, taskId, miners[1]));
        reassign(taskId, miners[0], miners[1]);
        reassign(taskId, miners[0], miners[3]);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerSeenBefore.selector, taskId, miners[0]));
        reassign(taskId, miners[1], miners[0]);
        reassign(taskId, miners[1], address(0));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerSeenBefore.selector, taskId, miners[1]));
        reassign(taskId, miners[2], miners[1]);
    }

    function test_aReplacementIsDedicatedToo() external {
        _session = openDedicated(defaultTerms(), first(miners, 4));
        bytes32 taskId = _taskIn(TaskState.Assigned);
        pass(6);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerNotDedicated.selector, _session, miners[4]));
        reassign(taskId, miners[0], miners[4]);
        reassign(taskId, miners[0], miners[3]);
        assertEq(queue.taskOf(taskId).slots[0].miner, miners[3], "one of the list");
    }

    function test_onlyMinersOfTheTaskLoseASlot() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        pass(6);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotMinerOfTask.selector, taskId, miners[5]));
        reassign(taskId, miners[5], miners[3]);
    }

    function test_whoHasPrecommittedKeepsItsSlot() external {
        bytes32 taskId = _taskIn(TaskState.Executing);
        precommit(taskId, miners[0]);
        pass(100);
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[0], SlotState.Precommitted)
        );
        reassign(taskId, miners[0], miners[3]);
    }

    function test_thereAreStatesForReassigning() external {
        bytes32 taskId = taskIn(TaskState.Queued, _session, 3, 2);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Queued));
        reassign(taskId, miners[0], miners[3]);
        taskId = _taskIn(TaskState.Committed);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Committed));
        reassign(taskId, miners[0], miners[3]);
    }

    // ---------------------------------------------------------------- dropping

    function test_withoutAReplacementTheSlotIsDropped() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        pass(6);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.MinerReassigned(_session, taskId, miners[0], address(0), 0, oracles[0], 0);
        reassign(taskId, miners[0], address(0));
        assertEq(uint256(queue.taskOf(taskId).slots[0].state), uint256(SlotState.Dropped), "dropped");
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[0], SlotState.Dropped)
        );
        ack(taskId, miners[0]);
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[0], SlotState.Dropped)
        );
        reassign(taskId, miners[0], address(0));
    }

    function test_aSlotGoesToFiveOthersAtMost() external {
        Terms memory terms = defaultTerms();
        terms.redundancy = 1;
        bytes32 taskId = taskIn(TaskState.Assigned, openSession(terms), 1, 2);
        for (uint256 i = 0; i < 5; ++i) {
            pass(6);
            reassign(taskId, miners[i], miners[i + 1]);
        }
        assertEq(queue.taskOf(taskId).slots[0].attempt, 5, "the last attempt");
        address fresh = account("fresh");
        join(fresh, Role.Miner, STAKE);
        pass(6);
        reassign(taskId, miners[5], fresh);
        assertState(taskId, TaskState.Refunded);
    }

    function test_droppingTheLastMissingCompletesThePrecommits() external {
        bytes32 taskId = _taskIn(TaskState.Executing);
        precommit(taskId, miners[0]);
        precommit(taskId, miners[1]);
        pass(31);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.AllPrecommitted(_session, taskId, uint40(block.timestamp) + 10);
        reassign(taskId, miners[2], address(0));
        assertState(taskId, TaskState.Precommitted);
    }

    function test_withoutAnySlotLeftTheTaskIsRefunded() external {
        bytes32 taskId = _taskIn(TaskState.Assigned);
        pass(6);
        reassign(taskId, miners[0], address(0));
        reassign(taskId, miners[1], address(0));
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskRefunded(_session, taskId, MAX_PRICE, RefundReason.Exhausted);
        reassign(taskId, miners[2], address(0));
        assertState(taskId, TaskState.Refunded);
        assertEq(sessions.sessionOf(_session).balanceWei, DEPOSIT, "all of it");
        assertMoneyConserved();
    }

    // ---------------------------------------------------------------- the reveal phase

    function test_whoDoesNotRevealIsDroppedAndSlashed() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        reveal(taskId, miners[0]);
        uint40 revealBy = queue.taskOf(taskId).phaseBy;
        vm.warp(revealBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, revealBy));
        reassign(taskId, miners[1], address(0));

        vm.warp(revealBy + 1);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.MinerReassigned(_session, taskId, miners[1], address(0), 0, oracles[0], 0);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.StakeSlashed(miners[1], taskId, 20 ether, SlashReason.Unrevealed);
        reassign(taskId, miners[1], miners[4]);
        assertState(taskId, TaskState.Precommitted);
        assertEq(registry.nodeOf(miners[1]).stakeWei, STAKE - 20 ether, "slashed");

        vm.expectEmit(address(queue));
        emit TaskQueueEvents.AllRevealed(_session, taskId, uint40(block.timestamp) + 20);
        reassign(taskId, miners[2], address(0));
        assertState(taskId, TaskState.Committed);
        assertMoneyConserved();
    }

    function test_whoHasRevealedKeepsItsSlot() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        reveal(taskId, miners[0]);
        pass(100);
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.WrongSlotState.selector, taskId, miners[0], SlotState.Revealed)
        );
        reassign(taskId, miners[0], address(0));
    }

    function test_ifNobodyRevealsTheTaskIsRefundedAndAllAreSlashed() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        pass(11);
        for (uint256 i = 0; i < 3; ++i) {
            reassign(taskId, miners[i], address(0));
        }
        assertState(taskId, TaskState.Refunded);
        assertEq(registry.totals().slashedWei, 60 ether, "slashed");
        assertMoneyConserved();
    }

    function _taskIn(TaskState state) private returns (bytes32) {
        return taskIn(state, _session, 3, 2);
    }
}

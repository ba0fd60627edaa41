// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {SlashReason} from "../../src/types/Node.sol";
import {Payment, Share, Terms} from "../../src/types/Session.sol";
import {RefundReason, TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice settle, cancel, expire.
contract TaskEndTest is NetworkTest {
    /// @dev 100 prompt tokens and 50 output tokens.
    uint128 private constant PRICE = 100 * PROMPT_TOKEN + 50 * OUTPUT_TOKEN;

    uint64 private _session;

    function setUp() public override {
        super.setUp();
        _session = openSession();
    }

    // ---------------------------------------------------------------- settle

    function test_settlingPaysEverybodyAndReturnsTheRest() external {
        bytes32 taskId = _taskIn(TaskState.Validated);
        Payment[] memory payments = new Payment[](7);
        for (uint256 i = 0; i < 3; ++i) {
            payments[i] = Payment(miners[i], Share.Miner, (PRICE * 8) / 30);
        }
        for (uint256 i = 0; i < 2; ++i) {
            payments[3 + i] = Payment(validators[i], Share.Validator, (PRICE * 8) / 200);
        }
        payments[5] = Payment(routers[0], Share.Router, (PRICE * 7) / 100);
        payments[6] = Payment(TREASURY, Share.Treasury, (PRICE * 5) / 100);

        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(STRANGER, "settle");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskSettled(_session, taskId, PRICE, MAX_PRICE - PRICE, payments, "manifest");
        vm.prank(STRANGER);
        queue.settle(taskId, "manifest", "settle");

        assertState(taskId, TaskState.Settled);
        for (uint256 i = 0; i < 7; ++i) {
            assertEq(sessions.earningsOf(payments[i].to), payments[i].amountWei, "earned");
        }
        assertEq(sessions.sessionOf(_session).balanceWei, DEPOSIT - PRICE, "the rest is back");
        assertEq(sessions.totals().paidWei, PRICE, "paid");
        assertEq(registry.totals().slashedWei, 0, "nobody was slashed");
        assertMoneyConserved();
    }

    function test_aTaskIsSettledOnce() external {
        bytes32 taskId = _taskIn(TaskState.Settled);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Settled));
        settle(taskId);
        assertEq(sessions.totals().paidWei, PRICE, "paid once");
    }

    function test_onlyAValidatedTaskIsSettled() external {
        bytes32 taskId = _taskIn(TaskState.Committed);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Committed));
        settle(taskId);
    }

    function test_outliersAreSlashedAndUnpaid() external {
        bytes32 taskId = _taskIn(TaskState.Committed);
        attest(taskId, validators[0], pair(miners[0], miners[2]));
        attest(taskId, validators[1], pair(miners[0], miners[2]));
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.StakeSlashed(miners[1], taskId, 10 ether, SlashReason.Outlier);
        settle(taskId);
        assertEq(sessions.earningsOf(miners[1]), 0, "unpaid");
        assertEq(sessions.earningsOf(miners[0]), (PRICE * 4) / 10, "the others share");
        assertEq(registry.nodeOf(miners[1]).stakeWei, STAKE - 10 ether, "slashed");
        assertMoneyConserved();
    }

    function test_onlyValidatorsOfTheOutcomeArePaid() external {
        bytes32 taskId = _taskIn(TaskState.Committed);
        attest(taskId, validators[1], only(miners[1]));
        attest(taskId, validators[0], first(miners, 3));
        settle(taskId);
        assertEq(sessions.earningsOf(validators[0]), (PRICE * 8) / 100, "the whole share");
        assertEq(sessions.earningsOf(validators[1]), 0, "nothing");
        assertMoneyConserved();
    }

    function test_aDroppedMinerIsNoOutlier() external {
        bytes32 taskId = _taskIn(TaskState.Executing);
        precommit(taskId, miners[0]);
        precommit(taskId, miners[1]);
        pass(31);
        reassign(taskId, miners[2], address(0));
        reveal(taskId, miners[0]);
        reveal(taskId, miners[1]);
        attest(taskId, validators[0], first(miners, 2));
        attest(taskId, validators[1], first(miners, 2));
        settle(taskId);
        assertEq(registry.nodeOf(miners[2]).stakeWei, STAKE, "late is not false");
        assertEq(sessions.earningsOf(oracles[0]), (PRICE * 2) / 100, "the oracle is paid");
        assertEq(sessions.earningsOf(TREASURY), (PRICE * 3) / 100, "the treasury gets less");
        assertMoneyConserved();
    }

    function test_thePriceIsAtMostTheEscrow() external {
        bytes32 taskId = _taskIn(TaskState.Committed);
        for (uint256 i = 0; i < 2; ++i) {
            attest(taskId, validators[i], first(miners, 3), type(uint32).max, type(uint32).max);
        }
        settle(taskId);
        assertEq(sessions.totals().paidWei, MAX_PRICE, "the escrow and no more");
        assertMoneyConserved();
    }

    function test_nothingDeliveredIsNothingPaid() external {
        bytes32 taskId = _taskIn(TaskState.Committed);
        for (uint256 i = 0; i < 2; ++i) {
            attest(taskId, validators[i], first(miners, 3), 0, 0);
        }
        settle(taskId);
        assertEq(sessions.totals().paidWei, 0, "nothing");
        assertEq(sessions.sessionOf(_session).balanceWei, DEPOSIT, "all of it is back");
        assertMoneyConserved();
    }

    function test_atLevelZeroThePriceIsTheEscrow() external {
        Terms memory terms = defaultTerms();
        (terms.level, terms.validators) = (0, 0);
        _session = openSession(terms);
        bytes32 taskId = taskIn(TaskState.Precommitted, _session, 2, 0);
        reveal(taskId, miners[0]);
        pass(11);
        reassign(taskId, miners[1], address(0));
        settle(taskId);
        assertEq(sessions.earningsOf(miners[0]), (MAX_PRICE * 8) / 10, "the one who revealed");
        assertEq(sessions.earningsOf(miners[1]), 0, "not the other");
        assertEq(sessions.earningsOf(TREASURY), (MAX_PRICE * 11) / 100, "with the validators' part");
        assertEq(registry.totals().slashedWei, 20 ether, "slashed for silence, not as an outlier");
        assertMoneyConserved();
    }

    // ---------------------------------------------------------------- cancel

    function test_aTaskIsCancelledBeforeAllAreBound() external {
        TaskState[3] memory states = [TaskState.Queued, TaskState.Assigned, TaskState.Executing];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 taskId = _taskIn(states[i]);
            vm.expectEmit(address(queue));
            emit EffectLog.EffectApplied(CLIENT, bytes32(i));
            vm.expectEmit(address(queue));
            emit TaskQueueEvents.TaskRefunded(_session, taskId, MAX_PRICE, RefundReason.Cancelled);
            vm.prank(CLIENT);
            queue.cancel(taskId, bytes32(i));
            assertState(taskId, TaskState.Refunded);
        }
        assertEq(sessions.sessionOf(_session).balanceWei, DEPOSIT, "all of it is back");
        assertMoneyConserved();
    }

    function test_aRouterOfTheSessionMayCancel() external {
        bytes32 taskId = _taskIn(TaskState.Queued);
        vm.prank(routers[1]);
        queue.cancel(taskId, effect());
        assertState(taskId, TaskState.Refunded);
    }

    function test_othersMayNotCancel() external {
        bytes32 taskId = _taskIn(TaskState.Queued);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotOwnerOrRouter.selector, _session, STRANGER));
        vm.prank(STRANGER);
        queue.cancel(taskId, effect());
    }

    function test_boundMinersCannotBeCancelled() external {
        TaskState[3] memory states = [TaskState.Precommitted, TaskState.Committed, TaskState.Settled];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 taskId = _taskIn(states[i]);
            vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, states[i]));
            vm.prank(CLIENT);
            queue.cancel(taskId, effect());
        }
    }

    function test_aTaskIsRefundedOnce() external {
        bytes32 taskId = _taskIn(TaskState.Queued);
        vm.prank(CLIENT);
        queue.cancel(taskId, effect());
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Refunded));
        vm.prank(CLIENT);
        queue.cancel(taskId, effect());
    }

    // ---------------------------------------------------------------- expire

    function test_aTaskThatFoundNoMinersExpires() external {
        bytes32 taskId = _taskIn(TaskState.Queued);
        uint40 expireBy = queue.taskOf(taskId).expireBy;
        vm.warp(expireBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, expireBy));
        queue.expire(taskId, effect());
        vm.warp(expireBy + 1);
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(STRANGER, "expire");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskRefunded(_session, taskId, MAX_PRICE, RefundReason.Expired);
        vm.prank(STRANGER);
        queue.expire(taskId, "expire");
        assertState(taskId, TaskState.Refunded);
        assertMoneyConserved();
    }

    function test_aTaskThatEverybodyLeftExpires() external {
        bytes32 assigned = _taskIn(TaskState.Assigned);
        bytes32 executing = _taskIn(TaskState.Executing);
        precommit(executing, miners[0]);
        vm.warp(queue.taskOf(executing).expireBy + 1);
        queue.expire(assigned, effect());
        queue.expire(executing, effect());
        assertState(assigned, TaskState.Refunded);
        assertState(executing, TaskState.Refunded);
        assertEq(registry.totals().slashedWei, 0, "late is not false");
    }

    function test_whoRevealedIsNotRobbedBySilentOracles() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        reveal(taskId, miners[0]);
        vm.warp(queue.taskOf(taskId).expireBy + 1);
        queue.expire(taskId, effect());
        assertState(taskId, TaskState.Committed);
        assertEq(registry.totals().slashedWei, 40 ether, "the two others");
        attest(taskId, validators[0], only(miners[0]));
        attest(taskId, validators[1], only(miners[0]));
        settle(taskId);
        assertEq(sessions.earningsOf(miners[0]), (PRICE * 8) / 10, "paid");
        assertMoneyConserved();
    }

    function test_ifNobodyRevealedExpiringRefunds() external {
        bytes32 taskId = _taskIn(TaskState.Precommitted);
        vm.warp(queue.taskOf(taskId).expireBy + 1);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskRefunded(_session, taskId, MAX_PRICE, RefundReason.Exhausted);
        queue.expire(taskId, effect());
        assertEq(registry.totals().slashedWei, 60 ether, "all three");
        assertMoneyConserved();
    }

    function test_aDecidedTaskDoesNotExpire() external {
        TaskState[3] memory states = [TaskState.Committed, TaskState.Validated, TaskState.Settled];
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 taskId = _taskIn(states[i]);
            pass(1 days);
            vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, states[i]));
            queue.expire(taskId, effect());
        }
    }

    function _taskIn(TaskState state) private returns (bytes32) {
        return taskIn(state, _session, 3, 2);
    }
}

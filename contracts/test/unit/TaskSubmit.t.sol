// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {Terms} from "../../src/types/Session.sol";
import {
    CarriedAttestation,
    CarriedPrecommit,
    CarriedReveal,
    Outcome,
    Scheme,
    Signature,
    TaskRecord,
    TaskState
} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract TaskSubmitTest is NetworkTest {
    function test_submittingEscrowsTheHighestPrice() external {
        uint64 id = openSession();
        bytes32 taskId = queue.taskIdOf(id, REQUEST);
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(CLIENT, "submit");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.TaskSubmitted(id, taskId, REQUEST, CLIENT, PROMPT, 64, 2 ether);
        vm.prank(CLIENT);
        assertEq(queue.submit(id, REQUEST, PROMPT, 64, 2 ether, "submit"), taskId, "the id was known before");

        TaskRecord memory task = queue.taskOf(taskId);
        assertEq(task.sessionId, id, "session");
        assertEq(uint256(task.state), uint256(TaskState.Queued), "queued");
        assertEq(task.escrowWei, 2 ether, "escrow");
        assertEq(task.submittedBlock, block.number, "block");
        assertEq(task.expireBy, block.timestamp + 60, "waits for its miners");
        assertEq(task.slots.length, 0, "has none yet");
        assertMoneyConserved();
    }

    function test_theIdIsWhatTheOffChainSideComputes() external view {
        assertEq(queue.taskIdOf(7, REQUEST), keccak256(abi.encode(uint256(7), REQUEST)), "two words");
    }

    function test_aListedRouterSubmitsWhereItMay() external {
        uint64 id = openSession();
        vm.prank(routers[1]);
        bytes32 taskId = queue.submit(id, REQUEST, PROMPT, 64, MAX_PRICE, effect());
        assertState(taskId, TaskState.Queued);
    }

    function test_aRequestIsSubmittedOnce() external {
        uint64 id = openSession();
        bytes32 taskId = submit(id);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.TaskExists.selector, taskId));
        submit(id);
        vm.prank(CLIENT);
        queue.cancel(taskId, effect());
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.TaskExists.selector, taskId));
        submit(id);
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT, "nothing is in escrow");
    }

    function test_aShortBalanceSubmitsNothing() external {
        Terms memory terms = defaultTerms();
        terms.maxTaskPriceWei = DEPOSIT;
        uint64 id = openSession(terms);
        vm.prank(CLIENT);
        queue.submit(id, "first", PROMPT, 64, DEPOSIT - 1, effect());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.InsufficientBalance.selector, 1, MAX_PRICE));
        submit(id, "second");
        assertState(queue.taskIdOf(id, "second"), TaskState.None);
    }

    function test_strangersSubmitNothing() external {
        uint64 id = openSession();
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSubmitter.selector, id, STRANGER));
        vm.prank(STRANGER);
        queue.submit(id, REQUEST, PROMPT, 64, MAX_PRICE, effect());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.UnknownSession.selector, id + 1));
        submit(id + 1);
    }

    function test_anUnknownTaskIsUnknownToEveryCall() external {
        bytes memory refusal = abi.encodeWithSelector(TaskQueueEvents.UnknownTask.selector, bytes32("no task"));
        vm.expectRevert(refusal);
        queue.assign("no task", drawOf(Scheme.Drawn, nobody(), nobody()), new Signature[](0), effect());
        vm.expectRevert(refusal);
        queue.precommitMany("no task", new CarriedPrecommit[](0), effect());
        vm.expectRevert(refusal);
        queue.revealMany("no task", new CarriedReveal[](0), effect());
        vm.expectRevert(refusal);
        queue.attestMany("no task", Outcome(0, 0, 0, 0), new CarriedAttestation[](0), effect());
        vm.expectRevert(refusal);
        queue.settleWith("no task", Outcome(0, 0, 0, 0), new CarriedAttestation[](0), 0, effect());
        vm.expectRevert(refusal);
        queue.ack("no task", effect());
        vm.expectRevert(refusal);
        queue.precommit("no task", 0, effect());
        vm.expectRevert(refusal);
        queue.reveal("no task", 0, 0, 0, effect());
        vm.expectRevert(refusal);
        queue.reassign("no task", miners[0], miners[1], effect());
        vm.expectRevert(refusal);
        queue.attest("no task", miners[0], only(miners[0]), 0, 0, 0, effect());
        vm.expectRevert(refusal);
        queue.resolve("no task", effect());
        vm.expectRevert(refusal);
        queue.settle("no task", 0, effect());
        vm.expectRevert(refusal);
        queue.cancel("no task", effect());
        vm.expectRevert(refusal);
        queue.expire("no task", effect());
        assertState("no task", TaskState.None);
    }
}

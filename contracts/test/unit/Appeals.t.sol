// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppealEvents} from "../../src/AppealEvents.sol";
import {Appeals} from "../../src/Appeals.sol";
import {EffectLog} from "../../src/EffectLog.sol";
import {TaskQueue} from "../../src/TaskQueue.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {AppealRecord, AppealState} from "../../src/types/Appeal.sol";
import {Terms} from "../../src/types/Session.sol";
import {Amendment, CarriedAttestation, Finality, Outcome, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {AppealTest} from "../base/AppealTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice The window, who may appeal, and what an appeal begins with.
contract AppealsTest is AppealTest {
    // ---------------------------------------------------------------- the window

    function test_aWindowOpensWithTheOutcome() external {
        bytes32 taskId = taskIn(TaskState.Committed, session, 3, 2);
        attest(taskId, validators[0], first(miners, 3));
        assertEq(uint256(queue.taskOf(taskId).finality), uint256(Finality.Appealable), "it will be");
        uint40 appealBy = uint40(block.timestamp) + WINDOW;
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.ResultValidated(session, taskId, miners[0], first(miners, 3), 100, 50, "report");
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.OutcomeAppealable(session, taskId, appealBy);
        attest(taskId, validators[1], first(miners, 3));
        TaskRecord memory task = queue.taskOf(taskId);
        assertEq(task.phaseBy, appealBy, "appeal by");
        assertEq(uint256(task.finality), uint256(Finality.Appealable), "appealable");
    }

    function test_aTaskIsSettledAfterItsWindow() external {
        bytes32 taskId = wronged();
        uint40 appealBy = uint40(block.timestamp) + WINDOW;
        vm.warp(appealBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, appealBy));
        queue.settle(taskId, "manifest", effect());
        vm.warp(appealBy + 1);
        settle(taskId);
        assertState(taskId, TaskState.Settled);
    }

    function test_nobodySettlesWithTheAttestations() external {
        bytes32 taskId = taskIn(TaskState.Committed, session, 3, 2);
        Outcome memory outcome = Outcome(0, 7, 100, 50);
        CarriedAttestation[] memory carried = carriedAttestations(taskId, outcome, first(validators, 2));
        uint40 appealBy = uint40(block.timestamp) + WINDOW;
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, appealBy));
        queue.settleWith(taskId, outcome, carried, "manifest", effect());
        queue.attestMany(taskId, outcome, carried, effect());
        assertEq(queue.taskOf(taskId).phaseBy, appealBy, "the window is open all the same");
    }

    function test_aResolvedTaskHasItsWindowToo() external {
        bytes32 taskId = taskIn(TaskState.Committed, session, 3, 2);
        attest(taskId, validators[0], only(miners[0]));
        vm.warp(queue.taskOf(taskId).phaseBy + 1);
        queue.resolve(taskId, effect());
        assertEq(queue.taskOf(taskId).phaseBy, block.timestamp + WINDOW, "appeal by");
        appealAs(CLIENT, taskId);
        assertAppeal(taskId, AppealState.Open);
    }

    function test_withoutAWindowNothingChanges() external {
        bytes32 taskId = taskIn(TaskState.Validated);
        assertEq(uint256(queue.taskOf(taskId).finality), uint256(Finality.Immediate), "at once");
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.NotAppealable.selector, taskId));
        vm.prank(CLIENT);
        appeals.appeal(taskId, effect());
        settle(taskId);
    }

    // ---------------------------------------------------------------- who may

    function test_theOwnerAppeals() external {
        bytes32 taskId = wronged();
        uint256 before = cor.balanceOf(CLIENT);
        uint40 drawBy = uint40(block.timestamp) + 10;
        vm.expectEmit(address(appeals));
        emit EffectLog.EffectApplied(CLIENT, "appeal");
        vm.expectEmit(address(appeals));
        emit AppealEvents.OutcomeAppealed(
            session, taskId, CLIENT, BOND, uint40(block.number) + 1, 5, drawBy, drawBy + 20
        );
        vm.prank(CLIENT);
        appeals.appeal(taskId, "appeal");
        AppealRecord memory made = recordOf(taskId);
        assertEq(uint256(made.state), uint256(AppealState.Open), "open");
        assertEq(made.appellant, CLIENT, "appellant");
        assertEq(made.bondWei, BOND, "bond");
        assertEq(made.sessionId, session, "session");
        assertEq(made.wanted, 5, "twice the validators and one");
        assertEq(made.needed, 3, "more than half");
        assertEq(made.beaconBlock, block.number + 1, "beacon block");
        assertEq(made.drawBy, drawBy, "draw by");
        assertEq(made.attestBy, drawBy + 20, "attest by");
        assertEq(made.validators.length + made.opinions.length, 0, "nothing yet");
        assertEq(before - cor.balanceOf(CLIENT), BOND, "the bond is paid");
        assertEq(appeals.totals().heldWei, BOND, "and held");
        TaskRecord memory task = queue.taskOf(taskId);
        assertEq(task.phaseBy, drawBy + 20, "held until then");
        assertEq(uint256(task.finality), uint256(Finality.Appealed), "appealed");
        assertEq(task.outcome.honest, 1, "what was found stands so far");
        assertMoneyConserved();
    }

    function test_anOutlierAppeals() external {
        bytes32 taskId = wronged();
        appealAs(miners[2], taskId);
        assertEq(recordOf(taskId).appellant, miners[2], "the outlier");
    }

    function test_aValidatorThatFoundSomethingElseAppeals() external {
        _three();
        bytes32 taskId = taskIn(TaskState.Committed, session, 3, 3);
        fund(validators[2], BOND);
        attest(taskId, validators[2], pair(miners[1], miners[2]));
        attest(taskId, validators[0], only(miners[0]));
        attest(taskId, validators[1], only(miners[0]));
        _refusesParty(taskId, validators[0]);
        appealAs(validators[2], taskId);
    }

    function test_aValidatorThatWasNotHeardAppeals() external {
        _three();
        bytes32 taskId = taskIn(TaskState.Committed, session, 3, 3);
        fund(validators[2], BOND);
        attest(taskId, validators[0], only(miners[0]));
        attest(taskId, validators[1], only(miners[0]));
        appealAs(validators[2], taskId);
    }

    function test_nobodyElseAppeals() external {
        bytes32 taskId = wronged();
        _refusesParty(taskId, STRANGER);
        _refusesParty(taskId, routers[0]);
        _refusesParty(taskId, miners[0]);
        _refusesParty(taskId, miners[3]);
        _refusesParty(taskId, validators[0]);
        _refusesParty(taskId, judges[0]);
    }

    function test_aMinerThatShowedNothingDoesNotAppeal() external {
        bytes32 taskId = taskIn(TaskState.Precommitted, session, 3, 2);
        reveal(taskId, miners[0]);
        reveal(taskId, miners[1]);
        vm.warp(queue.taskOf(taskId).phaseBy + 1);
        reassign(taskId, miners[2], address(0));
        attest(taskId, validators[0], only(miners[0]));
        attest(taskId, validators[1], only(miners[0]));
        _refusesParty(taskId, miners[2]);
        appealAs(miners[1], taskId);
    }

    function test_theNewOwnerOfASessionAppeals() external {
        bytes32 taskId = wronged();
        fund(STRANGER, BOND);
        vm.prank(CLIENT);
        sessions.offerSession(session, STRANGER, effect());
        vm.prank(STRANGER);
        sessions.acceptSession(session, effect());
        _refusesParty(taskId, CLIENT);
        appealAs(STRANGER, taskId);
    }

    function test_anAppealComesInTime() external {
        bytes32 taskId = wronged();
        uint40 appealBy = queue.taskOf(taskId).phaseBy;
        vm.warp(appealBy + 1);
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.AppealTooLate.selector, taskId, appealBy));
        vm.prank(CLIENT);
        appeals.appeal(taskId, effect());
        vm.warp(appealBy);
        appealAs(CLIENT, taskId);
    }

    function test_aTaskIsAppealedOnce() external {
        bytes32 taskId = wronged();
        appealAs(miners[1], taskId);
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.AlreadyAppealed.selector, taskId, miners[1]));
        vm.prank(CLIENT);
        appeals.appeal(taskId, effect());
        vm.warp(recordOf(taskId).attestBy + 1);
        appeals.end(taskId, effect());
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.AlreadyAppealed.selector, taskId, miners[1]));
        vm.prank(CLIENT);
        appeals.appeal(taskId, effect());
    }

    function test_onlyWhatIsValidatedIsAppealed() external {
        bytes32 committed = taskIn(TaskState.Committed, session, 3, 2);
        bytes32 settled = wronged();
        vm.warp(block.timestamp + WINDOW + 1);
        settle(settled);
        bytes32[3] memory tasks = [committed, settled, bytes32("unknown")];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(AppealEvents.NotAppealable.selector, tasks[i]));
            vm.prank(CLIENT);
            appeals.appeal(tasks[i], effect());
        }
    }

    /// @dev A bond that is not approved is none.
    function test_anAppealNeedsItsBond() external {
        bytes32 taskId = wronged();
        vm.prank(CLIENT);
        cor.approve(address(appeals), BOND - 1);
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        vm.prank(CLIENT);
        appeals.appeal(taskId, effect());
        assertEq(uint256(queue.taskOf(taskId).finality), uint256(Finality.Appealable), "nothing happened");
    }

    function test_anAppealIsPossibleWhileEntriesArePaused() external {
        bytes32 taskId = wronged();
        pauseEntries();
        appealAs(CLIENT, taskId);
        nominate(taskId, judges);
        vm.warp(recordOf(taskId).drawBy + 1);
        attestOnAppeal(taskId, truth(), 0, 3);
        settle(taskId);
        vm.prank(CLIENT);
        appeals.withdraw(effect());
    }

    // ---------------------------------------------------------------- bound once

    function test_theQueueIsNamedOnceByTheDeployer() external {
        Appeals other = new Appeals(registry);
        vm.expectRevert(AppealEvents.QueueNotBindable.selector);
        other.bindQueue(TaskQueue(address(0)));
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.NotDeployer.selector, STRANGER));
        vm.prank(STRANGER);
        other.bindQueue(queue);
        other.bindQueue(queue);
        assertEq(address(other.queue()), address(queue), "bound");
        vm.expectRevert(AppealEvents.QueueNotBindable.selector);
        other.bindQueue(queue);
    }

    function test_onlyTheAppealsAmend() external {
        bytes32 taskId = wronged();
        Amendment memory amendment = Amendment(Finality.Ruled, 0, 1, 6, 0, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotTheAppeals.selector, CLIENT));
        vm.prank(CLIENT);
        queue.amend(taskId, amendment);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.UnknownTask.selector, bytes32("none")));
        vm.prank(address(appeals));
        queue.amend("none", amendment);
        vm.warp(block.timestamp + WINDOW + 1);
        settle(taskId);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Settled));
        vm.prank(address(appeals));
        queue.amend(taskId, amendment);
        assertEq(queue.APPEALS(), address(appeals), "and they are these");
    }

    // ---------------------------------------------------------------- in short

    /// @dev From now on the session has three validators.
    function _three() private {
        Terms memory terms = appealable();
        terms.validators = 3;
        session = openSession(terms);
    }

    function _refusesParty(bytes32 taskId, address account_) private {
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.NotAParty.selector, taskId, account_));
        vm.prank(account_);
        appeals.appeal(taskId, effect());
    }
}

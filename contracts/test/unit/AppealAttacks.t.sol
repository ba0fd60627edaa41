// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppealEvents} from "../../src/AppealEvents.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {AppealState} from "../../src/types/Appeal.sol";
import {CarriedAttestation, Outcome, Signature, TaskState} from "../../src/types/Task.sol";
import {AppealTest} from "../base/AppealTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice Each test tries what an appeal must not let anybody do.
contract AppealAttacksTest is AppealTest {
    // ---------------------------------------------------------------- signatures

    function test_aWordOfTheFirstRoundIsNoneOfTheSecond() external {
        bytes32 taskId = heard();
        address node = drawnOf(taskId)[0];
        bytes32 first_ = attestation(taskId, truth(), "second report");
        _refusesWord(taskId, node, signedBy(node, first_));
        _refusesWord(taskId, node, signedOnAppeal(node, first_));
        _refusesWord(taskId, node, signedBy(node, appealAttestation(taskId, truth(), "second report")));
    }

    function test_aWordOfTheSecondRoundIsNoneOfTheFirst() external {
        bytes32 taskId = taskIn(TaskState.Committed, session, 3, 2);
        Outcome memory outcome = lie();
        CarriedAttestation[] memory carried = new CarriedAttestation[](1);
        bytes32 message = appealAttestation(taskId, outcome, "report");
        carried[0] = CarriedAttestation(0, "report", signedOnAppeal(validators[0], message));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.BadSignature.selector, taskId, validators[0]));
        queue.attestMany(taskId, outcome, carried, effect());
    }

    function test_aWordIsOfOneChainAndOneContract() external {
        bytes32 taskId = heard();
        address node = drawnOf(taskId)[0];
        bytes32 message = appealAttestation(taskId, truth(), "second report");
        uint256 chain = block.chainid;
        _refusesWord(taskId, node, signedUnder(node, message, "pouw Appeals", address(appeals), chain + 1));
        _refusesWord(taskId, node, signedUnder(node, message, "pouw Appeals", address(queue), chain));
        _refusesWord(taskId, node, signedUnder(node, message, "pouw TaskQueue", address(appeals), chain));
    }

    function test_aWordIsOfOneTask() external {
        bytes32 taskId = heard();
        bytes32 other = heard();
        address node = drawnOf(other)[0];
        bytes32 message = appealAttestation(taskId, truth(), "second report");
        _refusesWord(other, node, signedOnAppeal(node, message));
    }

    function test_aWordBindsEveryWord() external {
        bytes32 taskId = heard();
        address node = drawnOf(taskId)[0];
        Outcome[4] memory others = [truth(), truth(), truth(), truth()];
        (others[0].winner, others[1].honest) = (2, 7);
        (others[2].promptTokens, others[3].outputTokens) = (101, 41);
        for (uint256 i = 0; i < 4; ++i) {
            _refusesWord(taskId, node, signedOnAppeal(node, appealAttestation(taskId, others[i], "second report")));
        }
        _refusesWord(taskId, node, signedOnAppeal(node, appealAttestation(taskId, truth(), "report")));
    }

    function test_theOtherFormOfASignatureIsRefused() external {
        bytes32 taskId = heard();
        address node = drawnOf(taskId)[0];
        Signature memory good = signedOnAppeal(node, appealAttestation(taskId, truth(), "second report"));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        uint256 s = uint256(good.vs) & ~(uint256(1) << 255);
        _refusesWord(taskId, node, Signature(good.r, bytes32((order - s) | ((uint256(good.vs) >> 255 ^ 1) << 255))));
        _refusesWord(taskId, node, Signature(0, 0));
    }

    function test_aValidatorCountsOnce() external {
        bytes32 taskId = heard();
        address node = drawnOf(taskId)[1];
        attestOnAppeal(taskId, truth(), 1, 1);
        bytes memory refused = abi.encodeWithSelector(TaskQueueEvents.AlreadyAttested.selector, taskId, node);
        CarriedAttestation[] memory again = words(taskId, truth(), 1, 1);
        vm.expectRevert(refused);
        appeals.attestMany(taskId, truth(), again, effect());
        again = words(taskId, lie(), 1, 1);
        vm.expectRevert(refused);
        appeals.attestMany(taskId, lie(), again, effect());
        again = words(taskId, truth(), 2, 2);
        again[1] = again[0];
        node = drawnOf(taskId)[2];
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.AlreadyAttested.selector, taskId, node));
        appeals.attestMany(taskId, truth(), again, effect());
    }

    function test_onlyPlacesOfTheDrawHaveAWord() external {
        bytes32 taskId = heard();
        CarriedAttestation[] memory carried = words(taskId, truth(), 0, 1);
        carried[0].validator = 5;
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoSuchPlace.selector, taskId, 5));
        appeals.attestMany(taskId, truth(), carried, effect());
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NothingCarried.selector, taskId));
        appeals.attestMany(taskId, truth(), new CarriedAttestation[](0), effect());
    }

    // ---------------------------------------------------------------- the draw

    /// @dev Who comes first with its friends keeps nobody else out.
    function test_nominatingFirstChoosesNobody() external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        uint256 state = vm.snapshotState();
        nominate(taskId, judges);
        address[] memory all = drawnOf(taskId);
        vm.revertToState(state);
        for (uint256 i = 0; i < judges.length; ++i) {
            nominate(taskId, only(judges[judges.length - 1 - i]));
        }
        assertEq(keccak256(abi.encode(drawnOf(taskId))), keccak256(abi.encode(all)), "the same draw");
    }

    /// @dev An address that is made once the beacon is known could have any key.
    function test_whoRegistersAfterTheAppealIsNotDrawn() external {
        bytes32 taskId = wronged();
        address early = newValidator("early");
        appealAs(CLIENT, taskId);
        address late = newValidator("late");
        nominate(taskId, pair(early, late));
        assertEq(drawnOf(taskId).length, 1, "one");
        assertEq(drawnOf(taskId)[0], early, "who was there");
    }

    /// @dev A node that goes to sleep does not spoil the nomination of others.
    function test_aNominationCannotBeSpoiled() external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        vm.prank(judges[3]);
        registry.setActive(false, effect());
        nominate(taskId, judges);
        assertEq(drawnOf(taskId).length, 5, "the others");
    }

    function test_nobodyIsHeardBeforeTheDrawIsOver() external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        nominate(taskId, first(judges, 3));
        uint40 drawBy = recordOf(taskId).drawBy;
        vm.warp(drawBy);
        CarriedAttestation[] memory carried = words(taskId, truth(), 0, 3);
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.NominationsOpen.selector, taskId, drawBy));
        appeals.attestMany(taskId, truth(), carried, effect());
        vm.warp(drawBy + 1);
        appeals.attestMany(taskId, truth(), carried, effect());
        assertAppeal(taskId, AppealState.Overturned);
    }

    /// @dev Fewer than the task's validators and one decide nothing, even where nobody else is there.
    function test_aFewFriendsOverturnNothing() external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        nominate(taskId, first(judges, 2));
        vm.warp(recordOf(taskId).drawBy + 1);
        attestOnAppeal(taskId, truth(), 0, 2);
        assertAppeal(taskId, AppealState.Open);
    }

    // ---------------------------------------------------------------- order

    function test_aDecidedAppealIsDecided() external {
        bytes32 taskId = heard();
        attestOnAppeal(taskId, truth(), 0, 3);
        bytes memory refused = abi.encodeWithSelector(AppealEvents.NoOpenAppeal.selector, taskId);
        CarriedAttestation[] memory carried = words(taskId, lie(), 3, 2);
        vm.expectRevert(refused);
        appeals.attestMany(taskId, lie(), carried, effect());
        vm.warp(recordOf(taskId).attestBy + 1);
        vm.expectRevert(refused);
        appeals.end(taskId, effect());
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.NoOpenAppeal.selector, bytes32("none")));
        appeals.end("none", effect());
    }

    function test_anAppealCannotBeSettledUnderIt() external {
        bytes32 taskId = wronged();
        vm.warp(queue.taskOf(taskId).phaseBy);
        appealAs(CLIENT, taskId);
        uint40 attestBy = recordOf(taskId).attestBy;
        vm.warp(attestBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, attestBy));
        queue.settle(taskId, "manifest", effect());
        vm.warp(attestBy + 1);
        settle(taskId);
    }

    /// @dev Who appeals against itself gets less than its validators lose.
    function test_lyingAndAppealingLosesMoney() external {
        bytes32 taskId = heard();
        uint256 before = registry.totals().stakedWei;
        attestOnAppeal(taskId, truth(), 0, 3);
        uint256 lost = before - registry.totals().stakedWei;
        assertTrue(appeals.totals().owedWei - BOND <= lost / 2, "half is the treasury's");
    }

    function test_anOutcomeIsSound() external {
        bytes32 taskId = heard();
        _refusesOutcome(
            taskId, Outcome(0, 0, 1, 1), abi.encodeWithSelector(TaskQueueEvents.NobodyHonest.selector, taskId)
        );
        _refusesOutcome(
            taskId, Outcome(0, 9, 1, 1), abi.encodeWithSelector(TaskQueueEvents.NoSuchPlace.selector, taskId, 3)
        );
        _refusesOutcome(
            taskId,
            Outcome(0, 6, 1, 1),
            abi.encodeWithSelector(TaskQueueEvents.WinnerNotHonest.selector, taskId, miners[0])
        );
        _refusesOutcome(
            taskId,
            Outcome(3, 6, 1, 1),
            abi.encodeWithSelector(TaskQueueEvents.WinnerNotHonest.selector, taskId, address(0))
        );
    }

    function test_whoShowedNothingIsNotHonestOnAppeal() external {
        bytes32 taskId = taskIn(TaskState.Precommitted, session, 3, 2);
        reveal(taskId, miners[0]);
        reveal(taskId, miners[1]);
        vm.warp(queue.taskOf(taskId).phaseBy + 1);
        reassign(taskId, miners[2], address(0));
        attest(taskId, validators[0], only(miners[0]));
        attest(taskId, validators[1], only(miners[0]));
        appealAs(CLIENT, taskId);
        nominate(taskId, judges);
        vm.warp(recordOf(taskId).drawBy + 1);
        _refusesOutcome(
            taskId, truth(), abi.encodeWithSelector(TaskQueueEvents.MinerNotRevealed.selector, taskId, miners[2])
        );
    }

    // ---------------------------------------------------------------- in short

    function _refusesOutcome(bytes32 taskId, Outcome memory outcome, bytes memory refusal) private {
        CarriedAttestation[] memory carried = words(taskId, outcome, 0, 1);
        vm.expectRevert(refusal);
        appeals.attestMany(taskId, outcome, carried, effect());
    }

    function _refusesWord(bytes32 taskId, address node, Signature memory signature) private {
        CarriedAttestation[] memory carried = new CarriedAttestation[](1);
        carried[0] = CarriedAttestation(0, "second report", signature);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.BadSignature.selector, taskId, node));
        appeals.attestMany(taskId, truth(), carried, effect());
    }
}

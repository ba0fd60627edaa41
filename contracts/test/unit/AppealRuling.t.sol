// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppealEvents} from "../../src/AppealEvents.sol";
import {EffectLog} from "../../src/EffectLog.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {AppealRecord, AppealState} from "../../src/types/Appeal.sol";
import {Shares, Slashes} from "../../src/types/Economy.sol";
import {SlashReason} from "../../src/types/Node.sol";
import {Terms} from "../../src/types/Session.sol";
import {CarriedAttestation, Finality, Outcome, TaskState} from "../../src/types/Task.sol";
import {AppealTest} from "../base/AppealTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice The draw, the second round, and what follows from it.
contract AppealRulingTest is AppealTest {
    // ---------------------------------------------------------------- the draw

    function test_theSmallestKeysAreDrawn() external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        nominate(taskId, first(judges, 3));
        assertEq(drawnOf(taskId).length, 3, "all of three");
        nominate(taskId, judges);
        AppealRecord memory made = recordOf(taskId);
        assertEq(made.validators.length, 5, "as many as are wanted");
        assertEq(made.beacon, blockhash(made.beaconBlock), "by the block after the appeal's");
        uint256 before = 0;
        for (uint256 i = 0; i < 5; ++i) {
            uint256 key = uint256(keccak256(abi.encode(made.beacon, taskId, made.validators[i])));
            assertTrue(key > before, "in order");
            before = key;
        }
        for (uint256 i = 0; i < judges.length; ++i) {
            if (_isIn(made.validators, judges[i])) continue;
            assertTrue(uint256(keccak256(abi.encode(made.beacon, taskId, judges[i]))) > before, "the others are larger");
        }
    }

    function test_aDrawIsTold() external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        beaconOf(taskId);
        vm.expectEmit(address(appeals));
        emit EffectLog.EffectApplied(STRANGER, "nominate");
        vm.expectEmit(address(appeals));
        emit AppealEvents.AppealDrawn(session, taskId, blockhash(recordOf(taskId).beaconBlock), only(judges[4]));
        vm.prank(STRANGER);
        appeals.nominate(taskId, only(judges[4]), "nominate");
    }

    function test_whoMayNotBeDrawnIsPassedOver() external {
        bytes32 taskId = wronged();
        appealAs(miners[2], taskId);
        vm.prank(judges[1]);
        registry.setActive(false, effect());
        vm.prank(address(queue));
        registry.coolDown(judges[2], uint40(block.timestamp) + 60);
        address late = newValidator("late");
        address[] memory nodes = new address[](9);
        (nodes[0], nodes[1], nodes[2]) = (validators[0], validators[1], miners[0]);
        (nodes[3], nodes[4], nodes[5]) = (judges[1], judges[2], late);
        (nodes[6], nodes[7], nodes[8]) = (STRANGER, judges[0], judges[0]);
        nominate(taskId, nodes);
        address[] memory drawn = drawnOf(taskId);
        assertEq(drawn.length, 1, "one is left");
        assertEq(drawn[0], judges[0], "and is drawn once");
    }

    /// @dev Nodes in more than one role.
    function test_nobodyWithAPartInTheTaskIsDrawn() external {
        address both = account("both");
        _keys[both] = uint256(keccak256("both"));
        joinAs(both, 4 | 8, STAKE);
        address routing = account("routing");
        joinAs(routing, 2 | 8, 2 * STAKE);
        address[] memory routing_ = pair(routers[0], routing);
        session = openSession(appealable(), routing_, nobody());
        bytes32 taskId = submit(session, effect());
        address[] memory k = new address[](3);
        (k[0], k[1], k[2]) = (miners[0], miners[1], both);
        assignAs(routing, taskId, k, first(validators, 2));
        for (uint256 i = 0; i < 3; ++i) {
            precommit(taskId, k[i]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            reveal(taskId, k[i]);
        }
        attest(taskId, validators[0], only(miners[0]));
        attest(taskId, validators[1], only(miners[0]));
        fund(both, BOND);
        appealAs(CLIENT, taskId);
        nominate(taskId, pair(both, routing));
        assertEq(drawnOf(taskId).length, 0, "neither the miner nor the router");
    }

    function test_theAppellantIsNotDrawn() external {
        fund(judges[0], BOND);
        vm.prank(CLIENT);
        sessions.offerSession(session, judges[0], effect());
        bytes32 taskId = wronged();
        vm.prank(judges[0]);
        sessions.acceptSession(session, effect());
        appealAs(judges[0], taskId);
        nominate(taskId, only(judges[0]));
        assertEq(drawnOf(taskId).length, 0, "not the appellant");
    }

    function test_nominationsHaveTheirTime() external {
        bytes32 taskId = wronged();
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.NoOpenAppeal.selector, taskId));
        appeals.nominate(taskId, judges, effect());
        appealAs(CLIENT, taskId);
        uint40 beaconBlock = recordOf(taskId).beaconBlock;
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(AppealEvents.BeaconUnavailable.selector, beaconBlock));
            appeals.nominate(taskId, judges, effect());
            vm.roll(beaconBlock);
        }
        vm.roll(beaconBlock + 257);
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.BeaconUnavailable.selector, beaconBlock));
        appeals.nominate(taskId, judges, effect());
        vm.roll(beaconBlock + 256);
        uint40 drawBy = recordOf(taskId).drawBy;
        vm.warp(drawBy);
        appeals.nominate(taskId, only(judges[0]), effect());
        vm.roll(beaconBlock + 1000);
        appeals.nominate(taskId, only(judges[1]), effect());
        assertEq(drawnOf(taskId).length, 2, "the beacon is kept");
        vm.warp(drawBy + 1);
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.NominationsOver.selector, taskId, drawBy));
        appeals.nominate(taskId, judges, effect());
    }

    function test_aNominationIsBounded() external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        beaconOf(taskId);
        appeals.nominate(taskId, new address[](64), effect());
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.CandidateCountOutOfBounds.selector, 65, 64));
        appeals.nominate(taskId, new address[](65), effect());
    }

    // ---------------------------------------------------------------- overturned

    function test_moreValidatorsOverturn() external {
        bytes32 taskId = heard();
        address[] memory drawn = drawnOf(taskId);
        attestOnAppeal(taskId, truth(), 0, 2);
        assertAppeal(taskId, AppealState.Open);
        CarriedAttestation[] memory carried = words(taskId, truth(), 2, 1);
        vm.expectEmit(address(appeals));
        emit EffectLog.EffectApplied(STRANGER, "attest");
        vm.expectEmit(address(appeals));
        emit AppealEvents.AppealAttested(session, taskId, drawn[2], "second report");
        vm.expectEmit(address(appeals));
        emit AppealEvents.AppealDecided(
            session, taskId, true, miners[1], pair(miners[1], miners[2]), 100, 40, "second report"
        );
        vm.prank(STRANGER);
        appeals.attestMany(taskId, truth(), carried, "attest");
        assertAppeal(taskId, AppealState.Overturned);
        assertEq(uint256(queue.taskOf(taskId).finality), uint256(Finality.Ruled), "for good");
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(registry.nodeOf(validators[i]).stakeWei, STAKE - CONTRADICTED, "the liars lose");
            assertEq(registry.nodeOf(validators[i]).coolUntilAt, block.timestamp + 30, "and rest");
        }
        // Half of 40 is for the appeal: half of it for the appellant, the rest for three.
        assertEq(appeals.owedTo(CLIENT), BOND + 10 ether + 1, "the bond, its part and what rounding left");
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(appeals.owedTo(drawn[i]), uint256(10 ether) / 3, "who was right");
        }
        assertEq(appeals.owedTo(drawn[3]), 0, "and nobody else");
        assertMoneyConserved();
    }

    function test_theRulingIsWhatIsSettled() external {
        bytes32 taskId = heard();
        attestOnAppeal(taskId, truth(), 0, 3);
        uint256 price = 0.5 ether;
        uint256 before = sessions.totals().balanceWei;
        settle(taskId);
        assertEq(sessions.earningsOf(miners[0]), 0, "who won first is not paid");
        assertEq(sessions.earningsOf(miners[1]), price * 4 / 10, "the honest are");
        assertEq(sessions.earningsOf(miners[2]), price * 4 / 10, "each");
        assertEq(sessions.earningsOf(validators[0]) + sessions.earningsOf(validators[1]), 0, "the liars are not");
        assertEq(sessions.totals().balanceWei - before, MAX_PRICE - price, "the rest is back");
        assertEq(registry.nodeOf(miners[0]).stakeWei, STAKE - 10 ether, "the outlier is slashed");
        assertEq(registry.nodeOf(miners[1]).stakeWei, STAKE, "who was called one is not");
        assertMoneyConserved();
    }

    /// @dev One of the task's own validators was right from the beginning.
    function test_whoWasOutvotedIsPaid() external {
        Terms memory terms = appealable();
        terms.validators = 3;
        session = openSession(terms);
        bytes32 taskId = taskIn(TaskState.Committed, session, 3, 3);
        attestWinner(taskId, validators[2], miners[1], pair(miners[1], miners[2]), 100, 40);
        attest(taskId, validators[0], only(miners[0]));
        attest(taskId, validators[1], only(miners[0]));
        appealAs(CLIENT, taskId);
        nominate(taskId, judges);
        vm.warp(recordOf(taskId).drawBy + 1);
        attestOnAppeal(taskId, truth(), 0, 4);
        assertEq(registry.nodeOf(validators[2]).stakeWei, STAKE, "keeps its stake");
        settle(taskId);
        assertEq(sessions.earningsOf(validators[2]), 0.5 ether * 8 / 100, "and has the validators' part");
    }

    /// @dev A stake that is not there cannot be shared.
    function test_whoHasNothingLosesNothing() external {
        bytes32 taskId = heard();
        vm.prank(address(queue));
        registry.slash(validators[0], STAKE, taskId, SlashReason.Outlier, address(0), 0);
        vm.prank(address(queue));
        registry.slash(validators[1], STAKE, taskId, SlashReason.Outlier, address(0), 0);
        attestOnAppeal(taskId, truth(), 0, 3);
        assertEq(appeals.owedTo(CLIENT), BOND, "the bond");
        assertEq(appeals.owedTo(drawnOf(taskId)[0]), 0, "and nothing to share");
        assertMoneyConserved();
    }

    function test_aNetworkWithoutCoolDownsHasNone() external {
        Slashes memory slashes = Slashes(10 ether, 20 ether, 20 ether, 0);
        asOwner(abi.encodeCall(parameters.setSlashes, (slashes, effect())));
        bytes32 taskId = heard();
        attestOnAppeal(taskId, truth(), 0, 3);
        assertEq(registry.nodeOf(validators[0]).coolUntilAt, 0, "no rest");
    }

    // ---------------------------------------------------------------- upheld

    function test_moreValidatorsUphold() external {
        bytes32 taskId = heard();
        address[] memory drawn = drawnOf(taskId);
        attestOnAppeal(taskId, truth(), 0, 1);
        vm.expectEmit(address(appeals));
        emit AppealEvents.AppealCredited(drawn[1], taskId, 4 ether);
        attestOnAppeal(taskId, lie(), 1, 3);
        assertAppeal(taskId, AppealState.Upheld);
        assertEq(registry.nodeOf(drawn[0]).stakeWei, STAKE - CONTRADICTED, "who contradicts it loses");
        // The bond of 10 and half of 20, for five.
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(registry.nodeOf(validators[i]).stakeWei, STAKE, "the first keep theirs");
            assertEq(appeals.owedTo(validators[i]), 4 ether, "and share");
        }
        for (uint256 i = 1; i < 4; ++i) {
            assertEq(appeals.owedTo(drawn[i]), 4 ether, "with the second");
        }
        assertEq(appeals.owedTo(CLIENT), 0, "the bond is gone");
        settle(taskId);
        assertTrue(sessions.earningsOf(validators[0]) != 0, "paid for the task too");
        assertMoneyConserved();
    }

    function test_roundingIsTheTreasurys() external {
        Shares memory shares = Shares(TREASURY, 8000, 800, 700, 200, 5000, 3);
        asOwner(abi.encodeCall(parameters.setShares, (shares, effect())));
        bytes32 taskId = heard();
        attestOnAppeal(taskId, truth(), 0, 1);
        attestOnAppeal(taskId, lie(), 1, 4);
        assertEq(appeals.owedTo(validators[0]), uint256(10.006 ether) / 6, "each of six");
        assertEq(appeals.owedTo(TREASURY), 10.006 ether - uint256(10.006 ether) / 6 * 6, "what is left of it");
        assertMoneyConserved();
    }

    // ---------------------------------------------------------------- undecided

    function test_whatNobodyAttestsStands() external {
        bytes32 taskId = heard();
        attestOnAppeal(taskId, truth(), 0, 2);
        uint40 attestBy = recordOf(taskId).attestBy;
        vm.warp(attestBy);
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.AppealNotDue.selector, taskId, attestBy));
        appeals.end(taskId, effect());
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, attestBy));
        queue.settle(taskId, "manifest", effect());
        vm.warp(attestBy + 1);
        vm.expectEmit(address(appeals));
        emit EffectLog.EffectApplied(STRANGER, "end");
        vm.expectEmit(address(appeals));
        emit AppealEvents.AppealCredited(CLIENT, taskId, BOND);
        vm.expectEmit(address(appeals));
        emit AppealEvents.AppealUndecided(session, taskId);
        vm.prank(STRANGER);
        appeals.end(taskId, "end");
        assertAppeal(taskId, AppealState.Undecided);
        assertEq(uint256(queue.taskOf(taskId).finality), uint256(Finality.Ruled), "for good");
        assertEq(registry.nodeOf(validators[0]).stakeWei, STAKE, "nobody is contradicted");
        settle(taskId);
        assertTrue(sessions.earningsOf(miners[0]) != 0, "the first winner is paid");
        assertMoneyConserved();
    }

    /// @dev Time alone settles the task, and the bond is free after it too.
    function test_aTaskNeedsNobodyToEndItsAppeal() external {
        bytes32 taskId = heard();
        vm.warp(recordOf(taskId).attestBy + 1);
        settle(taskId);
        CarriedAttestation[] memory carried = words(taskId, truth(), 0, 3);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, taskId, TaskState.Settled));
        appeals.attestMany(taskId, truth(), carried, effect());
        appeals.end(taskId, effect());
        assertEq(appeals.owedTo(CLIENT), BOND, "the bond is back");
        assertMoneyConserved();
    }

    function test_lateWordsCountUntilSomebodyUsesTheDeadline() external {
        bytes32 taskId = heard();
        vm.warp(recordOf(taskId).attestBy + 1000);
        attestOnAppeal(taskId, truth(), 0, 3);
        assertAppeal(taskId, AppealState.Overturned);
    }

    function test_anAppealWithoutEnoughValidatorsEndsAtOnce() external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        nominate(taskId, first(judges, 2));
        (uint40 drawBy, uint40 attestBy) = (recordOf(taskId).drawBy, recordOf(taskId).attestBy);
        vm.warp(drawBy);
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.AppealNotDue.selector, taskId, attestBy));
        appeals.end(taskId, effect());
        vm.warp(drawBy + 1);
        appeals.end(taskId, effect());
        settle(taskId);
    }

    function test_anAppealWithEnoughValidatorsDoesNotEndAtOnce() external {
        bytes32 taskId = wronged();
        appealAs(CLIENT, taskId);
        nominate(taskId, first(judges, 3));
        vm.warp(recordOf(taskId).drawBy + 1);
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.AppealNotDue.selector, taskId, recordOf(taskId).attestBy));
        appeals.end(taskId, effect());
    }

    // ---------------------------------------------------------------- money

    function test_whatIsOwedIsTakenOnce() external {
        bytes32 taskId = heard();
        attestOnAppeal(taskId, truth(), 0, 3);
        uint256 before = cor.balanceOf(CLIENT);
        uint128 owed = appeals.owedTo(CLIENT);
        vm.expectEmit(address(appeals));
        emit AppealEvents.AppealWithdrawn(CLIENT, owed);
        vm.prank(CLIENT);
        appeals.withdraw("withdraw");
        assertEq(cor.balanceOf(CLIENT) - before, owed, "all of it");
        assertMoneyConserved();
        vm.expectRevert(abi.encodeWithSelector(AppealEvents.NothingOwed.selector, CLIENT));
        vm.prank(CLIENT);
        appeals.withdraw(effect());
        pass(31);
        taskId = heard();
        attestOnAppeal(taskId, truth(), 0, 3);
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, CLIENT, bytes32("withdraw")));
        vm.prank(CLIENT);
        appeals.withdraw("withdraw");
    }

    function _isIn(address[] memory list, address node) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == node) return true;
        }
        return false;
    }
}

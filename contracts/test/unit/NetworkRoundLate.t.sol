// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NetworkSessionsEvents} from "../../src/NetworkSessionsEvents.sol";
import {Role} from "../../src/types/Node.sol";
import {Answer, Round, RoundFailure, RoundState} from "../../src/types/Round.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice What becomes of a round in which somebody does not do its part.
contract NetworkRoundLateTest is IncentivesTest {
    function _failed(uint64 id, RoundFailure reason) private {
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.RoundFailed(id, reason);
        advance(id);
        assertRound(id, RoundState.Failed);
    }

    function test_oraclesUseADeadlineAndOthersAfterTheGrace() external {
        uint64 id = roundIn(RoundState.Creating);
        uint256 createBy = network.roundOf(id).phaseBy;
        vm.warp(createBy);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NotDue.selector, id, createBy + 1));
        vm.prank(oracles[0]);
        network.advance(id, effect());
        vm.warp(createBy + 20);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NotDue.selector, id, createBy + 21));
        vm.prank(STRANGER);
        network.advance(id, effect());
        vm.warp(createBy + 21);
        vm.prank(STRANGER);
        network.advance(id, effect());
        vm.warp(network.roundOf(id).phaseBy + 1);
        advance(id);
    }

    function test_whoIsLateMayActUntilTheDeadlineIsUsed() external {
        uint64 id = roundIn(RoundState.Creating);
        pass(100);
        vm.prank(network.roundOf(id).creator);
        network.create(id, "topic", effect());
        assertRound(id, RoundState.Preparing);
    }

    function test_aDrawThatNobodyMadeFailsTheRound() external {
        uint64 id = roundIn(RoundState.Requested);
        pass(61);
        _failed(id, RoundFailure.NotDrawn);
        nextSlot();
        id = roundIn(RoundState.Prepared);
        pass(61);
        _failed(id, RoundFailure.NotDrawn);
    }

    function test_standbysTakeTheCreatorsPlace() external {
        uint64 id = roundIn(RoundState.Creating);
        Round memory round = network.roundOf(id);
        pass(31);
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.PoolLeft(Role.Miner, round.creator);
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.NodeMissed(id, round.creator, RoundState.Creating, round.standbys[0]);
        advance(id);
        assertEq(network.roundOf(id).creator, round.standbys[0], "the first standby");
        assertFalse(network.isInPool(Role.Miner, round.creator), "the silent one is out of the pool");
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NotChosen.selector, id, round.creator));
        vm.prank(round.creator);
        network.create(id, "topic", effect());
        pass(31);
        advance(id);
        assertEq(network.roundOf(id).creator, round.standbys[1], "the second standby");
        pass(31);
        _failed(id, RoundFailure.NoTopic);
    }

    function test_standbysTakeThePreparersPlaceToo() external {
        uint64 id = roundIn(RoundState.Creating);
        Round memory round = network.roundOf(id);
        pass(31);
        advance(id);
        vm.prank(round.standbys[0]);
        network.create(id, "topic", effect());
        pass(31);
        advance(id);
        assertEq(network.roundOf(id).preparer, round.standbys[1], "the next standby");
        pass(31);
        _failed(id, RoundFailure.NoQuestions);
    }

    function test_whoDidNotPrecommitIsOutAndTheOthersGoOn() external {
        uint64 id = roundIn(RoundState.Answering);
        Answer[] memory answers = network.roundOf(id).answers;
        precommit(id, answers[0].miner);
        precommit(id, answers[3].miner);
        pass(61);
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.NodeMissed(id, answers[1].miner, RoundState.Answering, address(0));
        advance(id);
        assertRound(id, RoundState.Revealing);
        assertFalse(network.isInPool(Role.Miner, answers[1].miner), "out");
        assertTrue(network.isInPool(Role.Miner, answers[0].miner), "in");
        assertEq(registry.totals().slashedWei, 0, "silence costs no stake");
        vm.expectRevert(
            abi.encodeWithSelector(NetworkSessionsEvents.WrongRoundState.selector, id, RoundState.Revealing)
        );
        vm.prank(answers[1].miner);
        network.precommit(id, "late", effect());
        // It has no precommit, so there is nothing it could reveal.
        vm.expectPartialRevert(NetworkSessionsEvents.PrecommitMismatch.selector);
        vm.prank(answers[1].miner);
        network.reveal(id, "root", "salt", "answers", effect());
        reveal(id, answers[0].miner);
        reveal(id, answers[3].miner);
        assertRound(id, RoundState.Validating);
        end(id, 9, first(network.roundOf(id).validators, 2));
    }

    function test_oneAnswerIsNotEnough() external {
        uint64 id = roundIn(RoundState.Answering);
        precommit(id, network.roundOf(id).answers[2].miner);
        pass(61);
        _failed(id, RoundFailure.TooFewAnswers);
    }

    function test_whoPrecommittedAndDoesNotRevealLosesStake() external {
        uint64 id = roundIn(RoundState.Revealing);
        Answer[] memory answers = network.roundOf(id).answers;
        for (uint256 i = 0; i < 3; ++i) {
            reveal(id, answers[i].miner);
        }
        pass(31);
        advance(id);
        assertRound(id, RoundState.Validating);
        for (uint256 i = 0; i < 5; ++i) {
            uint128 left = registry.nodeOf(answers[i].miner).stakeWei;
            assertEq(left, i < 3 ? STAKE : STAKE - 20 ether, "who did not show");
            assertTrue(network.isInPool(Role.Miner, answers[i].miner) == (i < 3), "and is out");
        }
        vm.expectRevert(
            abi.encodeWithSelector(NetworkSessionsEvents.WrongRoundState.selector, id, RoundState.Validating)
        );
        vm.prank(answers[4].miner);
        network.reveal(id, rootOf(answers[4].miner), saltOf(answers[4].miner), "answers", effect());
    }

    function test_nothingRevealedIsNoRound() external {
        uint64 id = roundIn(RoundState.Revealing);
        pass(31);
        _failed(id, RoundFailure.NothingRevealed);
        assertEq(registry.totals().slashedWei, 100 ether, "all of them lose stake");
    }

    function test_whoHadNothingToShowIsNotSlashed() external {
        uint64 id = roundIn(RoundState.Answering);
        Answer[] memory answers = network.roundOf(id).answers;
        precommit(id, answers[0].miner);
        precommit(id, answers[1].miner);
        pass(61);
        advance(id);
        pass(31);
        advance(id);
        assertEq(registry.totals().slashedWei, 40 ether, "the two that were bound");
    }

    function test_validatorsThatDoNotAgreeFailTheRound() external {
        uint64 id = roundIn(RoundState.Validating);
        pass(61);
        _failed(id, RoundFailure.NotValidated);
        assertEq(network.creditSumOf(1), 0, "nobody is credited");
    }

    /// @dev Whatever state a round is in, time and one stranger bring it to its end.
    function test_timeAloneEndsEveryState() external {
        for (uint8 state = uint8(RoundState.Requested); state <= uint8(RoundState.Validating); ++state) {
            uint64 id = roundIn(RoundState(state));
            for (uint256 step = 0; network.roundOf(id).state < RoundState.Ended; ++step) {
                assertTrue(step < 4, "few steps");
                vm.warp(uint256(network.roundOf(id).phaseBy) + 21);
                vm.prank(STRANGER);
                network.advance(id, effect());
            }
            nextSlot();
        }
    }

    /// @dev Four miners, of whom two make and two answer in every round of a whole epoch.
    function test_creditsOfANodeInAnEpochAreBounded() external {
        for (uint256 i = 4; i < 12; ++i) {
            vm.prank(miners[i]);
            network.quit(Role.Miner, effect());
        }
        for (uint256 rounds = 0; rounds < 144; ++rounds) {
            uint64 id = roundIn(RoundState.Validating);
            assertEq(network.roundOf(id).answers.length, 2, "two answer");
            end(id, 3, first(network.roundOf(id).validators, 2));
            nextSlot();
        }
        uint256 most = 0;
        uint256 sum = 0;
        for (uint256 i = 0; i < 4; ++i) {
            uint64 credits = network.creditsOf(1, miners[i]);
            sum += credits;
            if (credits > most) most = credits;
            sum += network.creditsOf(1, validators[i]);
        }
        assertEq(most, 256, "somebody reaches the bound, and nobody goes past it");
        assertEq(network.creditSumOf(1), sum, "the sum is that of the nodes");
    }
}

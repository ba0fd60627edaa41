// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NetworkSessions} from "../../src/NetworkSessions.sol";
import {NetworkSessionsEvents} from "../../src/NetworkSessionsEvents.sol";
import {Quorum} from "../../src/libraries/Quorum.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Role} from "../../src/types/Node.sol";
import {Answer, Round, RoundFailure, RoundState, RoundTimes} from "../../src/types/Round.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice A round in which everybody does well, and who may not take part in it.
contract NetworkRoundTest is IncentivesTest {
    function _state(uint64 id, RoundState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(NetworkSessionsEvents.WrongRoundState.selector, id, state);
    }

    function _notChosen(uint64 id, address account_) private pure returns (bytes memory) {
        return abi.encodeWithSelector(NetworkSessionsEvents.NotChosen.selector, id, account_);
    }

    // ---------------------------------------------------------------- request

    function test_anOracleAsksForTheRoundOfTheSlot() external {
        pass(600 * 6 + 5);
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.RoundRequested(7, oracles[0], 1002, uint40(block.timestamp) + 60);
        assertEq(request(), 7, "the seventh slot");
        Round memory round = network.roundOf(7);
        assertEq(round.beaconBlock, 1002, "decided later");
        assertEq(round.minerCount, 12, "among these");
        assertEq(round.validatorCount, 4, "and these");
        assertEq(network.newestRound(), 7, "newest");
    }

    function test_oneRoundForEachSlot() external {
        uint64 id = roundIn(RoundState.Ended);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.SlotTaken.selector, id));
        vm.prank(oracles[0]);
        network.request(effect());
        nextSlot();
        assertEq(request(), id + 1, "the next slot has its own");
    }

    function test_noSlotBeforeTheFirst() external {
        vm.warp(START - 1);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.SlotTaken.selector, 0));
        vm.prank(oracles[0]);
        network.request(effect());
        assertEq(network.slotAt(START - 1), 0, "before");
        assertEq(network.slotAt(START), 1, "the first");
        assertEq(network.slotAt(START + 600), 2, "the second");
    }

    function test_theOneBeforeIsOverFirst() external {
        uint64 id = roundIn(RoundState.Creating);
        nextSlot();
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.RoundUnfinished.selector, id));
        vm.prank(oracles[0]);
        network.request(effect());
    }

    function test_othersAskAfterTheGrace() external {
        nextSlot();
        uint256 begin = block.timestamp;
        pass(19);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NotDue.selector, 2, begin + 20));
        vm.prank(STRANGER);
        network.request(effect());
        pass(1);
        vm.prank(STRANGER);
        network.request(effect());
    }

    // ---------------------------------------------------------------- draw, create, prepare

    function test_theDrawIsDecidedByALaterBlock() external {
        uint64 id = request();
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.BeaconNotKnown.selector, id, 1002));
        network.draw(id, effect());
        vm.roll(1002);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.BeaconNotKnown.selector, id, 1002));
        network.draw(id, effect());
        vm.roll(1002 + 257);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.BeaconGone.selector, id, 1002));
        network.draw(id, effect());
        vm.roll(1002 + 256);
        vm.prank(STRANGER);
        network.draw(id, effect());
        Round memory round = network.roundOf(id);
        assertRound(id, RoundState.Creating);
        assertTrue(round.creator != round.preparer, "two of them");
        assertEq(round.standbys.length, 2, "two stand by");
        assertEq(round.phaseBy, block.timestamp + 30, "time to create");
    }

    /// @dev Anyone can draw again: the whole shuffle gives whom the contract took from its beginning.
    function test_theDrawIsTheShuffleOfItsSeed() external {
        uint64 id = request();
        reachBeacon(id);
        bytes32 seed = network.seedOf(blockhash(network.roundOf(id).beaconBlock), id, Role.Miner);
        address[] memory order = first(miners, 12);
        for (uint256 i = 0; i < 12; ++i) {
            uint256 place = i + uint256(keccak256(abi.encode(seed, i))) % (12 - i);
            (order[i], order[place]) = (order[place], order[i]);
        }
        network.draw(id, effect());
        Round memory round = network.roundOf(id);
        assertEq(round.creator, order[0], "creator");
        assertEq(round.preparer, order[1], "preparer");
        assertEq(round.standbys[0], order[2], "first standby");
        assertEq(round.standbys[1], order[3], "second standby");
    }

    function test_onlyTheCreatorCreates() external {
        uint64 id = roundIn(RoundState.Creating);
        Round memory round = network.roundOf(id);
        vm.expectRevert(_notChosen(id, round.preparer));
        vm.prank(round.preparer);
        network.create(id, "topic", effect());
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.DigestMissing.selector));
        vm.prank(round.creator);
        network.create(id, 0, effect());
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.RoundCreated(id, round.creator, "topic", uint40(block.timestamp) + 30);
        vm.prank(round.creator);
        network.create(id, "topic", effect());
        assertRound(id, RoundState.Preparing);
    }

    function test_onlyThePreparerPrepares() external {
        uint64 id = roundIn(RoundState.Preparing);
        Round memory round = network.roundOf(id);
        vm.expectRevert(_notChosen(id, round.creator));
        vm.prank(round.creator);
        network.prepare(id, "questions", effect());
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.DigestMissing.selector));
        vm.prank(round.preparer);
        network.prepare(id, 0, effect());
        vm.prank(round.preparer);
        network.prepare(id, "questions", effect());
        assertRound(id, RoundState.Prepared);
        assertEq(network.roundOf(id).beaconBlock, block.number + 2, "a later block decides who answers");
    }

    function test_whoAnswersMadeNothingAndWhoJudgesDoesNotAnswer() external {
        // Most nodes are both.
        for (uint256 i = 0; i < 12; ++i) {
            address node = account(string.concat("both", vm.toString(i)));
            register(node, Roles.MINER | Roles.VALIDATOR);
            enter(node, Role.Miner);
            enter(node, Role.Validator);
        }
        uint64 id = roundIn(RoundState.Answering);
        Round memory round = network.roundOf(id);
        assertEq(round.answers.length, 5, "five answer");
        assertEq(round.validators.length, 3, "three judge");
        for (uint256 i = 0; i < 5; ++i) {
            address miner = round.answers[i].miner;
            assertTrue(miner != round.creator && miner != round.preparer, "made nothing");
            for (uint256 j = 0; j < 3; ++j) {
                assertTrue(miner != round.validators[j], "does not judge itself");
            }
        }
        for (uint256 j = 0; j < 3; ++j) {
            assertTrue(round.validators[j] != round.creator && round.validators[j] != round.preparer, "made nothing");
        }
    }

    function test_aRoundNeedsAFewNodes() external {
        for (uint256 i = 1; i < 12; ++i) {
            setActive(miners[i], false);
        }
        uint64 id = request();
        reachBeacon(id);
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.RoundFailed(id, RoundFailure.TooFewNodes);
        network.draw(id, effect());
        assertRound(id, RoundState.Failed);
    }

    function test_answersNeedToBeCompared() external {
        uint64 id = roundIn(RoundState.Prepared);
        Round memory round = network.roundOf(id);
        bool kept = false;
        for (uint256 i = 0; i < 12; ++i) {
            bool crew = miners[i] == round.creator || miners[i] == round.preparer;
            if (!crew && kept) setActive(miners[i], false);
            if (!crew) kept = true;
        }
        reachBeacon(id);
        network.start(id, effect());
        assertRound(id, RoundState.Failed);
    }

    function test_answersNeedToBeJudged() external {
        uint64 id = roundIn(RoundState.Prepared);
        for (uint256 i = 0; i < 4; ++i) {
            setActive(validators[i], false);
        }
        reachBeacon(id);
        network.start(id, effect());
        assertRound(id, RoundState.Failed);
    }

    // ---------------------------------------------------------------- precommit and reveal

    function test_onlyThoseDrawnPrecommitOnce() external {
        uint64 id = roundIn(RoundState.Answering);
        Round memory round = network.roundOf(id);
        vm.expectRevert(_notChosen(id, round.creator));
        vm.prank(round.creator);
        network.precommit(id, "hash", effect());
        address miner = round.answers[0].miner;
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.DigestMissing.selector));
        vm.prank(miner);
        network.precommit(id, 0, effect());
        precommit(id, miner);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.AlreadyDone.selector, id, miner));
        vm.prank(miner);
        network.precommit(id, "another", effect());
        vm.expectRevert(_state(id, RoundState.Answering));
        vm.prank(miner);
        network.reveal(id, rootOf(miner), saltOf(miner), "answers", effect());
    }

    function test_aRevealIsWhatWasPrecommitted() external {
        uint64 id = roundIn(RoundState.Revealing);
        Round memory round = network.roundOf(id);
        address miner = round.answers[1].miner;
        bytes32 wrong = keccak256(
            abi.encode(block.chainid, network, id, network.taskIdOf(id), 2, 0, miner, bytes32("other"), saltOf(miner))
        );
        vm.expectRevert(
            abi.encodeWithSelector(NetworkSessionsEvents.PrecommitMismatch.selector, hashOf(id, miner), wrong)
        );
        vm.prank(miner);
        network.reveal(id, "other", saltOf(miner), "answers", effect());
        reveal(id, miner);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.AlreadyDone.selector, id, miner));
        vm.prank(miner);
        network.reveal(id, rootOf(miner), saltOf(miner), "answers", effect());
        vm.expectRevert(_notChosen(id, round.creator));
        vm.prank(round.creator);
        network.reveal(id, rootOf(miner), saltOf(miner), "answers", effect());
    }

    /// @dev The miner is in the hash: what one copies of another's precommit it cannot reveal.
    function test_aCopiedPrecommitIsWorthNothing() external {
        uint64 id = roundIn(RoundState.Answering);
        Answer[] memory answers = network.roundOf(id).answers;
        bytes32 copied = hashOf(id, answers[0].miner);
        precommit(id, answers[0].miner);
        vm.prank(answers[1].miner);
        network.precommit(id, copied, effect());
        for (uint256 i = 2; i < 5; ++i) {
            precommit(id, answers[i].miner);
        }
        reveal(id, answers[0].miner);
        address copier = answers[1].miner;
        vm.expectPartialRevert(NetworkSessionsEvents.PrecommitMismatch.selector);
        vm.prank(copier);
        network.reveal(id, rootOf(answers[0].miner), saltOf(answers[0].miner), "answers", effect());
    }

    // ---------------------------------------------------------------- end

    function test_aRoundEndsWithADataSetAndCredits() external {
        uint64 id = roundIn(RoundState.Validating);
        Round memory round = network.roundOf(id);
        address[] memory judges = ascending(first(round.validators, 2));
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.RoundEnded(id, "dataset", 29, judges);
        end(id, 29, judges);
        assertRound(id, RoundState.Ended);
        assertEq(network.creditsOf(1, round.creator), 1, "for the topic");
        assertEq(network.creditsOf(1, round.preparer), 1, "for the questions");
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(network.creditsOf(1, round.answers[i].miner), i == 1 ? 0 : 4, "for good answers");
        }
        assertEq(network.creditsOf(1, judges[0]), 1, "for judging");
        assertEq(network.creditsOf(1, round.validators[2]), 0, "not for silence");
        assertEq(network.creditSumOf(1), 1 + 1 + 4 * 4 + 2, "all of them");
        assertEq(network.creditSumOf(2), 0, "in this epoch");
    }

    function test_moreThanHalfOfTheValidatorsJudge() external {
        uint64 id = roundIn(RoundState.Validating);
        address[] memory judges = network.roundOf(id).validators;
        bytes[] memory one = signed(first(judges, 1), network.outcomeDigest(id, "dataset", 31));
        vm.expectRevert(abi.encodeWithSelector(Quorum.QuorumMissing.selector, 1, 2));
        network.end(id, "dataset", 31, one, effect());
        judges[0] = oracles[0];
        bytes[] memory wrong = signed(first(judges, 2), network.outcomeDigest(id, "dataset", 31));
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NotValidatorOfRound.selector, id, oracles[0]));
        network.end(id, "dataset", 31, wrong, effect());
    }

    function test_whoIsHonestHasRevealed() external {
        uint64 id = roundIn(RoundState.Revealing);
        Answer[] memory answers = network.roundOf(id).answers;
        for (uint256 i = 0; i < 4; ++i) {
            reveal(id, answers[i].miner);
        }
        pass(31);
        advance(id);
        uint16[3] memory wrong = [uint16(0), 16, 32];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.WrongHonestSet.selector, id, wrong[i]));
            network.end(id, "dataset", wrong[i], new bytes[](0), effect());
        }
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.DigestMissing.selector));
        network.end(id, 0, 15, new bytes[](0), effect());
        end(id, 15, first(network.roundOf(id).validators, 3));
    }

    function test_everythingHasItsState() external {
        bytes memory none = _state(1, RoundState.None);
        vm.expectRevert(none);
        network.draw(1, effect());
        vm.expectRevert(none);
        network.create(1, "topic", effect());
        vm.expectRevert(none);
        network.prepare(1, "questions", effect());
        vm.expectRevert(none);
        network.start(1, effect());
        vm.expectRevert(none);
        network.precommit(1, "hash", effect());
        vm.expectRevert(none);
        network.reveal(1, "root", "salt", "answers", effect());
        vm.expectRevert(none);
        network.end(1, "dataset", 1, new bytes[](0), effect());
        vm.expectRevert(none);
        network.advance(1, effect());
        uint64 id = roundIn(RoundState.Ended);
        vm.expectRevert(_state(id, RoundState.Ended));
        network.advance(id, effect());
        vm.expectRevert(_state(id, RoundState.Ended));
        network.draw(id, effect());
    }

    // ---------------------------------------------------------------- construction

    function _make(RoundTimes memory given, bytes memory why) private {
        vm.expectRevert(why);
        new NetworkSessions(registry, reputation, given);
    }

    function _bound(uint256 index, uint256 given, uint256 minimum, uint256 maximum)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(NetworkSessionsEvents.TimeOutOfBounds.selector, index, given, minimum, maximum);
    }

    function test_timesAreBounded() external {
        RoundTimes memory given = times();
        given.slotS = 9;
        _make(given, _bound(0, 9, 10, 30 days));
        given.slotS = 30 days + 1;
        _make(given, _bound(0, 30 days + 1, 10, 30 days));
        given = times();
        given.drawS = 0;
        _make(given, _bound(1, 0, 1, 1 hours));
        given.drawS = 1;
        given.validateS = 1 hours + 1;
        _make(given, _bound(6, 1 hours + 1, 1, 1 hours));
        given.validateS = 1 hours;
        given.graceS = 301;
        _make(given, _bound(7, 301, 1, 300));
        given.graceS = 300;
        NetworkSessions made = new NetworkSessions(registry, reputation, given);
        assertEq(made.times().graceS, 300, "as given");
    }
}

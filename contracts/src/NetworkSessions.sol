// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochClock} from "./EpochClock.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {RoundBook} from "./RoundBook.sol";
import {ActiveNodes} from "./interfaces/ActiveNodes.sol";
import {IncentiveLimits} from "./libraries/IncentiveLimits.sol";
import {Precommit} from "./libraries/Precommit.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {RoundDraw} from "./libraries/RoundDraw.sol";
import {RoundRules} from "./libraries/RoundRules.sol";
import {Role, SlashReason} from "./types/Node.sol";
import {Answer, Round, RoundFailure, RoundState, RoundTimes} from "./types/Round.sol";

/// @title Work for idle nodes
/// @notice Rounds in which one miner makes a topic, another one questions from it, and a set of miners answers, bound to
/// their answers before they see another's; validators judge, and what comes out is a data set and credits for idle
/// work. There is one round for each slot of time at most, so nobody makes work by asking for it. Who works is drawn by
/// the hash of a block that nobody knew when the draw was asked for. Deadlines are used by oracles, and after a grace by
/// anyone, so every round comes to its end by time alone.
contract NetworkSessions is RoundBook {
    using RoundDraw for address[];
    using RoundRules for Round;

    /// @dev Which step of a round answers are precommitted in; the topic is step 0, the questions are step 1.
    uint256 private constant ANSWER_STEP = 2;
    /// @param registry Who is an active node.
    /// @param clock Whose epochs count: the reputation contract; slots begin with the first.
    /// @param times_ How long everything may take.
    constructor(NodeRegistry registry, EpochClock clock, RoundTimes memory times_) RoundBook(registry, clock, times_) {}

    // ---------------------------------------------------------------- a round, from phase to phase

    /// @notice Asks for the round of this slot. Oracles may as soon as the slot has begun, anyone after the grace. The
    /// round before has to be over.
    /// @param effectId The sender's id of this call.
    /// @return id The round's number, which is that of the slot.
    function request(bytes32 effectId) external returns (uint64 id) {
        REGISTRY.PARAMETERS().requireEntriesOpen();
        id = slotAt(block.timestamp);
        uint64 newest = newestRound;
        if (id <= newest) revert SlotTaken(id);
        if (newest != 0 && !_rounds[newest].isOver()) revert RoundUnfinished(newest);
        _requireDue(id, uint256(EPOCH_START) + uint256(id - 1) * _times.slotS);
        _markEffect(effectId);
        newestRound = id;
        Round storage round = _rounds[id];
        round.state = RoundState.Requested;
        (uint64 beaconBlock, uint40 drawBy) = _awaitDraw(round);
        emit RoundRequested(id, msg.sender, beaconBlock, drawBy);
    }

    /// @notice Draws who makes the topic, who makes the questions and who stands in for them. Anyone may, once the block
    /// is known that decides it.
    /// @param id The round.
    /// @param effectId The sender's id of this call.
    function draw(uint64 id, bytes32 effectId) external {
        Round storage round = _in(id, RoundState.Requested);
        bytes32 beacon = _beaconOf(id, round);
        _markEffect(effectId);
        uint256 want = 2 + IncentiveLimits.STANDBYS;
        address[] memory crew = _pools[Role.Miner].draw(
            round.minerCount,
            seedOf(beacon, id, Role.Miner),
            want,
            new address[](0),
            ActiveNodes(address(REGISTRY)),
            Role.Miner
        );
        if (crew.length < 2) return _fail(id, round, RoundFailure.TooFewNodes);
        round.man(crew);
        uint40 createBy = _enter(round, RoundState.Creating, _times.createS);
        emit CrewDrawn(id, beacon, crew[0], crew[1], round.standbys, createBy);
    }

    /// @notice Makes the topic. Only the miner drawn for it may.
    /// @param id The round.
    /// @param topicDigest The digest under which the topic is stored.
    /// @param effectId The sender's id of this call.
    function create(uint64 id, bytes32 topicDigest, bytes32 effectId) external {
        Round storage round = _in(id, RoundState.Creating);
        if (msg.sender != round.creator) revert NotChosen(id, msg.sender);
        if (topicDigest == 0) revert DigestMissing();
        _markEffect(effectId);
        uint40 prepareBy = _enter(round, RoundState.Preparing, _times.prepareS);
        emit RoundCreated(id, msg.sender, topicDigest, prepareBy);
    }

    /// @notice Makes the questions. Only the miner drawn for it may, and does not know who will answer them.
    /// @param id The round.
    /// @param questionsDigest The digest under which the questions are stored.
    /// @param effectId The sender's id of this call.
    function prepare(uint64 id, bytes32 questionsDigest, bytes32 effectId) external {
        Round storage round = _in(id, RoundState.Preparing);
        if (msg.sender != round.preparer) revert NotChosen(id, msg.sender);
        if (questionsDigest == 0) revert DigestMissing();
        _markEffect(effectId);
        round.state = RoundState.Prepared;
        (uint64 beaconBlock, uint40 drawBy) = _awaitDraw(round);
        emit RoundPrepared(id, msg.sender, questionsDigest, beaconBlock, drawBy);
    }

    /// @notice Draws who answers and who judges. Anyone may, once the block is known that decides it. Who made the topic
    /// or the questions does not answer, and who answers does not judge.
    /// @param id The round.
    /// @param effectId The sender's id of this call.
    function start(uint64 id, bytes32 effectId) external {
        Round storage round = _in(id, RoundState.Prepared);
        bytes32 beacon = _beaconOf(id, round);
        _markEffect(effectId);
        address[] memory miners = _pools[Role.Miner].draw(
            round.minerCount,
            seedOf(beacon, id, Role.Miner),
            IncentiveLimits.ANSWERERS,
            round.crew(),
            ActiveNodes(address(REGISTRY)),
            Role.Miner
        );
        address[] memory validators = _pools[Role.Validator].draw(
            round.validatorCount,
            seedOf(beacon, id, Role.Validator),
            IncentiveLimits.ROUND_VALIDATORS,
            round.crewAnd(miners),
            ActiveNodes(address(REGISTRY)),
            Role.Validator
        );
        if (miners.length < IncentiveLimits.ANSWERERS_MIN || validators.length == 0) {
            return _fail(id, round, RoundFailure.TooFewNodes);
        }
        round.seat(miners, validators);
        uint40 precommitBy = _enter(round, RoundState.Answering, _times.answerS);
        emit RoundStarted(id, beacon, miners, validators, precommitBy);
    }

    /// @notice Binds the sender to its answers without showing them. Only a miner drawn to answer may, once.
    /// @param id The round.
    /// @param hash `precommitHash` of `src/core/precommit.ts`, of the session with the round's number, the task
    /// {taskIdOf}, step 2 and attempt 0.
    /// @param effectId The sender's id of this call.
    function precommit(uint64 id, bytes32 hash, bytes32 effectId) external {
        Round storage round = _in(id, RoundState.Answering);
        Answer storage answer = round.answerOf(id, msg.sender);
        if (hash == 0) revert DigestMissing();
        if (answer.precommit != 0) revert AlreadyDone(id, msg.sender);
        _markEffect(effectId);
        answer.precommit = hash;
        emit AnswerPrecommitted(id, msg.sender, hash);
        if (++round.precommits == round.answers.length) _startReveal(id, round);
    }

    /// @notice Shows the answers that the sender precommitted. Only once everybody is bound who answers.
    /// @param id The round.
    /// @param resultRoot The Merkle root over the answers.
    /// @param salt The salt of the precommit.
    /// @param resultDigest The digest under which the answers are stored.
    /// @param effectId The sender's id of this call.
    function reveal(uint64 id, bytes32 resultRoot, bytes32 salt, bytes32 resultDigest, bytes32 effectId) external {
        Round storage round = _in(id, RoundState.Revealing);
        Answer storage answer = round.answerOf(id, msg.sender);
        if (answer.revealed) revert AlreadyDone(id, msg.sender);
        bytes32 revealed = Precommit.hash(id, taskIdOf(id), ANSWER_STEP, 0, msg.sender, resultRoot, salt);
        if (revealed != answer.precommit) revert PrecommitMismatch(answer.precommit, revealed);
        _markEffect(effectId);
        answer.revealed = true;
        emit AnswerRevealed(id, msg.sender, resultRoot, resultDigest);
        if (++round.reveals == round.precommits) _startValidation(id, round);
    }

    /// @notice Ends a round with its data set. Anyone may who has the signatures of the quorum of its validators.
    /// @param id The round.
    /// @param datasetDigest The digest under which the data set is stored.
    /// @param honest The answers that are good: bit i for the i-th of the miners drawn.
    /// @param signatures Those over {outcomeDigest}, in ascending order of the signers.
    /// @param effectId The sender's id of this call.
    function end(uint64 id, bytes32 datasetDigest, uint16 honest, bytes[] calldata signatures, bytes32 effectId)
        external
    {
        Round storage round = _in(id, RoundState.Validating);
        if (datasetDigest == 0) revert DigestMissing();
        round.requireHonest(id, honest);
        address[] memory signers = Quorum.signersOf(
            outcomeDigest(id, datasetDigest, honest),
            signatures,
            Quorum.needed(round.validators.length, REGISTRY.PARAMETERS().shares().quorumBps)
        );
        round.requireValidators(id, signers);
        _markEffect(effectId);
        round.state = RoundState.Ended;
        emit RoundEnded(id, datasetDigest, honest, signers);
        _creditAll(id, round, honest, signers);
    }

    /// @notice Moves a round on whose phase is late. Oracles may after the deadline, anyone after the grace. Who was silent
    /// leaves the pool; who bound itself and did not reveal loses stake.
    /// @param id The round.
    /// @param effectId The sender's id of this call.
    function advance(uint64 id, bytes32 effectId) external {
        Round storage round = _rounds[id];
        RoundState state = round.state;
        if (state == RoundState.None || round.isOver()) revert WrongRoundState(id, state);
        _requireDue(id, uint256(round.phaseBy) + 1);
        _markEffect(effectId);
        if (state == RoundState.Requested || state == RoundState.Prepared) {
            _fail(id, round, RoundFailure.NotDrawn);
        } else if (state == RoundState.Creating || state == RoundState.Preparing) {
            _replace(id, round, state);
        } else if (state == RoundState.Answering) {
            _dropSilent(id, round);
        } else if (state == RoundState.Revealing) {
            _slashUnrevealed(id, round);
        } else {
            _fail(id, round, RoundFailure.NotValidated);
        }
    }

    // ---------------------------------------------------------------- in short

    function _startReveal(uint64 id, Round storage round) private {
        emit AnswersPrecommitted(id, _enter(round, RoundState.Revealing, _times.revealS));
    }

    function _startValidation(uint64 id, Round storage round) private {
        emit AnswersRevealed(id, _enter(round, RoundState.Validating, _times.validateS));
    }

    /// @dev The next standby takes the place of a silent creator or preparer.
    function _replace(uint64 id, Round storage round, RoundState state) private {
        bool creating = state == RoundState.Creating;
        (address silent, address standby) = round.replace(creating);
        _remove(Role.Miner, silent);
        emit NodeMissed(id, silent, state, standby);
        if (standby == address(0)) {
            return _fail(id, round, creating ? RoundFailure.NoTopic : RoundFailure.NoQuestions);
        }
        _enter(round, state, creating ? _times.createS : _times.prepareS);
    }

    /// @dev Who did not bind itself is out; the others go on if they are enough to be compared.
    function _dropSilent(uint64 id, Round storage round) private {
        for (uint256 i = 0; i < round.answers.length; ++i) {
            if (round.answers[i].precommit == 0) _miss(id, round.answers[i].miner, RoundState.Answering);
        }
        if (round.precommits < IncentiveLimits.ANSWERERS_MIN) _fail(id, round, RoundFailure.TooFewAnswers);
        else _startReveal(id, round);
    }

    /// @dev Who bound itself and shows nothing loses stake; the others are judged.
    function _slashUnrevealed(uint64 id, Round storage round) private {
        if (round.reveals == 0) _fail(id, round, RoundFailure.NothingRevealed);
        else _startValidation(id, round);
        uint128 amountWei = REGISTRY.PARAMETERS().slashes().unrevealedWei;
        for (uint256 i = 0; i < round.answers.length; ++i) {
            Answer storage answer = round.answers[i];
            if (answer.precommit == 0 || answer.revealed) continue;
            _miss(id, answer.miner, RoundState.Revealing);
            REGISTRY.slash(answer.miner, amountWei, taskIdOf(id), SlashReason.Unrevealed, address(0), 0);
        }
    }

    function _miss(uint64 id, address node, RoundState phase) private {
        _remove(Role.Miner, node);
        emit NodeMissed(id, node, phase, address(0));
    }
}

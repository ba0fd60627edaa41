// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "./types/Node.sol";
import {RoundFailure, RoundState} from "./types/Round.sol";

/// @title What network sessions say
/// @notice Their events and errors. Times are block time, in seconds since 1970.
interface NetworkSessionsEvents {
    /// @notice A node takes part in draws.
    event PoolJoined(Role indexed role, address indexed node);
    /// @notice A node takes part no more: it left, it is not active, or it was silent when it was drawn.
    event PoolLeft(Role indexed role, address indexed node);
    /// @notice A round was asked for; the hash of a later block decides who makes its topic and questions.
    event RoundRequested(uint64 indexed round, address indexed by, uint64 beaconBlock, uint40 drawBy);
    /// @notice It is decided who makes the topic and who the questions.
    event CrewDrawn(
        uint64 indexed round, bytes32 beacon, address creator, address preparer, address[] standbys, uint40 createBy
    );
    /// @notice A round has its topic.
    event RoundCreated(uint64 indexed round, address indexed creator, bytes32 topicDigest, uint40 prepareBy);
    /// @notice A round has its questions; the hash of a later block decides who answers.
    event RoundPrepared(
        uint64 indexed round, address indexed preparer, bytes32 questionsDigest, uint64 beaconBlock, uint40 drawBy
    );
    /// @notice It is decided who answers and who judges.
    event RoundStarted(
        uint64 indexed round, bytes32 beacon, address[] miners, address[] validators, uint40 precommitBy
    );
    /// @notice A miner is bound to its answers.
    event AnswerPrecommitted(uint64 indexed round, address indexed miner, bytes32 hash);
    /// @notice Those who answer are bound; answers may be shown.
    event AnswersPrecommitted(uint64 indexed round, uint40 revealBy);
    /// @notice A miner showed its answers, and they are those it precommitted.
    event AnswerRevealed(uint64 indexed round, address indexed miner, bytes32 resultRoot, bytes32 resultDigest);
    /// @notice Answers are shown; validators may judge.
    event AnswersRevealed(uint64 indexed round, uint40 validateBy);
    /// @notice A node did not do what it was drawn for.
    event NodeMissed(uint64 indexed round, address indexed node, RoundState phase, address replacement);
    /// @notice A round has its data set.
    event RoundEnded(uint64 indexed round, bytes32 datasetDigest, uint16 honest, address[] validators);
    /// @notice A round came to nothing.
    event RoundFailed(uint64 indexed round, RoundFailure reason);
    /// @notice A node has idle work to its credit.
    event IdleWorkCredited(uint64 indexed epoch, uint64 indexed round, address indexed node, uint64 credits);

    /// @notice A time is out of its bounds.
    error TimeOutOfBounds(uint256 index, uint256 givenS, uint256 minimumS, uint256 maximumS);
    /// @notice Pools are of miners and of validators.
    error NoPoolOfRole(Role role);
    /// @notice The account is not an active node of the role.
    error NodeNotActive(address account, Role role);
    /// @notice The node is active, so it stays.
    error NodeActive(address account, Role role);
    /// @notice The node is in the pool.
    error AlreadyInPool(address node, Role role);
    /// @notice The node is not in the pool.
    error NotInPool(address node, Role role);
    /// @notice The pool is full.
    error PoolFull(Role role, uint256 maximum);
    /// @notice A draw is awaited whose pool must not change.
    error DrawPending(uint64 round);
    /// @notice The slot has had its round, or has not begun.
    error SlotTaken(uint64 round);
    /// @notice The round before has not come to its end.
    error RoundUnfinished(uint64 round);
    /// @notice The round is in a state that does not allow this.
    error WrongRoundState(uint64 round, RoundState state);
    /// @notice Others were drawn for this.
    error NotChosen(uint64 round, address account);
    /// @notice The block that decides is not known yet.
    error BeaconNotKnown(uint64 round, uint64 beaconBlock);
    /// @notice The chain cannot tell the block's hash any more.
    error BeaconGone(uint64 round, uint64 beaconBlock);
    /// @notice The deadline, or the time in which only oracles may use it, has not passed.
    error NotDue(uint64 round, uint256 dueBy);
    /// @notice Zero is no digest and no precommit.
    error DigestMissing();
    /// @notice A miner precommits once and reveals once.
    error AlreadyDone(uint64 round, address miner);
    /// @notice What was revealed is not what was precommitted.
    error PrecommitMismatch(bytes32 precommit, bytes32 revealed);
    /// @notice Who is honest has revealed, and somebody is.
    error WrongHonestSet(uint64 round, uint16 honest);
    /// @notice Only validators that were drawn for the round judge it.
    error NotValidatorOfRound(uint64 round, address account);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where a round of a network session stands.
/// @custom:variant None Nobody asked for it.
/// @custom:variant Requested It waits for the block that decides who makes its topic and its questions.
/// @custom:variant Creating A miner makes its topic.
/// @custom:variant Preparing Another one makes questions from it.
/// @custom:variant Prepared It waits for the block that decides who answers and who judges.
/// @custom:variant Answering Miners answer and bind themselves to their answers.
/// @custom:variant Revealing They show them.
/// @custom:variant Validating Validators compare them.
/// @custom:variant Ended It has a data set, and whoever worked on it has its credits.
/// @custom:variant Failed It came to nothing.
enum RoundState {
    None,
    Requested,
    Creating,
    Preparing,
    Prepared,
    Answering,
    Revealing,
    Validating,
    Ended,
    Failed
}

/// @notice Why a round came to nothing.
/// @custom:variant NotDrawn Nobody drew its nodes while the block's hash could be had.
/// @custom:variant TooFewNodes The pool had too few that are active.
/// @custom:variant NoTopic Neither the creator nor a standby made a topic.
/// @custom:variant NoQuestions Neither the preparer nor a standby made questions.
/// @custom:variant TooFewAnswers Too few miners bound themselves to an answer.
/// @custom:variant NothingRevealed Nobody showed an answer.
/// @custom:variant NotValidated The validators did not agree in time.
enum RoundFailure {
    NotDrawn,
    TooFewNodes,
    NoTopic,
    NoQuestions,
    TooFewAnswers,
    NothingRevealed,
    NotValidated
}

/// @notice One miner's answer: its precommit is zero before it has one.
struct Answer {
    address miner;
    bool revealed;
    bytes32 precommit;
}

/// @notice How long everything may take, in seconds.
struct RoundTimes {
    /// A slot, in which one round may be asked for.
    uint40 slotS;
    /// Each of the two draws, once asked for.
    uint32 drawS;
    uint32 createS;
    uint32 prepareS;
    uint32 answerS;
    uint32 revealS;
    uint32 validateS;
    /// How long after a deadline only oracles may use it.
    uint32 graceS;
}

/// @notice A round, as storage has it and the views return it.
struct Round {
    RoundState state;
    /// Which standbys have been called up.
    uint8 standbysUsed;
    uint8 precommits;
    uint8 reveals;
    /// The deadline of the phase.
    uint40 phaseBy;
    /// The block whose hash decides the draw that is awaited.
    uint64 beaconBlock;
    /// How many members of the pools the draw that is awaited is among.
    uint32 minerCount;
    uint32 validatorCount;
    address creator;
    address preparer;
    address[] standbys;
    Answer[] answers;
    address[] validators;
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Payment} from "./types/Session.sol";
import {RefundReason, Scheme, SlotState, TaskState} from "./types/Task.sol";

/// @title What the task queue says
/// @notice Its events and errors. Times are block time, in seconds since 1970.
interface TaskQueueEvents {
    /// @notice A task waits for its miners.
    /// @param maxPriceWei What was escrowed: the most it can cost.
    event TaskSubmitted(
        uint64 indexed sessionId,
        bytes32 indexed taskId,
        bytes32 requestId,
        address by,
        bytes32 promptDigest,
        uint32 maxTokens,
        uint128 maxPriceWei
    );
    /// @notice A task waits for others of its session, and then for its miners.
    /// @param templateDigest What its prompt is made of, once those it comes after are settled.
    /// @param maxPriceWei What was escrowed: the most it can cost.
    /// @param step One more than the greatest of those it comes after.
    /// @param parents The tasks it comes after, in the order of their ids.
    event StepSubmitted(
        uint64 indexed sessionId,
        bytes32 indexed taskId,
        bytes32 requestId,
        address by,
        bytes32 templateDigest,
        uint32 maxTokens,
        uint128 maxPriceWei,
        uint8 step,
        bytes32[] parents
    );
    /// @notice A router gave a task to miners and validators.
    event MinersAssigned(
        uint64 indexed sessionId,
        bytes32 indexed taskId,
        address[] miners,
        address[] validators,
        uint64 beaconBlock,
        bytes32 beacon,
        bytes32 selectionDigest,
        uint40 ackBy,
        uint8 step
    );
    /// @notice What the nodes of a task were drawn from.
    /// @param scheme How the miners were found.
    /// @param miners Who could have been drawn, or who came first: an address and its weight in each word.
    /// @param validators The same of the validators.
    event CandidatesNamed(
        uint64 indexed sessionId, bytes32 indexed taskId, Scheme scheme, uint256[] miners, uint256[] validators
    );
    /// @notice A miner is at work.
    event TaskAcked(uint64 indexed sessionId, bytes32 indexed taskId, address miner, uint40 precommitBy);
    /// @notice A miner has a result and is bound to it.
    event TaskPrecommitted(uint64 indexed sessionId, bytes32 indexed taskId, address miner, bytes32 hash);
    /// @notice Every live miner is bound; results may be shown.
    event AllPrecommitted(uint64 indexed sessionId, bytes32 indexed taskId, uint40 revealBy);
    /// @notice A miner showed its result, and it is the one it precommitted.
    event TaskRevealed(
        uint64 indexed sessionId, bytes32 indexed taskId, address miner, bytes32 resultRoot, bytes32 resultDigest
    );
    /// @notice Every live miner has shown its result; validators may attest.
    event AllRevealed(uint64 indexed sessionId, bytes32 indexed taskId, uint40 attestBy);
    /// @notice A late miner lost its slot.
    /// @param replacement Who has it now; zero if nobody.
    /// @param attempt The slot's attempt from now on.
    /// @param oracle Who took it away: an oracle, or anybody once the grace period is over too.
    /// @param ackBy Until when the replacement has to acknowledge; zero if there is none.
    event MinerReassigned(
        uint64 indexed sessionId,
        bytes32 indexed taskId,
        address miner,
        address replacement,
        uint8 attempt,
        address oracle,
        uint40 ackBy
    );
    /// @notice A validator said what it found.
    event ResultAttested(uint64 indexed sessionId, bytes32 indexed taskId, address validator, bytes32 reportDigest);
    /// @notice It is decided who is paid.
    /// @param reportDigest The report of the attestation that decided; zero where no single one did.
    event ResultValidated(
        uint64 indexed sessionId,
        bytes32 indexed taskId,
        address winner,
        address[] honest,
        uint32 promptTokens,
        uint32 outputTokens,
        bytes32 reportDigest
    );
    /// @notice What was decided may be appealed, and is settled afterwards.
    event OutcomeAppealable(uint64 indexed sessionId, bytes32 indexed taskId, uint40 appealBy);
    /// @notice Everybody has been paid.
    event TaskSettled(
        uint64 indexed sessionId,
        bytes32 indexed taskId,
        uint128 priceWei,
        uint128 returnedWei,
        Payment[] payments,
        bytes32 manifestDigest
    );
    /// @notice The task ended without pay and its whole escrow went back.
    event TaskRefunded(uint64 indexed sessionId, bytes32 indexed taskId, uint128 returnedWei, RefundReason reason);

    /// @notice The request was submitted before.
    error TaskExists(bytes32 taskId);
    /// @notice The terms say that tasks are settled in batches, which is not this contract's to do.
    error SessionBatched(uint64 sessionId, uint32 version);
    /// @notice A step comes after one to so many tasks.
    error ParentCountOutOfBounds(uint256 count, uint256 maximum);
    /// @notice Those that a step comes after are in the order of their ids, each once.
    error ParentsUnordered(bytes32 parent);
    /// @notice A step comes after tasks of its own session that did not end without pay.
    error ParentUnfit(bytes32 parent, uint64 sessionId, TaskState state);
    /// @notice So many tasks cannot stand in a row.
    error StepTooDeep(bytes32 parent, uint256 maximum);
    /// @notice A task that this one comes after is not settled.
    error StepNotReady(bytes32 taskId, bytes32 parent);
    /// @notice None of the tasks that this one comes after ended without pay.
    error NoParentRefunded(bytes32 taskId);
    /// @notice There is no such task.
    error UnknownTask(bytes32 taskId);
    /// @notice The task is in a state that does not allow this.
    error WrongTaskState(bytes32 taskId, TaskState state);
    /// @notice The miner's slot is in a state that does not allow this.
    error WrongSlotState(bytes32 taskId, address miner, SlotState state);
    /// @notice Only a router of the session may do this.
    error NotSessionRouter(uint64 sessionId, address account);
    /// @notice Only the session's owner or one of its routers may do this.
    error NotOwnerOrRouter(uint64 sessionId, address account);
    /// @notice A task has one to k miners.
    error MinerCountOutOfBounds(uint256 count, uint256 minimum, uint256 maximum);
    /// @notice A task has at most the session's number of validators, and one at least unless nobody attests.
    error ValidatorCountOutOfBounds(uint256 count, uint256 minimum, uint256 maximum);
    /// @notice A node was named twice.
    error RepeatedNode(address node);
    /// @notice The session is dedicated to other miners.
    error MinerNotDedicated(uint64 sessionId, address miner);
    /// @notice The miner has or had a slot of this task.
    error MinerSeenBefore(bytes32 taskId, address miner);
    /// @notice A list of candidates has a bound, and as many as come first are miners.
    error CandidateCountOutOfBounds(uint256 count, uint256 maximum);
    /// @notice Candidates are in order of address, each once.
    error CandidatesUnordered(address node);
    /// @notice A candidate's weight is more than nothing and at most a fixed bound.
    error WeightOutOfBounds(address node, uint256 weight, uint256 maximum);
    /// @notice All lanes of the session are taken.
    error NoLaneFree(uint64 sessionId);
    /// @notice There is one acceptance for each miner, in the order of the draw, or none at all.
    error AcceptanceCountMismatch(uint256 count, uint256 miners);
    /// @notice The signature is not the node's. Leave it out and bring the others.
    error BadSignature(bytes32 taskId, address node);
    /// @notice The task has no such slot or validator.
    error NoSuchPlace(bytes32 taskId, uint256 place);
    /// @notice A call that carries something carries one at least.
    error NothingCarried(bytes32 taskId);
    /// @notice Only an oracle gives a slot to another miner; anyone may have it dropped after the grace period.
    error NotAnOracle(bytes32 taskId, address account);
    /// @notice The beacon has to be younger than the submission.
    error BeaconTooOld(uint64 beaconBlock, uint64 submittedBlock);
    /// @notice The block's hash is another; zero if the chain cannot tell it (any more, or yet).
    error BeaconMismatch(uint64 beaconBlock, bytes32 actual, bytes32 given);
    /// @notice The account has no slot in this task.
    error NotMinerOfTask(bytes32 taskId, address account);
    /// @notice The account is no validator of this task.
    error NotValidatorOfTask(bytes32 taskId, address account);
    /// @notice What was revealed is not what was precommitted.
    error PrecommitMismatch(bytes32 precommit, bytes32 revealed);
    /// @notice The deadline has not passed.
    error NotDue(bytes32 taskId, uint40 dueBy);
    /// @notice Only the appeals amend an outcome.
    error NotTheAppeals(address account);
    /// @notice A validator attests once.
    error AlreadyAttested(bytes32 taskId, address validator);
    /// @notice Somebody has to be honest.
    error NobodyHonest(bytes32 taskId);
    /// @notice Only a miner that revealed can be honest.
    error MinerNotRevealed(bytes32 taskId, address miner);
    /// @notice The winner has to be honest.
    error WinnerNotHonest(bytes32 taskId, address winner);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Parameters} from "./Parameters.sol";
import {Sessions} from "./Sessions.sol";
import {TaskQueueEvents} from "./TaskQueueEvents.sol";
import {Assignment} from "./libraries/Assignment.sol";
import {Eligibility} from "./libraries/Eligibility.sol";
import {Limits} from "./libraries/Limits.sol";
import {Phases} from "./libraries/Phases.sol";
import {Precommit} from "./libraries/Precommit.sol";
import {Reassignment} from "./libraries/Reassignment.sol";
import {Records} from "./libraries/Records.sol";
import {Settlement} from "./libraries/Settlement.sol";
import {Slots} from "./libraries/Slots.sol";
import {Tally} from "./libraries/Tally.sol";
import {Role} from "./types/Node.sol";
import {Escrow, Payment} from "./types/Session.sol";
import {Outcome, RefundReason, Slot, SlotState, Task, TaskRecord, TaskState} from "./types/Task.sol";

/// @title The task state machine
/// @notice A task is submitted, assigned, acknowledged, precommitted, revealed, attested and settled; whatever does
/// not happen in time is somebody's to end, so that no escrow is ever stuck. Deadlines do not close a door by
/// themselves: who is late may still act until somebody uses the deadline.
/// @dev Calls out to the registry and the sessions only, which call nobody but the token.
contract TaskQueue is EffectLog, TaskQueueEvents {
    using Assignment for Task;
    using Eligibility for Task;
    using Eligibility for address[];
    using Phases for Task;
    using Reassignment for Task;
    using Records for Task;
    using Settlement for Task;
    using Slots for Task;
    using Tally for Task;

    /// @dev Steps are for tasks of several; the contract knows single ones.
    uint256 private constant STEP = 0;

    /// @notice Roles, activity and stake.
    NodeRegistry public immutable REGISTRY;
    /// @notice Money and terms.
    Sessions public immutable SESSIONS;
    /// @notice Shares, the cost of faults, the treasury and the pause.
    Parameters public immutable PARAMETERS;

    mapping(bytes32 taskId => Task) private _tasks;

    /// @param registry Roles, activity and stake.
    /// @param sessions Money and terms.
    /// @param parameters Shares, the cost of faults, the treasury and the pause.
    constructor(NodeRegistry registry, Sessions sessions, Parameters parameters) {
        REGISTRY = registry;
        SESSIONS = sessions;
        PARAMETERS = parameters;
    }

    /// @notice Submits a task and escrows its highest price. The session's owner may, and a listed router where the
    /// terms allow it.
    /// @param sessionId The session that pays.
    /// @param requestId The submitter's own id of the request; together they make the task's id.
    /// @param promptDigest The digest of the prompt.
    /// @param maxTokens How long the output may be.
    /// @param maxPriceWei The most the submitter wants to pay; the terms' own maximum applies too.
    /// @param effectId The sender's id of this call.
    /// @return taskId {taskIdOf} the request.
    function submit(
        uint64 sessionId,
        bytes32 requestId,
        bytes32 promptDigest,
        uint32 maxTokens,
        uint128 maxPriceWei,
        bytes32 effectId
    ) external returns (bytes32 taskId) {
        PARAMETERS.requireEntriesOpen();
        taskId = taskIdOf(sessionId, requestId);
        Task storage task = _tasks[taskId];
        if (task.state != TaskState.None) revert TaskExists(taskId);
        _markEffect(effectId);
        Escrow memory held = SESSIONS.escrow(sessionId, msg.sender, maxPriceWei);
        task.enqueue(sessionId, held, SESSIONS.rulesOf(sessionId, held.version));
        emit TaskSubmitted(sessionId, taskId, requestId, msg.sender, promptDigest, maxTokens, held.escrowWei);
    }

    /// @notice Gives a queued task to its miners and validators. Only a listed router may.
    /// @param taskId The task.
    /// @param miners One to k distinct active miners, of the dedicated list if there is one.
    /// @param validators Distinct active validators, at most the terms' number; one at least unless at level 0.
    /// @param beaconBlock A block after the submission's whose hash seeded the selection.
    /// @param beacon Its hash.
    /// @param selectionDigest The digest of the selection's proof.
    /// @param effectId The sender's id of this call.
    function assign(
        bytes32 taskId,
        address[] calldata miners,
        address[] calldata validators,
        uint64 beaconBlock,
        bytes32 beacon,
        bytes32 selectionDigest,
        bytes32 effectId
    ) external {
        Task storage task = _knownIn(taskId, TaskState.Queued);
        if (!SESSIONS.isRouter(task.sessionId, msg.sender)) revert NotSessionRouter(task.sessionId, msg.sender);
        task.requireBeacon(beaconBlock, beacon);
        task.requireCounts(miners.length, validators.length);
        miners.requireNodes(Role.Miner, REGISTRY);
        validators.requireNodes(Role.Validator, REGISTRY);
        task.requireDedicated(miners, SESSIONS);
        _markEffect(effectId);
        uint40 ackBy = uint40(block.timestamp) + task.ackTimeoutS;
        task.fill(miners, validators, ackBy);
        emit MinersAssigned(task.sessionId, taskId, miners, validators, beaconBlock, beacon, selectionDigest, ackBy);
    }

    /// @notice Says that the sender is at work. Only a miner of the task may, once.
    /// @param taskId The task.
    /// @param effectId The sender's id of this call.
    function ack(bytes32 taskId, bytes32 effectId) external {
        Task storage task = _known(taskId);
        if (task.state != TaskState.Assigned && task.state != TaskState.Executing) {
            revert WrongTaskState(taskId, task.state);
        }
        Slot storage slot = task.slotIn(taskId, msg.sender, SlotState.Assigned);
        _markEffect(effectId);
        uint40 precommitBy = uint40(block.timestamp) + task.executeTimeoutS;
        slot.state = SlotState.Acked;
        slot.dueBy = precommitBy;
        if (task.state == TaskState.Assigned) task.state = TaskState.Executing;
        emit TaskAcked(task.sessionId, taskId, msg.sender, precommitBy);
    }

    /// @notice Binds the sender to a result without showing it. Only a miner that acknowledged may, once.
    /// @param taskId The task.
    /// @param hash `precommitHash` of `src/core/precommit.ts`, with step 0 and the slot's attempt.
    /// @param effectId The sender's id of this call.
    function precommit(bytes32 taskId, bytes32 hash, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Executing);
        Slot storage slot = task.slotIn(taskId, msg.sender, SlotState.Acked);
        _markEffect(effectId);
        slot.state = SlotState.Precommitted;
        slot.precommit = hash;
        ++task.precommitCount;
        emit TaskPrecommitted(task.sessionId, taskId, msg.sender, hash);
        _advance(task, taskId);
    }

    /// @notice Shows the result the sender precommitted. Only once every live miner has precommitted.
    /// @param taskId The task.
    /// @param resultRoot The Merkle root over the result.
    /// @param salt The salt of the precommit.
    /// @param resultDigest The digest under which the result is stored.
    /// @param effectId The sender's id of this call.
    function reveal(bytes32 taskId, bytes32 resultRoot, bytes32 salt, bytes32 resultDigest, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Precommitted);
        Slot storage slot = task.slotIn(taskId, msg.sender, SlotState.Precommitted);
        bytes32 revealed = Precommit.hash(task.sessionId, taskId, STEP, slot.attempt, msg.sender, resultRoot, salt);
        if (revealed != slot.precommit) revert PrecommitMismatch(slot.precommit, revealed);
        _markEffect(effectId);
        slot.state = SlotState.Revealed;
        ++task.revealCount;
        emit TaskRevealed(task.sessionId, taskId, msg.sender, resultRoot, resultDigest);
        _advance(task, taskId);
    }

    /// @notice Takes the slot of a miner that missed its deadline. Before all precommits the slot goes to the
    /// replacement, or is dropped where there is none or the attempts are used up; after, it is dropped and the miner
    /// slashed. Only an active oracle may.
    /// @param taskId The task.
    /// @param miner The late miner.
    /// @param replacement An active miner that was never in the task, or zero.
    /// @param effectId The sender's id of this call.
    function reassign(bytes32 taskId, address miner, address replacement, bytes32 effectId) external {
        Task storage task = _known(taskId);
        if (!REGISTRY.isActive(msg.sender, Role.Oracle)) revert NodeNotActive(msg.sender, Role.Oracle);
        Slot storage slot = task.slotOf(taskId, miner);
        uint40 dueBy = task.dueByOf(taskId, slot);
        if (block.timestamp <= dueBy) revert NotDue(taskId, dueBy);
        _markEffect(effectId);
        task.oracle = msg.sender;
        if (task.state == TaskState.Precommitted) {
            task.dropUnrevealed(slot, taskId, REGISTRY);
        } else if (replacement == address(0) || slot.attempt == Limits.SLOT_ATTEMPTS_MAX) {
            task.drop(slot, taskId);
        } else {
            task.requireReplacement(taskId, replacement, REGISTRY, SESSIONS);
            task.replace(slot, taskId, replacement);
        }
        _advance(task, taskId);
    }

    /// @notice Says what the sender found about the results. Only a validator of the task may, once. The task is
    /// validated when more than half of its validators found the same, or when all have attested: then the outcome
    /// with most votes stands.
    /// @param taskId The task.
    /// @param winner The miner whose result is the task's; one of the honest.
    /// @param honest The miners to pay, in any order; each has revealed.
    /// @param promptTokens Tokens of the prompt.
    /// @param outputTokens Tokens of the output.
    /// @param reportDigest The digest of the sender's report.
    /// @param effectId The sender's id of this call.
    function attest(
        bytes32 taskId,
        address winner,
        address[] calldata honest,
        uint32 promptTokens,
        uint32 outputTokens,
        bytes32 reportDigest,
        bytes32 effectId
    ) external {
        Task storage task = _knownIn(taskId, TaskState.Committed);
        uint256 index = task.cast(taskId, winner, honest, promptTokens, outputTokens);
        _markEffect(effectId);
        emit ResultAttested(task.sessionId, taskId, msg.sender, reportDigest);
        task.decideIfClear(taskId, index, reportDigest);
    }

    /// @notice Decides a task whose validators let `attestBy` pass: the outcome with most votes stands; with none, the
    /// task is refunded. Anyone may.
    /// @param taskId The task.
    /// @param effectId The sender's id of this call.
    function resolve(bytes32 taskId, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Committed);
        if (block.timestamp <= task.phaseBy) revert NotDue(taskId, task.phaseBy);
        _markEffect(effectId);
        if (task.castCount == 0) {
            _refund(task, taskId, RefundReason.Exhausted);
        } else {
            task.decide(taskId, task.leading(), 0);
        }
    }

    /// @notice Pays for a validated task, returns the rest of its escrow and slashes the outliers. Anyone may.
    /// @param taskId The task.
    /// @param manifestDigest The digest of the manifest under which all about the task is stored.
    /// @param effectId The sender's id of this call.
    function settle(bytes32 taskId, bytes32 manifestDigest, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Validated);
        _markEffect(effectId);
        task.state = TaskState.Settled;
        uint64 sessionId = task.sessionId;
        Outcome memory outcome = task.outcome();
        (uint128 priceWei, Payment[] memory payments) = task.bill(outcome, SESSIONS, PARAMETERS);
        task.slashOutliers(taskId, outcome.honest, REGISTRY);
        uint128 returnedWei = SESSIONS.release(sessionId, task.escrowWei, task.demandPpm, payments);
        emit TaskSettled(sessionId, taskId, priceWei, returnedWei, payments, manifestDigest);
    }

    /// @notice Takes a task back before its miners are all bound, and refunds it. The session's owner or a listed
    /// router may.
    /// @param taskId The task.
    /// @param effectId The sender's id of this call.
    function cancel(bytes32 taskId, bytes32 effectId) external {
        Task storage task = _known(taskId);
        if (task.state > TaskState.Executing) revert WrongTaskState(taskId, task.state);
        if (!SESSIONS.isOwnerOrRouter(task.sessionId, msg.sender)) revert NotOwnerOrRouter(task.sessionId, msg.sender);
        _markEffect(effectId);
        _refund(task, taskId, RefundReason.Cancelled);
    }

    /// @notice Moves on a task that everybody who should has given up on. Anyone may, after `expireBy`. Before all
    /// precommits the task is refunded; after, the miners that did not reveal are dropped and slashed, so that those
    /// who did are not robbed by silent oracles.
    /// @param taskId The task.
    /// @param effectId The sender's id of this call.
    function expire(bytes32 taskId, bytes32 effectId) external {
        Task storage task = _known(taskId);
        if (task.state > TaskState.Precommitted) revert WrongTaskState(taskId, task.state);
        if (block.timestamp <= task.expireBy) revert NotDue(taskId, task.expireBy);
        _markEffect(effectId);
        if (task.state != TaskState.Precommitted) return _refund(task, taskId, RefundReason.Expired);
        task.dropAllUnrevealed(taskId, REGISTRY);
        _advance(task, taskId);
    }

    /// @notice All about a task; the state is `None` if there is no such task.
    /// @param taskId The task.
    function taskOf(bytes32 taskId) external view returns (TaskRecord memory record) {
        return _tasks[taskId].record();
    }

    /// @notice The id of a task, known before it is submitted.
    /// @param sessionId Its session.
    /// @param requestId Its submitter's own id.
    function taskIdOf(uint64 sessionId, bytes32 requestId) public pure returns (bytes32) {
        return keccak256(abi.encode(sessionId, requestId));
    }

    /// @dev Ends a phase when the last live slot has done its part, and the task when no slot is left.
    function _advance(Task storage task, bytes32 taskId) private {
        if (!task.advance(taskId)) _refund(task, taskId, RefundReason.Exhausted);
    }

    function _refund(Task storage task, bytes32 taskId, RefundReason reason) private {
        task.state = TaskState.Refunded;
        uint128 escrowWei = task.escrowWei;
        SESSIONS.release(task.sessionId, escrowWei, task.demandPpm, new Payment[](0));
        emit TaskRefunded(task.sessionId, taskId, escrowWei, reason);
    }

    function _known(bytes32 taskId) private view returns (Task storage task) {
        task = _tasks[taskId];
        if (task.state == TaskState.None) revert UnknownTask(taskId);
    }

    function _knownIn(bytes32 taskId, TaskState state) private view returns (Task storage task) {
        task = _known(taskId);
        if (task.state != state) revert WrongTaskState(taskId, task.state);
    }
}

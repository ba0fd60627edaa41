// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Sessions} from "./Sessions.sol";
import {TaskQueueEvents} from "./TaskQueueEvents.sol";
import {Assignment} from "./libraries/Assignment.sol";
import {Limits} from "./libraries/Limits.sol";
import {Precommit} from "./libraries/Precommit.sol";
import {PriceSplit} from "./libraries/PriceSplit.sol";
import {Rates} from "./libraries/Rates.sol";
import {Slots} from "./libraries/Slots.sol";
import {Tally} from "./libraries/Tally.sol";
import {Role, SlashReason} from "./types/Node.sol";
import {Payment, TaskRules} from "./types/Session.sol";
import {Ballot, Outcome, RefundReason, Slot, SlotState, Task, TaskRecord, TaskState} from "./types/Task.sol";

/// @title The task state machine
/// @notice A task is submitted, assigned, acknowledged, precommitted, revealed, attested and settled; whatever does
/// not happen in time is somebody's to end, so that no escrow is ever stuck. Deadlines do not close a door by
/// themselves: who is late may still act until somebody uses the deadline.
/// @dev Calls out to the registry and the sessions only, which call nobody but the token.
contract TaskQueue is EffectLog, TaskQueueEvents {
    using Assignment for Task;
    using Slots for Task;
    using Tally for Task;

    /// @dev Steps are for tasks of several; the contract knows single ones.
    uint256 private constant STEP = 0;

    /// @notice Roles, activity and stake.
    NodeRegistry public immutable REGISTRY;
    /// @notice Money and terms.
    Sessions public immutable SESSIONS;
    /// @notice Who gets what nobody else earned.
    address public immutable TREASURY;

    mapping(bytes32 taskId => Task) private _tasks;

    /// @param registry Roles, activity and stake.
    /// @param sessions Money and terms.
    /// @param treasury Who gets what nobody else earned.
    constructor(NodeRegistry registry, Sessions sessions, address treasury) {
        if (treasury == address(0)) revert ZeroTreasury();
        REGISTRY = registry;
        SESSIONS = sessions;
        TREASURY = treasury;
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
        taskId = taskIdOf(sessionId, requestId);
        Task storage task = _tasks[taskId];
        if (task.state != TaskState.None) revert TaskExists(taskId);
        _markEffect(effectId);
        TaskRules memory rules = SESSIONS.escrow(sessionId, msg.sender, maxPriceWei);
        task.sessionId = sessionId;
        task.state = TaskState.Queued;
        task.level = rules.level;
        task.submittedBlock = uint40(block.number);
        task.expireBy = uint40(block.timestamp) + rules.queueTimeoutS;
        task.escrowWei = rules.escrowWei;
        task.ackTimeoutS = rules.ackTimeoutS;
        task.executeTimeoutS = rules.executeTimeoutS;
        task.revealTimeoutS = rules.revealTimeoutS;
        task.validateTimeoutS = rules.validateTimeoutS;
        task.redundancy = rules.redundancy;
        task.validators = rules.validators;
        task.dedicated = rules.dedicated;
        emit TaskSubmitted(sessionId, taskId, requestId, msg.sender, promptDigest, maxTokens, rules.escrowWei);
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
        _requireNodes(miners, Role.Miner);
        _requireNodes(validators, Role.Validator);
        _requireDedicated(task, miners);
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
            _dropUnrevealed(task, slot, taskId);
        } else if (replacement == address(0) || slot.attempt == Limits.SLOT_ATTEMPTS_MAX) {
            _drop(task, slot, taskId);
        } else {
            _replace(task, slot, taskId, replacement);
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
        uint256 index = task.findBallot(msg.sender);
        if (index == Tally.NONE) revert NotValidatorOfTask(taskId, msg.sender);
        Ballot storage ballot = task.ballots[index];
        if (ballot.cast) revert AlreadyAttested(taskId, msg.sender);
        (ballot.winner, ballot.honest) = task.verdict(taskId, winner, honest);
        _markEffect(effectId);
        ballot.cast = true;
        ballot.promptTokens = promptTokens;
        ballot.outputTokens = outputTokens;
        ++task.castCount;
        emit ResultAttested(task.sessionId, taskId, msg.sender, reportDigest);
        _decideIfClear(task, taskId, index, reportDigest);
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
            _decide(task, taskId, task.leading(), 0);
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
        uint128 priceWei = _priceOf(task, outcome);
        Payment[] memory payments = PriceSplit.split(
            priceWei, task.minersIn(outcome.honest), task.votersOf(), task.router, task.oracle, TREASURY
        );
        _slashOutliers(task, taskId, outcome.honest);
        uint128 returnedWei = SESSIONS.release(sessionId, task.escrowWei, payments);
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
        uint256 count = task.slotCount;
        for (uint256 i = 0; i < count; ++i) {
            Slot storage slot = task.slots[i];
            if (slot.state == SlotState.Precommitted) _dropUnrevealed(task, slot, taskId);
        }
        _advance(task, taskId);
    }

    /// @notice All about a task; the state is `None` if there is no such task.
    /// @param taskId The task.
    function taskOf(bytes32 taskId) external view returns (TaskRecord memory record) {
        Task storage task = _tasks[taskId];
        record.sessionId = task.sessionId;
        record.state = task.state;
        record.escrowWei = task.escrowWei;
        record.submittedBlock = task.submittedBlock;
        record.phaseBy = task.phaseBy;
        record.expireBy = task.expireBy;
        record.router = task.router;
        record.oracle = task.oracle;
        record.replaced = task.replaced;
        record.slots = new Slot[](task.slotCount);
        for (uint256 i = 0; i < record.slots.length; ++i) {
            record.slots[i] = task.slots[i];
        }
        record.ballots = new Ballot[](task.ballotCount);
        for (uint256 i = 0; i < record.ballots.length; ++i) {
            record.ballots[i] = task.ballots[i];
        }
    }

    /// @notice The id of a task, known before it is submitted.
    /// @param sessionId Its session.
    /// @param requestId Its submitter's own id.
    function taskIdOf(uint64 sessionId, bytes32 requestId) public pure returns (bytes32) {
        return keccak256(abi.encode(sessionId, requestId));
    }

    // ---------------------------------------------------------------- assignment

    function _requireNodes(address[] calldata nodes, Role role) private view {
        Assignment.requireDistinct(nodes);
        if (nodes.length == 0) return;
        address inactive = REGISTRY.firstInactive(nodes, role);
        if (inactive != address(0)) revert NodeNotActive(inactive, role);
    }

    function _requireDedicated(Task storage task, address[] calldata miners) private view {
        if (!task.dedicated) return;
        for (uint256 i = 0; i < miners.length; ++i) {
            _requireDedicated(task, miners[i]);
        }
    }

    function _requireDedicated(Task storage task, address miner) private view {
        if (!SESSIONS.mayMine(task.sessionId, miner)) revert MinerNotDedicated(task.sessionId, miner);
    }

    // ---------------------------------------------------------------- slots

    function _drop(Task storage task, Slot storage slot, bytes32 taskId) private {
        slot.state = SlotState.Dropped;
        --task.liveCount;
        emit MinerReassigned(task.sessionId, taskId, slot.miner, address(0), slot.attempt, msg.sender, 0);
    }

    function _dropUnrevealed(Task storage task, Slot storage slot, bytes32 taskId) private {
        _drop(task, slot, taskId);
        REGISTRY.slash(slot.miner, Rates.UNREVEALED_SLASH_WEI, taskId, SlashReason.Unrevealed);
    }

    function _replace(Task storage task, Slot storage slot, bytes32 taskId, address replacement) private {
        if (!REGISTRY.isActive(replacement, Role.Miner)) revert NodeNotActive(replacement, Role.Miner);
        if (task.dedicated) _requireDedicated(task, replacement);
        task.requireUnseen(taskId, replacement);
        address miner = slot.miner;
        uint40 ackBy = uint40(block.timestamp) + task.ackTimeoutS;
        task.replace(slot, replacement, ackBy);
        emit MinerReassigned(task.sessionId, taskId, miner, replacement, slot.attempt, msg.sender, ackBy);
    }

    // ---------------------------------------------------------------- phases

    /// @dev Ends a phase when the last live slot has done its part, or was dropped.
    function _advance(Task storage task, bytes32 taskId) private {
        uint8 live = task.liveCount;
        if (live == 0) {
            _refund(task, taskId, RefundReason.Exhausted);
        } else if (task.state == TaskState.Precommitted) {
            if (task.revealCount == live) _allRevealed(task, taskId);
        } else if (task.precommitCount == live) {
            _allPrecommitted(task, taskId);
        }
    }

    function _allPrecommitted(Task storage task, bytes32 taskId) private {
        uint40 revealBy = uint40(block.timestamp) + task.revealTimeoutS;
        // Oracles get as long again to drop the silent before anyone may.
        uint40 expireBy = revealBy + task.revealTimeoutS;
        task.state = TaskState.Precommitted;
        task.phaseBy = revealBy;
        if (task.expireBy < expireBy) task.expireBy = expireBy;
        emit AllPrecommitted(task.sessionId, taskId, revealBy);
    }

    function _allRevealed(Task storage task, bytes32 taskId) private {
        uint40 attestBy = uint40(block.timestamp) + task.validateTimeoutS;
        task.state = TaskState.Committed;
        task.phaseBy = attestBy;
        emit AllRevealed(task.sessionId, taskId, attestBy);
        if (task.level == 0) _decide(task, taskId, 0, 0);
    }

    function _decideIfClear(Task storage task, bytes32 taskId, uint256 index, bytes32 reportDigest) private {
        if (task.votesFor(index) * 2 > task.ballotCount) {
            _decide(task, taskId, index, reportDigest);
        } else if (task.castCount == task.ballotCount) {
            uint256 best = task.leading();
            bool mine = Tally.same(task.ballots[best], task.ballots[index]);
            _decide(task, taskId, best, mine ? reportDigest : bytes32(0));
        }
    }

    function _decide(Task storage task, bytes32 taskId, uint256 ballot, bytes32 reportDigest) private {
        task.state = TaskState.Validated;
        // forge-lint: disable-next-line(unsafe-typecast) there are at most 16 ballots
        task.decidingBallot = uint8(ballot);
        Outcome memory outcome = task.outcome();
        emit ResultValidated(
            task.sessionId,
            taskId,
            task.slots[outcome.winner].miner,
            task.minersIn(outcome.honest),
            outcome.promptTokens,
            outcome.outputTokens,
            reportDigest
        );
    }

    // ---------------------------------------------------------------- money

    /// @dev At level 0 nobody has counted tokens, so the price is what was agreed to at most.
    function _priceOf(Task storage task, Outcome memory outcome) private view returns (uint128) {
        if (task.level == 0) return task.escrowWei;
        (uint128 promptTokenWei, uint128 outputTokenWei) = SESSIONS.tokenPricesOf(task.sessionId);
        return
            PriceSplit.price(outcome.promptTokens, outcome.outputTokens, promptTokenWei, outputTokenWei, task.escrowWei);
    }

    function _slashOutliers(Task storage task, bytes32 taskId, uint16 honest) private {
        uint256 count = task.slotCount;
        for (uint256 i = 0; i < count; ++i) {
            Slot storage slot = task.slots[i];
            if (honest & Tally.bit(i) != 0 || slot.state != SlotState.Revealed) continue;
            REGISTRY.slash(slot.miner, Rates.OUTLIER_SLASH_WEI, taskId, SlashReason.Outlier);
        }
    }

    function _refund(Task storage task, bytes32 taskId, RefundReason reason) private {
        task.state = TaskState.Refunded;
        uint128 escrowWei = task.escrowWei;
        SESSIONS.release(task.sessionId, escrowWei, new Payment[](0));
        emit TaskRefunded(task.sessionId, taskId, escrowWei, reason);
    }

    // ---------------------------------------------------------------- look-up

    function _known(bytes32 taskId) private view returns (Task storage task) {
        task = _tasks[taskId];
        if (task.state == TaskState.None) revert UnknownTask(taskId);
    }

    function _knownIn(bytes32 taskId, TaskState state) private view returns (Task storage task) {
        task = _known(taskId);
        if (task.state != state) revert WrongTaskState(taskId, task.state);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "./NodeRegistry.sol";
import {Parameters} from "./Parameters.sol";
import {Sessions} from "./Sessions.sol";
import {TaskRounds} from "./TaskRounds.sol";
import {Limits} from "./libraries/Limits.sol";
import {Steps} from "./libraries/Steps.sol";
import {Escrow, SettlementMode} from "./types/Session.sol";
import {Task, TaskState} from "./types/Task.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title How tasks come into the queue
/// @notice By themselves, or after others of their session.
abstract contract TaskEntries is TaskRounds {
    using SafeCast for uint256;

    constructor(NodeRegistry registry, Sessions sessions, Parameters parameters, address appeals)
        TaskRounds(registry, sessions, parameters, appeals)
    {}

    /// @notice Submits a task and escrows its highest price. The session's owner may, and a listed router where the
    /// terms or an allowance let it; the session is one whose tasks are settled one by one.
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
        uint128 escrowWei;
        (taskId, escrowWei) = _submit(sessionId, requestId, maxPriceWei, effectId);
        emit TaskSubmitted(sessionId, taskId, requestId, msg.sender, promptDigest, maxTokens, escrowWei);
    }

    /// @notice {submit} of a task that comes after others of its session: it can be assigned once they are all settled, and
    /// its prompt is made of what they say. Once one of them ends without pay, {refundStep} ends it too.
    /// @param sessionId The session that pays.
    /// @param requestId The submitter's own id of the request.
    /// @param templateDigest The digest of what the prompt is made of.
    /// @param maxTokens How long the output may be.
    /// @param maxPriceWei The most the submitter wants to pay; it is set aside now.
    /// @param parents One to eight tasks of the session that did not end without pay, in the order of their ids.
    /// @param effectId The sender's id of this call.
    /// @return taskId {taskIdOf} the request.
    function submitAfter(
        uint64 sessionId,
        bytes32 requestId,
        bytes32 templateDigest,
        uint32 maxTokens,
        uint128 maxPriceWei,
        bytes32[] memory parents,
        bytes32 effectId
    ) external returns (bytes32 taskId) {
        uint128 escrowWei;
        (taskId, escrowWei) = _submit(sessionId, requestId, maxPriceWei, effectId);
        uint8 step = Steps.begin(_tasks, parentOf, taskId, parents, SESSIONS);
        emit StepSubmitted(
            sessionId, taskId, requestId, msg.sender, templateDigest, maxTokens, escrowWei, step, parents
        );
    }

    /// @notice Refunds a step one of whose parents ended without pay, without a wait. Anyone may.
    /// @param taskId The step, which is queued.
    /// @param effectId The sender's id of this call.
    function refundStep(bytes32 taskId, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Queued);
        _markEffect(effectId);
        Steps.refund(_tasks, parentOf[taskId], _roundOf(task), taskId, SESSIONS);
    }

    /// @dev Puts a task that waits for nothing but its miners into the queue, and sets its highest price aside.
    function _submit(uint64 sessionId, bytes32 requestId, uint128 maxPriceWei, bytes32 effectId)
        internal
        returns (bytes32 taskId, uint128 escrowWei)
    {
        PARAMETERS.requireEntriesOpen();
        taskId = taskIdOf(sessionId, requestId);
        if (_tasks[taskId].state != TaskState.None) revert TaskExists(taskId);
        _markEffect(effectId);
        Escrow memory held = SESSIONS.escrow(sessionId, msg.sender, maxPriceWei);
        _requirePerTask(sessionId, held.version);
        _enqueue(taskId, sessionId, held);
        escrowWei = held.escrowWei;
    }

    function _enqueue(bytes32 taskId, uint64 sessionId, Escrow memory held) internal {
        _tasks[taskId] = Task({
            sessionId: uint256(sessionId).toUint32(),
            submittedBlock: block.number.toUint32(),
            expireBy: (block.timestamp + held.queueTimeoutS).toUint32(),
            escrowWei: uint256(held.escrowWei).toUint96(),
            version: uint256(held.version).toUint16(),
            state: TaskState.Queued,
            step: 0,
            lane: 0,
            demandE5: (uint256(held.demandPpm) / Limits.PPM_PER_E5).toUint24()
        });
    }

    /// @dev Tasks of a batched session are settled elsewhere.
    function _requirePerTask(uint64 sessionId, uint32 version) internal view {
        if (SESSIONS.rulesOf(sessionId, version).settlement != SettlementMode.PerTask) {
            revert SessionBatched(sessionId, version);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sessions} from "../Sessions.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {TaskRules} from "../types/Session.sol";
import {RefundReason, Round, Task, TaskState} from "../types/Task.sol";
import {Assignment} from "./Assignment.sol";
import {Limits} from "./Limits.sol";
import {Settlement} from "./Settlement.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Tasks that come after others
/// @notice Deployed by itself and linked into the queue, as {Upkeep} is. A step is a task like any other, with a list of
/// the tasks that it waits for; a task without one costs nothing of this but a look at its step.
library Steps {
    using SafeCast for uint256;
    using Settlement for Task;

    /// @notice `TaskQueue.submitAfter`, once the task is in the queue as one without parents: has it wait for them.
    /// @param tasks All tasks.
    /// @param parentsOf What each step waits for, ended by zero where there are fewer than the most.
    /// @param taskId The step.
    /// @param list Those it comes after.
    /// @param sessions Where its terms are.
    /// @return step Where in a row it stands.
    function begin(
        mapping(bytes32 => Task) storage tasks,
        mapping(bytes32 => bytes32[8]) storage parentsOf,
        bytes32 taskId,
        bytes32[] memory list,
        Sessions sessions
    ) external returns (uint8 step) {
        Task storage task = tasks[taskId];
        bytes32[8] storage parents = parentsOf[taskId];
        uint256 count = list.length;
        if (count == 0 || count > Limits.PARENTS_MAX) {
            revert TaskQueueEvents.ParentCountOutOfBounds(count, Limits.PARENTS_MAX);
        }
        uint32 sessionId = task.sessionId;
        uint256 latest = block.timestamp;
        for (uint256 i = 0; i < count; ++i) {
            bytes32 id = list[i];
            if (i != 0 && id <= list[i - 1]) revert TaskQueueEvents.ParentsUnordered(id);
            Task memory parent = tasks[id];
            _requireFit(parent, id, taskId, sessionId);
            if (parent.step >= step) step = parent.step + 1;
            if (parent.state != TaskState.Settled && parent.expireBy > latest) latest = parent.expireBy;
            parents[i] = id;
        }
        task.step = step;
        TaskRules memory rules = sessions.rulesOf(sessionId, task.version);
        task.expireBy = (latest + _longest(rules) + rules.queueTimeoutS).toUint32();
    }

    /// @notice Reverts unless all that a step comes after is settled.
    /// @param tasks All tasks.
    /// @param parents What the step waits for.
    /// @param taskId The step.
    function requireReady(mapping(bytes32 => Task) storage tasks, bytes32[8] storage parents, bytes32 taskId)
        external
        view
    {
        for (uint256 i = 0; i < Limits.PARENTS_MAX; ++i) {
            bytes32 parent = parents[i];
            if (parent == 0) return;
            if (tasks[parent].state != TaskState.Settled) revert TaskQueueEvents.StepNotReady(taskId, parent);
        }
    }

    /// @notice `TaskQueue.refundStep`.
    /// @param tasks All tasks.
    /// @param parents What the step waits for; nothing, of a task that is none.
    /// @param round What stands where the step's round would be; it has none.
    /// @param taskId The step.
    /// @param sessions Where its money is.
    function refund(
        mapping(bytes32 => Task) storage tasks,
        bytes32[8] storage parents,
        Round storage round,
        bytes32 taskId,
        Sessions sessions
    ) external {
        for (uint256 i = 0; i < Limits.PARENTS_MAX; ++i) {
            // Nothing has the id zero, so what is past the end of the list is refunded never.
            if (tasks[parents[i]].state != TaskState.Refunded) continue;
            return tasks[taskId].refund(round, taskId, RefundReason.ParentFailed, sessions);
        }
        revert TaskQueueEvents.NoParentRefunded(taskId);
    }

    /// @dev A parent is another task of the same session that did not end without pay, with room for a step after it.
    function _requireFit(Task memory parent, bytes32 id, bytes32 taskId, uint32 sessionId) private pure {
        // A task that does not exist is of no session. The step itself is in the queue already.
        if (parent.sessionId != sessionId || parent.state == TaskState.Refunded || id == taskId) {
            revert TaskQueueEvents.ParentUnfit(id, uint64(parent.sessionId), parent.state);
        }
        if (parent.step >= Limits.STEP_MAX) revert TaskQueueEvents.StepTooDeep(id, Limits.STEP_MAX);
    }

    /// @dev How long a parent can live from its `expireBy` on where everybody comes at the last moment: through a round, and
    /// through an appeal where the terms have one.
    function _longest(TaskRules memory rules) private view returns (uint256) {
        uint256 round = Assignment.hardDeadline(rules) - block.timestamp;
        if (rules.appealWindowS == 0) return round;
        return round + rules.appealWindowS + 2 * uint256(rules.ackTimeoutS) + rules.validateTimeoutS;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {Sessions} from "../Sessions.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {TaskRules} from "../types/Session.sol";
import {Outcome, RefundReason, Round, Task, TaskState} from "../types/Task.sol";
import {Opinions} from "./Opinions.sol";
import {Roster} from "./Roster.sol";
import {Settlement} from "./Settlement.sol";

/// @title The phases of a task
/// @notice A phase ends when the last live slot has done its part or was dropped, and the last one when it is clear
/// what the validators found.
library Phases {
    using Opinions for Round;
    using Roster for Round;
    using Settlement for Task;

    /// @dev Ends the phase if all live slots have done their part, and the task where no slot is left.
    function advance(Task storage task, Round storage round, bytes32 taskId, Sessions sessions, NodeRegistry registry)
        internal
    {
        uint8 live = round.liveCount;
        if (live == 0) return task.refund(round, taskId, RefundReason.Exhausted, sessions);
        if (round.doneCount != live) return;
        round.doneCount = 0;
        TaskRules memory rules = sessions.rulesOf(task.sessionId, task.version);
        if (task.state == TaskState.Precommitted) {
            _allRevealed(task, round, taskId, rules);
            if (rules.level != 0) return;
            round.electRevealed();
            decide(task, round, taskId, 0, round.minersOf(registry));
        } else {
            _allPrecommitted(task, round, taskId, rules);
        }
    }

    /// @dev Decides the task after somebody found an outcome: if more than half of all validators did, or if all have
    /// said something.
    function decideIfClear(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        uint256 place,
        bytes32 reportDigest,
        address[] memory roster
    ) internal {
        uint256 validators = round.validatorCount;
        uint256 best = place;
        if (round.votesAt(place) * 2 <= validators) {
            if (Opinions.size(round.voted()) != validators) return;
            best = round.leading();
        }
        round.elect(best);
        decide(task, round, taskId, best == place ? reportDigest : bytes32(0), roster);
    }

    /// @dev Decides the task by what the round says. The roster begins with the miners.
    function decide(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        bytes32 reportDigest,
        address[] memory roster
    ) internal {
        task.state = TaskState.Validated;
        Outcome memory outcome = round.standing();
        emit TaskQueueEvents.ResultValidated(
            task.sessionId,
            taskId,
            roster[outcome.winner],
            Roster.pick(roster, 0, outcome.honest),
            outcome.promptTokens,
            outcome.outputTokens,
            reportDigest
        );
    }

    function _allPrecommitted(Task storage task, Round storage round, bytes32 taskId, TaskRules memory rules) private {
        uint40 revealBy = uint40(block.timestamp) + rules.revealTimeoutS;
        // Oracles get as long again to drop the silent before anyone may.
        uint256 expireBy = uint256(revealBy) + rules.revealTimeoutS;
        task.state = TaskState.Precommitted;
        round.phaseBy = revealBy;
        // forge-lint: disable-next-line(unsafe-typecast) two hours after now at most
        if (task.expireBy < expireBy) task.expireBy = uint32(expireBy);
        emit TaskQueueEvents.AllPrecommitted(task.sessionId, taskId, revealBy);
    }

    function _allRevealed(Task storage task, Round storage round, bytes32 taskId, TaskRules memory rules) private {
        uint40 attestBy = uint40(block.timestamp) + rules.validateTimeoutS;
        task.state = TaskState.Committed;
        round.phaseBy = attestBy;
        emit TaskQueueEvents.AllRevealed(task.sessionId, taskId, attestBy);
    }
}

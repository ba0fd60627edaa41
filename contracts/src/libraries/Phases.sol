// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {Sessions} from "../Sessions.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {TaskRules} from "../types/Session.sol";
import {Finality, Outcome, RefundReason, Round, Task, TaskState} from "../types/Task.sol";
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

    /// @dev {advance} after a slot was dropped, which may have been the last: then the task ends.
    function advanceWithout(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        Sessions sessions,
        NodeRegistry registry
    ) internal {
        if (round.liveCount == 0) {
            return task.refund(round, taskId, RefundReason.Exhausted, sessions);
        }
        advance(task, round, taskId, sessions, registry);
    }

    /// @dev Ends the phase if all live slots have done their part.
    function advance(Task storage task, Round storage round, bytes32 taskId, Sessions sessions, NodeRegistry registry)
        internal
    {
        if (round.doneCount != round.liveCount) return;
        round.doneCount = 0;
        TaskRules memory rules = sessions.rulesOf(task.sessionId, task.version);
        if (task.state == TaskState.Precommitted) {
            _allRevealed(task, round, taskId, rules);
            if (rules.level != 0) return;
            round.electRevealed();
            _decide(task, round, taskId, 0, round.minersOf(registry));
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
        address[] memory roster,
        Sessions sessions
    ) internal {
        uint256 validators = round.validatorCount;
        uint256 best = place;
        if (round.votesAt(place) * 2 <= validators) {
            if (Opinions.size(round.voted()) != validators) return;
            best = round.leading();
        }
        round.elect(best);
        decide(task, round, taskId, best == place ? reportDigest : bytes32(0), roster, sessions);
    }

    /// @dev Decides the task by what its validators found, which the terms may let be appealed for a while.
    function decide(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        bytes32 reportDigest,
        address[] memory roster,
        Sessions sessions
    ) internal {
        _decide(task, round, taskId, reportDigest, roster);
        if (round.finality == Finality.Immediate) return;
        (uint64 sessionId, uint32 version) = (task.sessionId, task.version);
        uint40 appealBy = uint40(block.timestamp) + sessions.rulesOf(sessionId, version).appealWindowS;
        // forge-lint: disable-next-line(unsafe-typecast) a day after now at most
        round.phaseBy = uint32(appealBy);
        emit TaskQueueEvents.OutcomeAppealable(sessionId, taskId, appealBy);
    }

    /// @dev Decides the task by what the round says. The roster begins with the miners.
    function _decide(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        bytes32 reportDigest,
        address[] memory roster
    ) private {
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
        // forge-lint: disable-start(unsafe-typecast) two hours after now at most
        round.phaseBy = uint32(revealBy);
        if (task.expireBy < expireBy) task.expireBy = uint32(expireBy);
        // forge-lint: disable-end(unsafe-typecast)
        emit TaskQueueEvents.AllPrecommitted(task.sessionId, taskId, revealBy);
    }

    function _allRevealed(Task storage task, Round storage round, bytes32 taskId, TaskRules memory rules) private {
        uint40 attestBy = uint40(block.timestamp) + rules.validateTimeoutS;
        task.state = TaskState.Committed;
        // forge-lint: disable-next-line(unsafe-typecast) an hour after now at most
        round.phaseBy = uint32(attestBy);
        // What nobody attested nobody can have attested wrongly.
        bool appealable = rules.appealWindowS != 0 && rules.level != 0;
        round.finality = appealable ? Finality.Appealable : Finality.Immediate;
        emit TaskQueueEvents.AllRevealed(task.sessionId, taskId, attestBy);
    }
}

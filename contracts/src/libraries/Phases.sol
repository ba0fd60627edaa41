// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Escrow, PoolMode, TaskRules} from "../types/Session.sol";
import {Outcome, Task, TaskState} from "../types/Task.sol";
import {Tally} from "./Tally.sol";

/// @title The phases of a task
/// @notice A phase ends when the last live slot has done its part or was dropped, and the last one when the ballots
/// are clear.
library Phases {
    using Tally for Task;

    /// @dev Writes a new task, with the terms it runs under.
    function enqueue(Task storage task, uint64 sessionId, Escrow memory held, TaskRules memory rules) internal {
        task.sessionId = sessionId;
        task.state = TaskState.Queued;
        task.level = rules.level;
        task.submittedBlock = uint40(block.number);
        task.expireBy = uint40(block.timestamp) + rules.queueTimeoutS;
        task.escrowWei = held.escrowWei;
        task.version = held.version;
        task.demandPpm = held.demandPpm;
        task.ackTimeoutS = rules.ackTimeoutS;
        task.executeTimeoutS = rules.executeTimeoutS;
        task.revealTimeoutS = rules.revealTimeoutS;
        task.validateTimeoutS = rules.validateTimeoutS;
        task.redundancy = rules.redundancy;
        task.validators = rules.validators;
        task.minMiners = rules.minMiners;
        task.dedicated = rules.mode == PoolMode.Dedicated;
    }

    /// @dev Ends the phase if all live slots have done their part. Where no slot is left it returns false: the task
    /// cannot go on.
    function advance(Task storage task, bytes32 taskId) internal returns (bool) {
        uint8 live = task.liveCount;
        if (live == 0) return false;
        if (task.state == TaskState.Precommitted) {
            if (task.revealCount == live) _allRevealed(task, taskId);
        } else if (task.precommitCount == live) {
            _allPrecommitted(task, taskId);
        }
        return true;
    }

    /// @dev Decides the task after a ballot was cast if more than half of all ballots say what it says, or if it was
    /// the last one.
    function decideIfClear(Task storage task, bytes32 taskId, uint256 index, bytes32 reportDigest) internal {
        if (task.votesFor(index) * 2 > task.ballotCount) {
            decide(task, taskId, index, reportDigest);
        } else if (task.castCount == task.ballotCount) {
            uint256 best = task.leading();
            bool mine = Tally.same(task.ballots[best], task.ballots[index]);
            decide(task, taskId, best, mine ? reportDigest : bytes32(0));
        }
    }

    /// @dev Decides the task by one ballot, which at level 0 does not exist and is not looked at.
    function decide(Task storage task, bytes32 taskId, uint256 ballot, bytes32 reportDigest) internal {
        task.state = TaskState.Validated;
        // forge-lint: disable-next-line(unsafe-typecast) there are at most 16 ballots
        task.decidingBallot = uint8(ballot);
        Outcome memory outcome = task.outcome();
        emit TaskQueueEvents.ResultValidated(
            task.sessionId,
            taskId,
            task.slots[outcome.winner].miner,
            task.minersIn(outcome.honest),
            outcome.promptTokens,
            outcome.outputTokens,
            reportDigest
        );
    }

    function _allPrecommitted(Task storage task, bytes32 taskId) private {
        uint40 revealBy = uint40(block.timestamp) + task.revealTimeoutS;
        // Oracles get as long again to drop the silent before anyone may.
        uint40 expireBy = revealBy + task.revealTimeoutS;
        task.state = TaskState.Precommitted;
        task.phaseBy = revealBy;
        if (task.expireBy < expireBy) task.expireBy = expireBy;
        emit TaskQueueEvents.AllPrecommitted(task.sessionId, taskId, revealBy);
    }

    function _allRevealed(Task storage task, bytes32 taskId) private {
        uint40 attestBy = uint40(block.timestamp) + task.validateTimeoutS;
        task.state = TaskState.Committed;
        task.phaseBy = attestBy;
        emit TaskQueueEvents.AllRevealed(task.sessionId, taskId, attestBy);
        if (task.level == 0) decide(task, taskId, 0, 0);
    }
}

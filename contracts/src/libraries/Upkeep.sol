// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {Sessions} from "../Sessions.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Role} from "../types/Node.sol";
import {PoolMode, TaskRules} from "../types/Session.sol";
import {Outcome, RefundReason, Round, Seat, Task, TaskState} from "../types/Task.sol";
import {Limits} from "./Limits.sol";
import {Opinions} from "./Opinions.sol";
import {Phases} from "./Phases.sol";
import {Reassignment} from "./Reassignment.sol";
import {Records} from "./Records.sol";
import {Roster} from "./Roster.sol";
import {Seats} from "./Seats.sol";
import {Settlement} from "./Settlement.sol";
import {Net} from "./Verdicts.sol";

/// @title What is done when nobody carries a task on
/// @notice Lateness, ballots cast one by one, and how a task is shown. Deployed by itself and linked into the queue,
/// which would be larger than a contract may be: it runs in the queue's name and storage, and costs 3,000 gas more.
library Upkeep {
    using Opinions for Round;
    using Phases for Task;
    using Reassignment for Round;
    using Records for Task;
    using Roster for Round;
    using Seats for Round;
    using Settlement for Task;

    /// @notice `TaskQueue.reassign`.
    function reassign(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        address miner,
        address replacement,
        NodeRegistry registry,
        Sessions sessions
    ) external {
        if (task.state < TaskState.Assigned || task.state > TaskState.Precommitted) {
            revert TaskQueueEvents.WrongTaskState(taskId, task.state);
        }
        uint256 index = round.find(registry.numberOf(miner));
        if (index == Seats.NONE) revert TaskQueueEvents.NotMinerOfTask(taskId, miner);
        Seat memory seat = round.seatAt(index);
        _requireDue(round, task, taskId, seat, miner, replacement, registry);
        if (task.state == TaskState.Precommitted) {
            round.dropUnrevealed(task, taskId, index, miner, registry);
        } else if (replacement == address(0) || seat.attempt == Limits.SLOT_ATTEMPTS_MAX) {
            round.drop(task, taskId, index, miner);
        } else {
            (uint40 ackBy, uint32 node) = _requireReplacement(round, task, taskId, replacement, registry, sessions);
            round.replace(task, Reassignment.Change(taskId, index, miner, replacement, node, ackBy));
        }
        task.advanceWithout(round, taskId, sessions, registry);
    }

    /// @notice `TaskQueue.attest`.
    function attest(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        address winner,
        address[] calldata honest,
        Outcome memory outcome,
        bytes32 reportDigest,
        Net memory net
    ) external {
        Seat[] memory seats = round.load();
        address[] memory miners = net.registry.nodesOf(Seats.nodes(seats, 0));
        _name(outcome, taskId, miners, winner, honest);
        Opinions.requireSound(taskId, outcome, seats, miners);
        _cast(task, round, taskId, outcome, reportDigest, miners, net);
    }

    /// @notice `TaskQueue.resolve`.
    function resolve(Task storage task, Round storage round, bytes32 taskId, NodeRegistry registry, Sessions sessions)
        external
    {
        if (block.timestamp <= round.phaseBy) revert TaskQueueEvents.NotDue(taskId, round.phaseBy);
        if (round.voters == 0) return task.refund(round, taskId, RefundReason.Exhausted, sessions);
        round.elect(round.leading());
        task.decide(round, taskId, 0, round.minersOf(registry), sessions);
    }

    /// @notice `TaskQueue.cancel`.
    function cancel(Task storage task, Round storage round, bytes32 taskId, Sessions sessions) external {
        if (task.state > TaskState.Executing) revert TaskQueueEvents.WrongTaskState(taskId, task.state);
        uint64 sessionId = task.sessionId;
        if (!sessions.isOwnerOrRouter(sessionId, msg.sender)) {
            revert TaskQueueEvents.NotOwnerOrRouter(sessionId, msg.sender);
        }
        task.refund(round, taskId, RefundReason.Cancelled, sessions);
    }

    /// @notice `TaskQueue.expire`.
    function expire(Task storage task, Round storage round, bytes32 taskId, NodeRegistry registry, Sessions sessions)
        external
    {
        if (task.state > TaskState.Precommitted) revert TaskQueueEvents.WrongTaskState(taskId, task.state);
        if (block.timestamp <= task.expireBy) revert TaskQueueEvents.NotDue(taskId, task.expireBy);
        if (task.state != TaskState.Precommitted) return task.refund(round, taskId, RefundReason.Expired, sessions);
        round.dropAllUnrevealed(task, taskId, registry);
        task.advanceWithout(round, taskId, sessions, registry);
    }

    /// @notice `TaskQueue.taskOf`, encoded as its answer.
    function record(Task storage task, Round storage round, NodeRegistry registry)
        external
        view
        returns (bytes memory)
    {
        return abi.encode(task.record(round, registry));
    }

    /// @dev Casts the sender's ballot.
    function _cast(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        Outcome memory outcome,
        bytes32 reportDigest,
        address[] memory miners,
        Net memory net
    ) private {
        uint16 bit = Opinions.bit(round.validatorIn(taskId, net.registry.numberOf(msg.sender), msg.sender));
        if (round.voted() & bit != 0) revert TaskQueueEvents.AlreadyAttested(taskId, msg.sender);
        uint256 place = round.cast(outcome, bit);
        emit TaskQueueEvents.ResultAttested(task.sessionId, taskId, msg.sender, reportDigest);
        task.decideIfClear(round, taskId, place, reportDigest, miners, net.sessions);
    }

    /// @dev The deadline has passed; for all but oracles the grace period too, and they give the slot to nobody.
    function _requireDue(
        Round storage round,
        Task storage task,
        bytes32 taskId,
        Seat memory seat,
        address miner,
        address replacement,
        NodeRegistry registry
    ) private {
        bool byOracle = registry.isActive(msg.sender, Role.Oracle);
        uint40 dueBy = round.dueByOf(task, taskId, seat, miner);
        if (!byOracle) dueBy += registry.PARAMETERS().appeals().graceS;
        if (block.timestamp <= dueBy) revert TaskQueueEvents.NotDue(taskId, dueBy);
        if (!byOracle && replacement != address(0)) revert TaskQueueEvents.NotAnOracle(taskId, msg.sender);
        if (byOracle) round.oracle = registry.numberOf(msg.sender);
    }

    /// @dev A replacement is an active miner that does not cool down, dedicated where that is asked, and was never in the
    /// task. Returns until when it has to acknowledge, and its number.
    function _requireReplacement(
        Round storage round,
        Task storage task,
        bytes32 taskId,
        address replacement,
        NodeRegistry registry,
        Sessions sessions
    ) private view returns (uint40 ackBy, uint32 node) {
        uint64 sessionId = task.sessionId;
        TaskRules memory rules = sessions.rulesOf(sessionId, task.version);
        address[] memory only = new address[](1);
        only[0] = replacement;
        node = registry.requireEligible(only, Role.Miner, 0)[0];
        if (rules.mode == PoolMode.Dedicated && !sessions.isDedicated(sessionId, replacement)) {
            revert TaskQueueEvents.MinerNotDedicated(sessionId, replacement);
        }
        round.requireUnseen(taskId, node, replacement);
        ackBy = uint40(block.timestamp) + rules.ackTimeoutS;
    }

    /// @dev Winner and honest set by slots, from their names.
    function _name(
        Outcome memory outcome,
        bytes32 taskId,
        address[] memory miners,
        address winner,
        address[] calldata honest
    ) private pure {
        if (honest.length == 0) revert TaskQueueEvents.NobodyHonest(taskId);
        for (uint256 i = 0; i < honest.length; ++i) {
            uint256 index = _indexOf(miners, honest[i]);
            if (index == Seats.NONE) revert TaskQueueEvents.NotMinerOfTask(taskId, honest[i]);
            if (outcome.honest & Opinions.bit(index) != 0) revert TaskQueueEvents.RepeatedNode(honest[i]);
            outcome.honest |= Opinions.bit(index);
        }
        uint256 won = _indexOf(miners, winner);
        if (won == Seats.NONE) revert TaskQueueEvents.WinnerNotHonest(taskId, winner);
        // forge-lint: disable-next-line(unsafe-typecast) there are at most 16 slots
        outcome.winner = uint8(won);
    }

    function _indexOf(address[] memory accounts, address account) private pure returns (uint256) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == account) return i;
        }
        return Seats.NONE;
    }
}

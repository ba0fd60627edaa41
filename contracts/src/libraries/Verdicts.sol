// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {Parameters} from "../Parameters.sol";
import {Sessions} from "../Sessions.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Payment} from "../types/Session.sol";
import {Amendment, CarriedAttestation, Finality, Outcome, Round, Seat, Task, TaskState} from "../types/Task.sol";
import {Messages} from "./Messages.sol";
import {Opinions} from "./Opinions.sol";
import {Phases} from "./Phases.sol";
import {Roster} from "./Roster.sol";
import {Seats} from "./Seats.sol";
import {Settlement} from "./Settlement.sol";

/// @notice Who the queue works with.
struct Net {
    NodeRegistry registry;
    Sessions sessions;
    /// Shares and the treasury, the cost of faults, and how long only oracles may act.
    Parameters parameters;
    /// Of EIP-712: what signatures are bound to.
    bytes32 domain;
}

/// @title What validators say together, and what is paid for it
/// @notice Deployed by itself and linked into the queue, as {Upkeep} is.
library Verdicts {
    using Opinions for Round;
    using Phases for Task;
    using Roster for Round;
    using Seats for Round;
    using Settlement for Round;
    using Settlement for Task;

    /// @notice `TaskQueue.attestMany`, and `TaskQueue.settleWith` where the task is to be settled too.
    function attestMany(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        Outcome calldata outcome,
        CarriedAttestation[] calldata carried,
        bool settles,
        bytes32 manifestDigest,
        Net memory net
    ) external {
        Seat[] memory seats = round.load();
        address[] memory roster = round.allOf(seats, net.registry);
        Opinions.requireSound(taskId, outcome, seats, roster);
        _attestMany(task, round, taskId, outcome, carried, roster, net);
        if (settles) _settle(task, round, taskId, manifestDigest, seats, roster, net);
    }

    /// @notice `TaskQueue.settle`.
    function settle(Task storage task, Round storage round, bytes32 taskId, bytes32 manifestDigest, Net memory net)
        external
    {
        Seat[] memory seats = round.load();
        _settle(task, round, taskId, manifestDigest, seats, round.allOf(seats, net.registry), net);
    }

    /// @notice `TaskQueue.amend`.
    function amend(Round storage round, Amendment calldata amendment) external {
        (round.finality, round.phaseBy) = (amendment.finality, amendment.settleAfter);
        if (amendment.finality != Finality.Ruled) return;
        (round.winner, round.honest, round.voters) = (amendment.winner, amendment.honest, amendment.voters);
        (round.promptTokens, round.outputTokens) = (amendment.promptTokens, amendment.outputTokens);
    }

    function _attestMany(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        Outcome calldata outcome,
        CarriedAttestation[] calldata carried,
        address[] memory roster,
        Net memory net
    ) private {
        if (carried.length == 0) revert TaskQueueEvents.NothingCarried(taskId);
        uint256 place = round.cast(outcome, _votersIn(task, round, taskId, outcome, carried, roster, net.domain));
        task.decideIfClear(round, taskId, place, carried[carried.length - 1].reportDigest, roster, net.sessions);
    }

    function _settle(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        bytes32 manifestDigest,
        Seat[] memory seats,
        address[] memory roster,
        Net memory net
    ) private {
        if (task.state != TaskState.Validated) {
            revert TaskQueueEvents.WrongTaskState(taskId, task.state);
        }
        if (round.finality != Finality.Immediate && block.timestamp <= round.phaseBy) {
            revert TaskQueueEvents.NotDue(taskId, round.phaseBy);
        }
        task.state = TaskState.Settled;
        round.taken = 0;
        (uint128 priceWei, Payment[] memory payments) = task.bill(round, roster, net.sessions, net.parameters);
        round.slashOutliers(taskId, seats, roster, net.registry);
        uint128 returnedWei =
            net.sessions.release(task.sessionId, task.escrowWei, Settlement.demandPpmOf(task), payments);
        emit TaskQueueEvents.TaskSettled(task.sessionId, taskId, priceWei, returnedWei, payments, manifestDigest);
    }

    /// @dev The validators that signed an outcome, each for the first time.
    function _votersIn(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        Outcome calldata outcome,
        CarriedAttestation[] calldata carried,
        address[] memory roster,
        bytes32 domain
    ) private returns (uint16 by) {
        uint16 voted = round.voted();
        for (uint256 i = 0; i < carried.length; ++i) {
            address validator = _placeOf(round, taskId, carried[i].validator, roster, voted | by);
            _requireSigned(task, taskId, outcome, carried[i], validator, domain);
            by |= Opinions.bit(carried[i].validator);
        }
    }

    /// @dev A validator of the task that has said nothing yet.
    function _placeOf(Round storage round, bytes32 taskId, uint256 index, address[] memory roster, uint16 voted)
        private
        view
        returns (address validator)
    {
        if (index >= round.validatorCount) revert TaskQueueEvents.NoSuchPlace(taskId, index);
        validator = roster[round.slotCount + index];
        if (voted & Opinions.bit(index) != 0) revert TaskQueueEvents.AlreadyAttested(taskId, validator);
    }

    function _requireSigned(
        Task storage task,
        bytes32 taskId,
        Outcome calldata outcome,
        CarriedAttestation calldata carried,
        address validator,
        bytes32 domain
    ) private {
        bytes32 message = Messages.attestation(taskId, task.step, outcome, carried.reportDigest);
        Messages.requireSigned(domain, taskId, validator, message, carried.signature);
        emit TaskQueueEvents.ResultAttested(task.sessionId, taskId, validator, carried.reportDigest);
    }
}

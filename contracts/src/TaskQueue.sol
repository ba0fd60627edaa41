// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "./NodeRegistry.sol";
import {Parameters} from "./Parameters.sol";
import {Sessions} from "./Sessions.sol";
import {TaskEntries} from "./TaskEntries.sol";
import {Assignment} from "./libraries/Assignment.sol";
import {Roster} from "./libraries/Roster.sol";
import {Seats} from "./libraries/Seats.sol";
import {Steps} from "./libraries/Steps.sol";
import {Upkeep} from "./libraries/Upkeep.sol";
import {Verdicts} from "./libraries/Verdicts.sol";
import {PoolMode, TaskRules} from "./types/Session.sol";
import {
    Amendment,
    CarriedAttestation,
    CarriedPrecommit,
    CarriedReveal,
    Chosen,
    Draw,
    Outcome,
    Round,
    Seat,
    Signature,
    SlotState,
    Task,
    TaskState
} from "./types/Task.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";

/// @title The task state machine
/// @notice A task is submitted, assigned, acknowledged, precommitted, revealed, attested and settled; whatever does
/// not happen in time is somebody's to end, so that no escrow is ever stuck. Deadlines do not close a door by
/// themselves: who is late may still act until somebody uses the deadline.
/// @dev Calls out to the registry and the sessions only, which call nobody but the token.
contract TaskQueue is TaskEntries, Multicall {
    using Assignment for Draw;
    using Assignment for Round;
    using Assignment for Round[256];
    using Assignment for Task;
    using Roster for Round;
    using Seats for Round;

    /// @param registry Roles, activity and stake.
    /// @param sessions Money and terms.
    /// @param parameters Shares, the cost of faults, the treasury, the grace period and the pause.
    /// @param appeals Who may hold a task and rule on its outcome.
    constructor(NodeRegistry registry, Sessions sessions, Parameters parameters, address appeals)
        TaskEntries(registry, sessions, parameters, appeals)
    {}

    /// @notice Gives a queued task to the miners and validators that a draw names. Only a listed router may. It may
    /// bring acceptances of miners along, who need not acknowledge then.
    /// @param taskId The task.
    /// @param draw The candidates and what they are drawn by. Of the miners drawn there are as many as the terms say,
    /// or as there are candidates, but never fewer than the terms' fewest; each is active, does not cool down, weighs no
    /// more than its level may, and is of the dedicated list if there is one.
    /// @param acceptances None, or for each miner in the order of the draw its signature of an `Acceptance`, or zeros.
    /// @param effectId The sender's id of this call.
    function assign(bytes32 taskId, Draw calldata draw, Signature[] calldata acceptances, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Queued);
        if (task.step != 0) Steps.requireReady(_tasks, parentOf[taskId], taskId);
        if (!SESSIONS.isRouter(task.sessionId, msg.sender)) revert NotSessionRouter(task.sessionId, msg.sender);
        TaskRules memory rules = SESSIONS.rulesOf(task.sessionId, task.version);
        Chosen memory chosen = draw.chosenBy(task, taskId, rules, REGISTRY);
        if (rules.mode == PoolMode.Dedicated) task.requireDedicated(chosen.miners, SESSIONS);
        if (acceptances.length != 0 && acceptances.length != chosen.miners.length) {
            revert AcceptanceCountMismatch(acceptances.length, chosen.miners.length);
        }
        _markEffect(effectId);
        Round storage round = _begin(task, draw.lane, chosen);
        task.expireBy = Assignment.hardDeadline(rules);
        draw.announce(task, taskId, chosen, uint40(block.timestamp) + rules.ackTimeoutS);
        _seat(task, round, taskId, draw.beaconBlock, chosen, acceptances, rules);
    }

    /// @notice Says that the sender is at work. Only a miner of the task may, once.
    /// @param taskId The task.
    /// @param effectId The sender's id of this call.
    function ack(bytes32 taskId, bytes32 effectId) external {
        Task storage task = _working(taskId);
        Round storage round = _roundOf(task);
        uint256 index = _seatOf(round, taskId);
        Seat memory seat = round.seatAt(index);
        if (seat.state != SlotState.Assigned) revert WrongSlotState(taskId, msg.sender, seat.state);
        _markEffect(effectId);
        _ack(task, taskId, seat, msg.sender, SESSIONS.rulesOf(task.sessionId, task.version).executeTimeoutS);
        round.put(index, seat);
    }

    /// @notice Binds the sender to a result without showing it. Only a miner of the task may, once; who has not
    /// acknowledged does so with it.
    /// @param taskId The task.
    /// @param hash `precommitHash` of `src/core/precommit.ts`, with the task's step and the slot's attempt.
    /// @param effectId The sender's id of this call.
    function precommit(bytes32 taskId, bytes32 hash, bytes32 effectId) external {
        Task storage task = _working(taskId);
        Round storage round = _roundOf(task);
        uint256 index = _seatOf(round, taskId);
        Seat memory seat = round.seatAt(index);
        _markEffect(effectId);
        _precommit(task, taskId, seat, msg.sender, hash);
        round.put(index, seat);
        round.precommits[index] = hash;
        ++round.doneCount;
        _advance(task, round, taskId);
    }

    /// @notice {precommit} for several miners, by whoever has their signatures.
    /// @param taskId The task.
    /// @param carried One at least: slots with hashes and the miners' signatures of `Precommit`s.
    /// @param effectId The sender's id of this call.
    function precommitMany(bytes32 taskId, CarriedPrecommit[] calldata carried, bytes32 effectId) external {
        Task storage task = _working(taskId);
        Round storage round = _roundOf(task);
        if (carried.length == 0) revert NothingCarried(taskId);
        _markEffect(effectId);
        Seat[] memory seats = round.load();
        address[] memory miners = REGISTRY.nodesOf(Seats.nodes(seats, 0));
        for (uint256 i = 0; i < carried.length; ++i) {
            _precommitCarried(task, round, taskId, carried[i], seats, miners);
        }
        round.fill(seats);
        round.doneCount += uint8(carried.length);
        _advance(task, round, taskId);
    }

    /// @notice Shows the result the sender precommitted. Only once every live miner has precommitted.
    /// @param taskId The task.
    /// @param resultRoot The Merkle root over the result.
    /// @param salt The salt of the precommit.
    /// @param resultDigest The digest under which the result is stored.
    /// @param effectId The sender's id of this call.
    function reveal(bytes32 taskId, bytes32 resultRoot, bytes32 salt, bytes32 resultDigest, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Precommitted);
        Round storage round = _roundOf(task);
        uint256 index = _seatOf(round, taskId);
        _markEffect(effectId);
        Seat memory seat = round.seatAt(index);
        // forge-lint: disable-next-line(unsafe-typecast) there are at most 16 slots
        CarriedReveal memory shown = CarriedReveal(uint8(index), resultRoot, salt, resultDigest);
        _reveal(task, round, taskId, seat, msg.sender, shown);
        round.put(index, seat);
        ++round.doneCount;
        _advance(task, round, taskId);
    }

    /// @notice {reveal} for several miners, by whoever knows their roots and salts: the precommits are the proof.
    /// @param taskId The task.
    /// @param carried One at least.
    /// @param effectId The sender's id of this call.
    function revealMany(bytes32 taskId, CarriedReveal[] calldata carried, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Precommitted);
        Round storage round = _roundOf(task);
        if (carried.length == 0) revert NothingCarried(taskId);
        _markEffect(effectId);
        Seat[] memory seats = round.load();
        address[] memory miners = REGISTRY.nodesOf(Seats.nodes(seats, 0));
        for (uint256 i = 0; i < carried.length; ++i) {
            uint256 index = carried[i].slot;
            if (index >= seats.length) revert NoSuchPlace(taskId, index);
            _reveal(task, round, taskId, seats[index], miners[index], carried[i]);
        }
        round.fill(seats);
        round.doneCount += uint8(carried.length);
        _advance(task, round, taskId);
    }

    /// @notice Takes the slot of a miner that missed its deadline. Before all precommits the slot goes to the
    /// replacement, or is dropped where there is none or the attempts are used up; after, it is dropped and the miner
    /// slashed. An active oracle may; once the grace period is over too anyone may have the slot dropped.
    /// @param taskId The task.
    /// @param miner The late miner.
    /// @param replacement An active miner that was never in the task, or zero.
    /// @param effectId The sender's id of this call.
    function reassign(bytes32 taskId, address miner, address replacement, bytes32 effectId) external {
        Task storage task = _known(taskId);
        _markEffect(effectId);
        Upkeep.reassign(task, _roundOf(task), taskId, miner, replacement, REGISTRY, SESSIONS);
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
        _markEffect(effectId);
        Outcome memory outcome = Outcome(0, 0, promptTokens, outputTokens);
        Upkeep.attest(task, _roundOf(task), taskId, winner, honest, outcome, reportDigest, _net());
    }

    /// @notice {attest} for several validators that found the same, by whoever has their signatures.
    /// @param taskId The task.
    /// @param outcome What they found.
    /// @param carried One at least: validators with the digests of their reports and signatures of `Attestation`s.
    /// @param effectId The sender's id of this call.
    function attestMany(
        bytes32 taskId,
        Outcome calldata outcome,
        CarriedAttestation[] calldata carried,
        bytes32 effectId
    ) external {
        Task storage task = _knownIn(taskId, TaskState.Committed);
        _markEffect(effectId);
        Verdicts.attestMany(task, _roundOf(task), taskId, outcome, carried, false, 0, _net());
    }

    /// @notice {attestMany} by enough validators to decide the task, and {settle} in the same transaction; not where the
    /// outcome may be appealed.
    /// @param taskId The task.
    /// @param outcome What the validators found.
    /// @param carried One at least: validators with the digests of their reports and signatures of `Attestation`s.
    /// @param manifestDigest The digest of the manifest under which all about the task is stored.
    /// @param effectId The sender's id of this call.
    function settleWith(
        bytes32 taskId,
        Outcome calldata outcome,
        CarriedAttestation[] calldata carried,
        bytes32 manifestDigest,
        bytes32 effectId
    ) external {
        Task storage task = _knownIn(taskId, TaskState.Committed);
        _markEffect(effectId);
        Verdicts.attestMany(task, _roundOf(task), taskId, outcome, carried, true, manifestDigest, _net());
    }

    /// @notice Decides a task whose validators let `attestBy` pass: the outcome with most votes stands; with none, the
    /// task is refunded. Anyone may.
    /// @param taskId The task.
    /// @param effectId The sender's id of this call.
    function resolve(bytes32 taskId, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Committed);
        _markEffect(effectId);
        Upkeep.resolve(task, _roundOf(task), taskId, REGISTRY, SESSIONS);
    }

    /// @notice Pays for a validated task, returns the rest of its escrow and slashes the outliers. Anyone may, once the
    /// time for an appeal is over where the session's terms give one.
    /// @param taskId The task.
    /// @param manifestDigest The digest of the manifest under which all about the task is stored.
    /// @param effectId The sender's id of this call.
    function settle(bytes32 taskId, bytes32 manifestDigest, bytes32 effectId) external {
        Task storage task = _knownIn(taskId, TaskState.Validated);
        _markEffect(effectId);
        Verdicts.settle(task, _roundOf(task), taskId, manifestDigest, _net());
    }

    /// @notice Holds a validated task for an appeal, or says what was ruled on it. Only the appeals may; whatever they do
    /// or leave undone, anyone settles the task once the time they named has passed.
    /// @param taskId The task.
    /// @param amendment What they say of it.
    function amend(bytes32 taskId, Amendment calldata amendment) external {
        if (msg.sender != APPEALS) revert NotTheAppeals(msg.sender);
        Verdicts.amend(_roundOf(_knownIn(taskId, TaskState.Validated)), amendment);
    }

    /// @notice Takes a task back before its miners are all bound, and refunds it. The session's owner or a listed
    /// router may.
    /// @param taskId The task.
    /// @param effectId The sender's id of this call.
    function cancel(bytes32 taskId, bytes32 effectId) external {
        Task storage task = _known(taskId);
        _markEffect(effectId);
        Upkeep.cancel(task, _roundOf(task), taskId, SESSIONS);
    }

    /// @notice Moves on a task that everybody who should has given up on. Anyone may, after `expireBy`. Before all
    /// precommits the task is refunded; after, the miners that did not reveal are dropped and slashed, so that those
    /// who did are not robbed by silent oracles.
    /// @param taskId The task.
    /// @param effectId The sender's id of this call.
    function expire(bytes32 taskId, bytes32 effectId) external {
        Task storage task = _known(taskId);
        _markEffect(effectId);
        Upkeep.expire(task, _roundOf(task), taskId, REGISTRY, SESSIONS);
    }
}

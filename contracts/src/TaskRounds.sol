// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Parameters} from "./Parameters.sol";
import {Sessions} from "./Sessions.sol";
import {TaskQueueEvents} from "./TaskQueueEvents.sol";
import {Assignment} from "./libraries/Assignment.sol";
import {Messages} from "./libraries/Messages.sol";
import {Phases} from "./libraries/Phases.sol";
import {Precommit} from "./libraries/Precommit.sol";
import {Seats} from "./libraries/Seats.sol";
import {Upkeep} from "./libraries/Upkeep.sol";
import {Net} from "./libraries/Verdicts.sol";
import {TaskRules} from "./types/Session.sol";
import {
    CarriedPrecommit,
    CarriedReveal,
    Chosen,
    Round,
    Seat,
    Signature,
    SlotState,
    Task,
    TaskRecord,
    TaskState
} from "./types/Task.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Tasks and their rounds
/// @notice What is kept of tasks, and every single step of one, whoever brought it: a node by itself or somebody with
/// its signature. A task keeps one storage slot for good; the rest is in a lane of its session, which the next task
/// uses again.
abstract contract TaskRounds is EffectLog, TaskQueueEvents, EIP712 {
    using Assignment for Round;
    using Assignment for Round[256];
    using Phases for Task;
    using SafeCast for uint256;
    using Seats for Round;

    /// @notice Roles, activity and stake.
    NodeRegistry public immutable REGISTRY;
    /// @notice Money and terms.
    Sessions public immutable SESSIONS;
    /// @notice Shares, the cost of faults, the treasury, the grace period and the pause.
    Parameters public immutable PARAMETERS;

    /// @notice Who may hold a task and rule on its outcome.
    address public immutable APPEALS;

    /// @notice What a step comes after, by place from 0 in the order of their ids; zero from the end of its list on.
    mapping(bytes32 taskId => bytes32[8] parents) public parentOf;

    mapping(bytes32 taskId => Task) internal _tasks;
    mapping(uint64 sessionId => Round[256] lanes) private _lanes;

    constructor(NodeRegistry registry, Sessions sessions, Parameters parameters, address appeals)
        EIP712("pouw TaskQueue", "1")
    {
        REGISTRY = registry;
        SESSIONS = sessions;
        PARAMETERS = parameters;
        APPEALS = appeals;
    }

    /// @notice All about a task; the state is `None` if there is no such task.
    /// @param taskId The task.
    function taskOf(bytes32 taskId) external view returns (TaskRecord memory) {
        Task storage task = _tasks[taskId];
        bytes memory encoded = Upkeep.record(task, _roundOf(task), REGISTRY);
        // It is passed on as it comes: to read it and write it again takes a tenth of the room that a contract has.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            return(add(encoded, 32), mload(encoded))
        }
    }

    /// @notice The id of a task, known before it is submitted.
    /// @param sessionId Its session.
    /// @param requestId Its submitter's own id.
    function taskIdOf(uint64 sessionId, bytes32 requestId) public pure returns (bytes32) {
        return keccak256(abi.encode(sessionId, requestId));
    }

    // ---------------------------------------------------------------- beginning

    /// @dev Takes a lane for a task and writes what its round begins with.
    function _begin(Task storage task, uint8 hint, Chosen memory chosen) internal returns (Round storage round) {
        uint64 sessionId = task.sessionId;
        uint8 lane = _lanes[sessionId].freeLane(hint, sessionId);
        task.lane = lane;
        round = _lanes[sessionId][lane];
        uint32 router = REGISTRY.numberOf(msg.sender);
        round.begin(router, chosen.miners.length, chosen.validatorNumbers);
    }

    /// @dev Gives the miners their seats; who has accepted is at work.
    function _seat(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        uint64 beaconBlock,
        Chosen memory chosen,
        Signature[] calldata acceptances,
        TaskRules memory rules
    ) internal {
        address[] memory miners = chosen.miners;
        Seat[] memory seats = new Seat[](miners.length);
        task.state = TaskState.Assigned;
        for (uint256 i = 0; i < miners.length; ++i) {
            Seat memory seat = seats[i];
            seat.node = chosen.minerNumbers[i];
            seat.state = SlotState.Assigned;
            seat.dueBy = (block.timestamp + rules.ackTimeoutS).toUint32();
            if (acceptances.length == 0 || acceptances[i].vs == 0) continue;
            bytes32 message = Messages.acceptance(taskId, task.step, 0, beaconBlock);
            Messages.requireSigned(_domainSeparatorV4(), taskId, miners[i], message, acceptances[i]);
            _ack(task, taskId, seat, miners[i], rules.executeTimeoutS);
        }
        round.fill(seats);
    }

    // ---------------------------------------------------------------- work

    /// @dev A miner is at work. The seat is the caller's to write.
    function _ack(Task storage task, bytes32 taskId, Seat memory seat, address miner, uint24 executeTimeoutS) internal {
        uint40 precommitBy = uint40(block.timestamp) + executeTimeoutS;
        seat.state = SlotState.Acked;
        seat.dueBy = uint256(precommitBy).toUint32();
        if (task.state == TaskState.Assigned) task.state = TaskState.Executing;
        emit TaskAcked(task.sessionId, taskId, miner, precommitBy);
    }

    /// @dev A miner is bound; who has not acknowledged does so with it. The seat is the caller's to write.
    function _precommit(Task storage task, bytes32 taskId, Seat memory seat, address miner, bytes32 hash) internal {
        if (seat.state == SlotState.Assigned) {
            _ack(task, taskId, seat, miner, SESSIONS.rulesOf(task.sessionId, task.version).executeTimeoutS);
        } else if (seat.state != SlotState.Acked) {
            revert WrongSlotState(taskId, miner, seat.state);
        }
        seat.state = SlotState.Precommitted;
        emit TaskPrecommitted(task.sessionId, taskId, miner, hash);
    }

    /// @dev {_precommit} of a miner that has signed it.
    function _precommitCarried(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        CarriedPrecommit calldata carried,
        Seat[] memory seats,
        address[] memory miners
    ) internal {
        uint256 index = carried.slot;
        if (index >= seats.length) revert NoSuchPlace(taskId, index);
        bytes32 message = Messages.precommit(taskId, task.step, seats[index].attempt, carried.hash);
        Messages.requireSigned(_domainSeparatorV4(), taskId, miners[index], message, carried.signature);
        _precommit(task, taskId, seats[index], miners[index], carried.hash);
        round.precommits[index] = carried.hash;
    }

    /// @dev A miner shows what it is bound to. The seat is the caller's to write.
    function _reveal(
        Task storage task,
        Round storage round,
        bytes32 taskId,
        Seat memory seat,
        address miner,
        CarriedReveal memory shown
    ) internal {
        if (seat.state != SlotState.Precommitted) revert WrongSlotState(taskId, miner, seat.state);
        bytes32 bound = round.precommits[shown.slot];
        uint64 sessionId = task.sessionId;
        bytes32 hash = Precommit.hash(sessionId, taskId, task.step, seat.attempt, miner, shown.resultRoot, shown.salt);
        if (hash != bound) revert PrecommitMismatch(bound, hash);
        seat.state = SlotState.Revealed;
        emit TaskRevealed(sessionId, taskId, miner, shown.resultRoot, shown.resultDigest);
    }

    /// @dev Ends a phase when the last live slot has done its part, and the task when no slot is left.
    function _advance(Task storage task, Round storage round, bytes32 taskId) internal {
        task.advance(round, taskId, SESSIONS, REGISTRY);
    }

    // ---------------------------------------------------------------- finding

    function _known(bytes32 taskId) internal view returns (Task storage task) {
        task = _tasks[taskId];
        if (task.state == TaskState.None) revert UnknownTask(taskId);
    }

    function _knownIn(bytes32 taskId, TaskState state) internal view returns (Task storage task) {
        task = _known(taskId);
        if (task.state != state) revert WrongTaskState(taskId, task.state);
    }

    /// @dev A task whose miners are not all bound.
    function _working(bytes32 taskId) internal view returns (Task storage task) {
        task = _known(taskId);
        if (task.state != TaskState.Assigned && task.state != TaskState.Executing) {
            revert WrongTaskState(taskId, task.state);
        }
    }

    /// @dev The round of a task that has one; of any other it is somebody else's.
    function _roundOf(Task storage task) internal view returns (Round storage) {
        return _lanes[task.sessionId][task.lane];
    }

    /// @dev The place of the sender's seat.
    function _seatOf(Round storage round, bytes32 taskId) internal view returns (uint256 index) {
        index = round.find(REGISTRY.numberOf(msg.sender));
        if (index == Seats.NONE) revert NotMinerOfTask(taskId, msg.sender);
    }

    /// @dev Who the queue works with, for what is linked.
    function _net() internal view returns (Net memory) {
        return Net(REGISTRY, SESSIONS, PARAMETERS, _domainSeparatorV4());
    }
}

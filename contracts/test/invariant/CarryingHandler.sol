// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/types/Node.sol";
import {TaskRules} from "../../src/types/Session.sol";
import {
    CarriedAttestation,
    CarriedPrecommit,
    CarriedReveal,
    Draw,
    Outcome,
    Scheme,
    Signature,
    Slot,
    SlotState,
    TaskRecord,
    TaskState
} from "../../src/types/Task.sol";
import {vm} from "../base/Vm.sol";
import {ClientHandler} from "./ClientHandler.sol";

/// @title Routers that draw and carry, and those who would cheat them
abstract contract CarryingHandler is ClientHandler {
    /// @dev A router draws among some of the nodes that may work, each with a weight, and may bring acceptances.
    function routerDraws(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _readyTask(seed);
        if (taskId == 0) return;
        TaskRules memory rules = sessions.rulesOf(task.sessionId, task.version);
        Draw memory draw = drawOf(
            Scheme.Drawn,
            _choose(seed >> 8, miners, Role.Miner, task, miners.length),
            _choose(seed >> 16, validators, Role.Validator, task, validators.length)
        );
        if (draw.miners.length < rules.minMiners || (draw.validators.length == 0 && rules.level != 0)) return;
        for (uint256 i = 0; i < draw.miners.length; ++i) {
            draw.miners[i] = draw.miners[i] - 1_000_000 + within(_mix(seed + i), 1, 2_000_000);
        }
        draw.lane = uint8(seed >> 24);
        draw.beaconBlock = beaconAfter(task.submittedBlock);
        draw.beacon = blockhash(draw.beaconBlock);
        _assignAccepted(seed, taskId, draw, rules.redundancy);
    }

    function _assignAccepted(uint256 seed, bytes32 taskId, Draw memory draw, uint256 k) private {
        address[] memory drawn = rankOf(draw.miners, draw.beacon, taskId);
        drawn = first(drawn, drawn.length < k ? drawn.length : k);
        Signature[] memory acceptances = new Signature[](seed & (1 << 40) == 0 ? 0 : drawn.length);
        for (uint256 i = 0; i < acceptances.length; ++i) {
            if (seed & (1 << (48 + i)) == 0) continue;
            acceptances[i] = signedBy(drawn[i], acceptance(taskId, 0, draw.beaconBlock));
        }
        // Another order of the weights is another draw, and a beacon of another block is none.
        bytes32 beacon = draw.beacon;
        draw.beacon = keccak256(abi.encode(beacon));
        _refused(routers[0], abi.encodeCall(queue.assign, (taskId, draw, acceptances, effect())));
        draw.beacon = beacon;
        vm.prank(routers[0]);
        queue.assign(taskId, draw, acceptances, effect());
        TaskRecord memory task = queue.taskOf(taskId);
        for (uint256 i = 0; i < task.slots.length; ++i) {
            assertEq(task.slots[i].miner, drawn[i], "who was drawn");
        }
    }

    /// @dev A router brings what most miners of a task have signed, or shown it.
    function routerCarries(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Assigned, TaskState.Precommitted);
        if (taskId == 0) return;
        bool revealing = task.state == TaskState.Precommitted;
        uint8[] memory places = new uint8[](task.slots.length);
        uint256 count = 0;
        for (uint8 i = 0; i < task.slots.length; ++i) {
            Slot memory slot = task.slots[i];
            bool ready = revealing ? slot.state == SlotState.Precommitted : slot.state <= SlotState.Acked;
            if (ready && !copied[taskId][slot.miner] && seed & (3 << (8 + 2 * i)) != 0) places[count++] = i;
        }
        if (count == 0) return;
        if (revealing) _carryReveals(taskId, task, places, count);
        else _carryPrecommits(taskId, task, places, count);
    }

    function _carryPrecommits(bytes32 taskId, TaskRecord memory task, uint8[] memory places, uint256 count) private {
        CarriedPrecommit[] memory carried = new CarriedPrecommit[](count);
        for (uint256 i = 0; i < count; ++i) {
            Slot memory slot = task.slots[places[i]];
            carried[i] = carriedPrecommit(taskId, places[i], slot.miner, slot.attempt);
        }
        bytes32 good = carried[count - 1].hash;
        carried[count - 1].hash = keccak256(abi.encode(good));
        _refused(routers[0], abi.encodeCall(queue.precommitMany, (taskId, carried, effect())));
        carried[count - 1].hash = good;
        vm.prank(routers[1]);
        queue.precommitMany(taskId, carried, effect());
    }

    function _carryReveals(bytes32 taskId, TaskRecord memory task, uint8[] memory places, uint256 count) private {
        CarriedReveal[] memory carried = new CarriedReveal[](count);
        for (uint256 i = 0; i < count; ++i) {
            address miner = task.slots[places[i]].miner;
            carried[i] = CarriedReveal(places[i], rootOf(miner), saltOf(miner), "result");
        }
        vm.prank(STRANGER);
        queue.revealMany(taskId, carried, effect());
    }

    /// @dev A miner binds itself to what another one is bound to.
    function minerCopies(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (seed & (3 << 128) != 0) return;
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Executing, TaskState.Executing);
        bytes32 hash = 0;
        address copier = address(0);
        for (uint256 i = 0; i < task.slots.length; ++i) {
            if (task.slots[i].state == SlotState.Precommitted) hash = task.slots[i].precommit;
            else if (task.slots[i].state <= SlotState.Acked) copier = task.slots[i].miner;
        }
        if (hash == 0 || copier == address(0)) return;
        copied[taskId][copier] = true;
        vm.prank(copier);
        queue.precommit(taskId, hash, effect());
    }

    /// @dev A router brings the word of some validators for one outcome, and settles if that decides.
    function routerCarriesAttestations(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Committed, TaskState.Committed);
        if (taskId == 0) return;
        CarriedAttestation[] memory carried = new CarriedAttestation[](task.ballots.length);
        (Outcome memory outcome, uint256 count) = (_outcome(task, seed >> 16), 0);
        for (uint8 i = 0; i < task.ballots.length; ++i) {
            if (task.ballots[i].cast || seed & (3 << (48 + 2 * i)) == 0) continue;
            Signature memory signature = signedBy(task.ballots[i].validator, attestation(taskId, outcome, "report"));
            carried[count++] = CarriedAttestation(i, "report", signature);
        }
        if (count == 0) return;
        assembly ("memory-safe") {
            mstore(carried, count)
        }
        if (count * 2 > task.ballots.length && seed & (1 << 120) != 0 && !_mayBeAppealed(task)) {
            uint256 before = sessions.totals().paidWei;
            queue.settleWith(taskId, outcome, carried, "manifest", effect());
            _note(taskId, sessions.totals().paidWei - before);
        } else {
            queue.attestMany(taskId, outcome, carried, effect());
        }
    }

    function _mayBeAppealed(TaskRecord memory task) private view returns (bool) {
        return sessions.rulesOf(task.sessionId, task.version).appealWindowS != 0;
    }

    function _outcome(TaskRecord memory task, uint256 seed) internal pure returns (Outcome memory outcome) {
        for (uint8 i = 0; i < task.slots.length; ++i) {
            if (task.slots[i].state != SlotState.Revealed) continue;
            if (outcome.honest != 0 && seed & (3 << (2 * i)) == 0) continue;
            outcome.honest |= uint16(1 << i);
            outcome.winner = i;
        }
        (outcome.promptTokens, outcome.outputTokens) = (100, uint32(within(seed >> 32, 1, 2) * 400));
    }

    /// @dev Whatever a copier brings, of its own or of whom it copied.
    function _cannotReveal(bytes32 taskId, address copier) internal {
        for (uint256 i = 0; i < miners.length; ++i) {
            (bytes32 root, bytes32 salt) = (rootOf(miners[i]), saltOf(miners[i]));
            _refused(copier, abi.encodeCall(queue.reveal, (taskId, root, salt, "result", effect())));
        }
    }

    /// @dev After the grace period anybody has a late miner dropped, and can do no more.
    function strangerDropsTheLate(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Assigned, TaskState.Precommitted);
        if (taskId == 0) return;
        Slot memory slot = task.slots[within(seed >> 8, 0, task.slots.length - 1)];
        bool revealing = task.state == TaskState.Precommitted;
        if (revealing ? slot.state != SlotState.Precommitted : slot.state > SlotState.Acked) return;
        _refused(STRANGER, abi.encodeCall(queue.reassign, (taskId, slot.miner, miners[0], effect())));
        bytes memory drop = abi.encodeCall(queue.reassign, (taskId, slot.miner, address(0), effect()));
        if (block.timestamp <= uint256(revealing ? task.phaseBy : slot.dueBy) + GRACE) return _refused(STRANGER, drop);
        vm.prank(STRANGER);
        queue.reassign(taskId, slot.miner, address(0), effect());
        _note(taskId, 0);
    }
}

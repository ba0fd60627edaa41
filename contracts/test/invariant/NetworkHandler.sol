// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/types/Node.sol";
import {SessionState, TaskRules} from "../../src/types/Session.sol";
import {Draw, Finality, Scheme, Signature, Slot, SlotState, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {vm} from "../base/Vm.sol";
import {AppealingHandler} from "./AppealingHandler.sol";

/// @title Everybody in a network, acting at random
/// @notice Each action does something that is allowed where the network stands, so a revert is a defect; only
/// {anybodyRepeats} tries what is not allowed, and fails if that works. What happened is counted on the side.
contract NetworkHandler is AppealingHandler {
    // ---------------------------------------------------------------- nodes

    function routerAssigns(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _readyTask(seed);
        if (taskId == 0) return;
        TaskRules memory rules = sessions.rulesOf(task.sessionId, task.version);
        address[] memory k = _choose(seed >> 8, miners, Role.Miner, task, rules.redundancy);
        address[] memory v = _choose(seed >> 16, validators, Role.Validator, task, rules.validators);
        if (k.length < rules.minMiners || (v.length == 0 && rules.level != 0)) return;
        assignAs(_router(task.sessionId, seed >> 24), taskId, k, v);
    }

    /// @dev Most miners of a task do what is next for them.
    function minersWork(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Assigned, TaskState.Precommitted);
        TaskState state = task.state;
        for (uint256 i = 0; i < task.slots.length && state <= TaskState.Precommitted; ++i) {
            if (seed & (7 << (8 + 3 * i)) == 0) continue;
            _work(taskId, task.slots[i], state);
            state = queue.taskOf(taskId).state;
        }
    }

    function _work(bytes32 taskId, Slot memory slot, TaskState state) private {
        if (slot.state == SlotState.Precommitted) {
            if (state != TaskState.Precommitted) return;
            if (copied[taskId][slot.miner]) _cannotReveal(taskId, slot.miner);
            else reveal(taskId, slot.miner);
        } else if (slot.state == SlotState.Assigned) {
            ack(taskId, slot.miner);
        } else if (slot.state == SlotState.Acked) {
            precommit(taskId, slot.miner, slot.attempt);
        }
    }

    function oracleReassigns(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Assigned, TaskState.Precommitted);
        if (taskId == 0) return;
        Slot memory slot = task.slots[within(seed >> 8, 0, task.slots.length - 1)];
        bool revealing = task.state == TaskState.Precommitted;
        if (revealing ? slot.state != SlotState.Precommitted : slot.state > SlotState.Acked) return;
        if (block.timestamp <= (revealing ? task.phaseBy : slot.dueBy)) return;
        address[] memory fresh = _choose(seed >> 16, miners, Role.Miner, task, 1);
        address[] memory oracle = _choose(seed >> 24, oracles, Role.Oracle, task, 1);
        if (oracle.length == 0) return;
        bool useful = fresh.length != 0 && !_seen(task, fresh[0]);
        vm.prank(oracle[0]);
        queue.reassign(taskId, slot.miner, useful ? fresh[0] : address(0), effect());
        _note(taskId, 0);
    }

    function validatorAttests(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Committed, TaskState.Committed);
        if (taskId == 0) return;
        uint256 which = within(seed >> 8, 0, task.ballots.length - 1);
        if (task.ballots[which].cast) return;
        address[] memory honest = _honest(task, seed >> 16);
        // Few different outcomes, so that validators agree now and then.
        attest(taskId, task.ballots[which].validator, honest, 100, uint32(within(seed >> 32, 1, 2) * 400));
    }

    function nodeWithdraws(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = _anyAccount(seed);
        uint128 earned = sessions.earningsOf(node);
        if (earned == 0) return;
        vm.prank(node);
        sessions.withdrawEarnings(effect());
        withdrawn[node] += earned;
    }

    function nodeMovesItsStake(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address node = registry.nodeAt(within(seed, 0, registry.nodeCount() - 1)).node;
        uint256 what = within(seed >> 16, 0, 7);
        uint128 stake = registry.nodeOf(node).stakeWei;
        uint40 unbondsAt = registry.nodeOf(node).unbondsAt;
        if (what == 0 && stake != 0) {
            vm.prank(node);
            registry.requestUnstake(effect());
        } else if (what == 1 && unbondsAt != 0 && block.timestamp >= unbondsAt) {
            vm.prank(node);
            registry.withdrawStake(effect());
        } else if (what < 4) {
            fund(node, 200 ether);
            vm.prank(node);
            registry.addStake(200 ether, effect());
        } else if (stake >= _minimumOf(node)) {
            vm.prank(node);
            registry.setActive(seed & (7 << 32) != 0, effect());
        }
    }

    // ---------------------------------------------------------------- anybody

    function strangerSettles(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Validated, TaskState.Validated);
        if (taskId == 0) return;
        bool early = task.finality != Finality.Immediate && block.timestamp <= task.phaseBy;
        if (early) return _refused(STRANGER, abi.encodeCall(queue.settle, (taskId, "manifest", effect())));
        _settle(taskId);
    }

    function strangerUsesADeadline(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Queued, TaskState.Committed);
        if (taskId == 0) return;
        if (task.state == TaskState.Committed) {
            if (block.timestamp > task.phaseBy) _resolve(taskId);
        } else if (block.timestamp > task.expireBy) {
            _expire(taskId);
        }
    }

    /// @dev A step is refunded at once where one that it comes after was, and else by time only; assigned it is never before
    /// all of these are settled.
    function strangerRefundsAStep(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId,) = _taskIn(seed, TaskState.Queued, TaskState.Queued);
        if (taskId == 0 || _isReady(taskId)) return;
        bool failed = false;
        for (uint256 i = 0; i < 8 && queue.parentOf(taskId, i) != 0; ++i) {
            if (queue.taskOf(queue.parentOf(taskId, i)).state == TaskState.Refunded) failed = true;
        }
        Draw memory draw = drawOf(Scheme.FirstCome, first(miners, 1), first(validators, 1));
        draw.beaconBlock = beaconAfter(queue.taskOf(taskId).submittedBlock);
        draw.beacon = blockhash(draw.beaconBlock);
        _refused(routers[0], abi.encodeCall(queue.assign, (taskId, draw, new Signature[](0), effect())));
        if (!failed) return _refused(STRANGER, abi.encodeCall(queue.refundStep, (taskId, effect())));
        vm.prank(STRANGER);
        queue.refundStep(taskId, effect());
        _note(taskId, 0);
    }

    function timePasses(uint256 number) external {
        uint256 seed = _mix(number);
        vm.roll(block.number + within(seed, 1, 4));
        uint256 seconds_ = within(seed >> 8, 1, 12);
        // Now and then everybody sleeps through a phase, a whole task, or an unbonding.
        uint256 sleep = within(seed >> 16, 0, 63);
        if (sleep == 0) seconds_ = 8 days;
        else if (sleep < 3) seconds_ = 600;
        else if (sleep < 16) seconds_ = 35;
        vm.warp(block.timestamp + seconds_);
    }

    /// @dev Whatever has ended stays ended, whoever tries what.
    function anybodyRepeats(uint256 number) external conserves {
        uint256 seed = _mix(number);
        (bytes32 taskId, TaskRecord memory task) = _taskIn(seed, TaskState.Settled, TaskState.Refunded);
        if (taskId == 0) return;
        address node = task.slots.length == 0 ? CLIENT : task.slots[0].miner;
        address validator = task.ballots.length == 0 ? STRANGER : task.ballots[0].validator;
        _refused(CLIENT, abi.encodeCall(queue.cancel, (taskId, effect())));
        _refused(STRANGER, abi.encodeCall(queue.settle, (taskId, "manifest", effect())));
        _refused(STRANGER, abi.encodeCall(queue.expire, (taskId, effect())));
        _refused(STRANGER, abi.encodeCall(queue.resolve, (taskId, effect())));
        _refused(node, abi.encodeCall(queue.ack, (taskId, effect())));
        _refused(node, abi.encodeCall(queue.reveal, (taskId, rootOf(node), saltOf(node), "result", effect())));
        _refused(oracles[0], abi.encodeCall(queue.reassign, (taskId, node, address(0), effect())));
        _refused(validator, abi.encodeCall(queue.attest, (taskId, node, only(node), 1, 1, "report", effect())));
    }

    // ---------------------------------------------------------------- the end of everything

    /// @notice Ends every task and closes every session with no help of any node.
    function everybodyLeaves() external {
        _endReservations();
        for (uint256 i = 0; i < _tasks.length; ++i) {
            _end(_tasks[i]);
        }
        _endAppeals();
        for (uint64 id = 1; id <= sessions.sessionCount(); ++id) {
            SessionState state = sessions.sessionOf(id).state;
            if (state != SessionState.Open && state != SessionState.Inactive) continue;
            vm.prank(CLIENT);
            sessions.close(id, effect());
        }
    }

    /// @dev Only strangers act, only time helps; no task needs more than three steps.
    function _end(bytes32 taskId) private {
        for (uint256 step = 0; step < 3; ++step) {
            TaskRecord memory task = queue.taskOf(taskId);
            if (task.state == TaskState.Validated) {
                if (block.timestamp <= task.phaseBy) vm.warp(task.phaseBy + 1);
                _settle(taskId);
            } else if (task.state == TaskState.Committed) {
                if (block.timestamp <= task.phaseBy) vm.warp(task.phaseBy + 1);
                _resolve(taskId);
            } else if (task.state < TaskState.Committed) {
                if (block.timestamp <= task.expireBy) vm.warp(task.expireBy + 1);
                _expire(taskId);
            }
        }
    }

    function _settle(bytes32 taskId) private {
        uint256 before = sessions.totals().paidWei;
        settle(taskId);
        _note(taskId, sessions.totals().paidWei - before);
    }

    function _resolve(bytes32 taskId) private {
        vm.prank(STRANGER);
        queue.resolve(taskId, effect());
        _note(taskId, 0);
    }

    function _expire(bytes32 taskId) private {
        vm.prank(STRANGER);
        queue.expire(taskId, effect());
        _note(taskId, 0);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {Role} from "../../src/types/Node.sol";
import {Terms} from "../../src/types/Session.sol";
import {Draw, Scheme, Signature, SlotState, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract TaskAssignTest is NetworkTest {
    uint64 private _session;
    bytes32 private _task;
    uint64 private _beaconBlock;

    function setUp() public override {
        super.setUp();
        _session = openSession();
        _task = submit(_session);
        _beaconBlock = uint64(block.number) + 1;
        vm.roll(_beaconBlock + 1);
    }

    function test_assigningFillsSlotsAndBallots() external {
        uint40 ackBy = uint40(block.timestamp) + 5;
        bytes32 beacon = blockhash(_beaconBlock);
        vm.expectEmit(address(queue));
        emit EffectLog.EffectApplied(routers[1], "assign");
        Draw memory draw = _draw(first(miners, 3), first(validators, 2));
        address[] memory drawn = rankOf(draw.validators, beacon, _task);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.CandidatesNamed(_session, _task, Scheme.FirstCome, draw.miners, draw.validators);
        vm.expectEmit(address(queue));
        emit TaskQueueEvents.MinersAssigned(
            _session, _task, first(miners, 3), drawn, _beaconBlock, beacon, "why", ackBy, 0
        );
        vm.prank(routers[1]);
        queue.assign(_task, draw, new Signature[](0), "assign");

        TaskRecord memory task = queue.taskOf(_task);
        assertEq(uint256(task.state), uint256(TaskState.Assigned), "assigned");
        assertEq(task.router, routers[1], "router");
        assertEq(task.slots.length, 3, "slots");
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(task.slots[i].miner, miners[i], "miner");
            assertEq(uint256(task.slots[i].state), uint256(SlotState.Assigned), "waits for the ack");
            assertEq(task.slots[i].dueBy, ackBy, "ack by");
            assertEq(task.slots[i].attempt, 0, "first attempt");
        }
        assertEq(task.ballots.length, 2, "ballots");
        assertEq(task.ballots[1].validator, drawn[1], "validator");
        assertEq(task.expireBy, block.timestamp + 2 * (6 * (5 + 30) + 10 + 20), "every phase and attempt, twice");
    }

    function test_fewerThanKMinersWillDo() external {
        _assign(only(miners[0]), only(validators[0]));
        assertEq(queue.taskOf(_task).slots.length, 1, "one slot");
    }

    function test_onlyAListedRouterAssigns() external {
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotSessionRouter.selector, _session, CLIENT));
        vm.prank(CLIENT);
        queue.assign(_task, _draw(first(miners, 3), first(validators, 2)), new Signature[](0), effect());
    }

    function test_aTaskIsAssignedOnce() external {
        _assign(first(miners, 3), first(validators, 2));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.WrongTaskState.selector, _task, TaskState.Assigned));
        _assign(first(miners, 3), first(validators, 2));
    }

    function test_thereAreOneToKMiners() external {
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerCountOutOfBounds.selector, 0, 1, 3));
        _assign(nobody(), first(validators, 2));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerCountOutOfBounds.selector, 4, 1, 3));
        _assign(first(miners, 4), first(validators, 2));
    }

    function test_theTermsSayHowFewMinersAreEnough() external {
        Terms memory terms = defaultTerms();
        terms.minMiners = 2;
        _task = submit(openSession(terms));
        _beaconBlock = uint64(block.number) + 1;
        vm.roll(_beaconBlock + 1);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerCountOutOfBounds.selector, 1, 2, 3));
        _assign(only(miners[0]), first(validators, 2));
        _assign(first(miners, 2), first(validators, 2));
        assertState(_task, TaskState.Assigned);
    }

    function test_thereIsOneValidatorAtLeast() external {
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.ValidatorCountOutOfBounds.selector, 0, 1, 2));
        _assign(first(miners, 3), nobody());
        _assign(first(miners, 3), first(validators, 3));
        assertEq(queue.taskOf(_task).ballots.length, 2, "as many as the terms say");
    }

    function test_atLevelZeroNoValidatorIsNeeded() external {
        Terms memory terms = defaultTerms();
        (terms.level, terms.validators) = (0, 0);
        _task = submit(openSession(terms));
        _beaconBlock = uint64(block.number) + 1;
        vm.roll(_beaconBlock + 1);
        _assign(first(miners, 3), only(validators[0]));
        assertState(_task, TaskState.Assigned);
        assertEq(queue.taskOf(_task).ballots.length, 0, "and none is drawn");
    }

    function test_nodesAreDistinct() external {
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.RepeatedNode.selector, miners[1]));
        _assign(pair(miners[1], miners[1]), first(validators, 2));
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.CandidatesUnordered.selector, validators[1]));
        _assign(first(miners, 3), pair(validators[1], validators[1]));
    }

    function test_nodesAreActiveInTheirRole() external {
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeNotActive.selector, validators[0], Role.Miner));
        _assign(pair(miners[0], validators[0]), first(validators, 2));
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeNotActive.selector, miners[0], Role.Validator));
        _assign(first(miners, 3), only(miners[0]));
        vm.prank(miners[2]);
        registry.setActive(false, effect());
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeNotActive.selector, miners[2], Role.Miner));
        _assign(first(miners, 3), first(validators, 2));
    }

    function test_theDedicatedListIsHonoured() external {
        uint64 id = openDedicated(defaultTerms(), pair(miners[0], miners[1]));
        _task = submit(id);
        _beaconBlock = uint64(block.number) + 1;
        vm.roll(_beaconBlock + 1);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerNotDedicated.selector, id, miners[2]));
        _assign(first(miners, 3), first(validators, 2));
        _assign(first(miners, 2), first(validators, 2));
        assertState(_task, TaskState.Assigned);
    }

    function test_theBeaconIsYoungerThanTheTask() external {
        uint64 submitted = _beaconBlock - 1;
        bytes32 beacon = blockhash(submitted);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.BeaconTooOld.selector, submitted, submitted));
        _assign(submitted, beacon);
    }

    function test_theBeaconIsTheBlocksHash() external {
        bytes32 actual = blockhash(_beaconBlock);
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.BeaconMismatch.selector, _beaconBlock, actual, bytes32("guess"))
        );
        _assign(_beaconBlock, "guess");
    }

    function test_aHashTheChainCannotTellIsNoBeacon() external {
        uint64 now_ = uint64(block.number);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.BeaconMismatch.selector, now_, bytes32(0), bytes32(0)));
        _assign(now_, 0);
        vm.roll(block.number + 256);
        vm.expectRevert(
            abi.encodeWithSelector(TaskQueueEvents.BeaconMismatch.selector, _beaconBlock, bytes32(0), bytes32(0))
        );
        _assign(_beaconBlock, 0);
        uint64 youngEnough = uint64(block.number) - 256;
        _assign(youngEnough, blockhash(youngEnough));
        assertState(_task, TaskState.Assigned);
    }

    function _draw(address[] memory to, address[] memory by) private view returns (Draw memory draw) {
        draw = drawOf(Scheme.FirstCome, to, by);
        (draw.beaconBlock, draw.beacon) = (_beaconBlock, blockhash(_beaconBlock));
    }

    function _assign(address[] memory to, address[] memory by) private {
        vm.prank(routers[0]);
        queue.assign(_task, _draw(to, by), new Signature[](0), effect());
    }

    function _assign(uint64 beaconBlock, bytes32 beacon) private {
        Draw memory draw = _draw(first(miners, 3), first(validators, 2));
        (draw.beaconBlock, draw.beacon) = (beaconBlock, beacon);
        vm.prank(routers[0]);
        queue.assign(_task, draw, new Signature[](0), effect());
    }
}

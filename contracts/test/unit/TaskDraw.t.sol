// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {Role} from "../../src/types/Node.sol";
import {Terms} from "../../src/types/Session.sol";
import {Draw, Scheme, Signature, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {LevelsTest} from "../base/LevelsTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice Draws of the queue, and the lanes their rounds are in.
contract TaskDrawTest is LevelsTest {
    uint64 private _session;
    bytes32 private _task;
    Draw private _draw;

    function setUp() public override {
        super.setUp();
        _session = openSession();
        _task = submit(_session);
        Draw memory draw = drawOf(Scheme.Drawn, miners, validators);
        draw.beaconBlock = beaconAfter(block.number);
        draw.beacon = blockhash(draw.beaconBlock);
        _draw = draw;
    }

    function test_theQueueDrawsByItself() external {
        address[] memory to = rankOf(_draw.miners, _draw.beacon, _task);
        address[] memory by = rankOf(_draw.validators, _draw.beacon, _task);
        _assign();
        TaskRecord memory task = queue.taskOf(_task);
        assertEq(task.slots.length, 3, "k of six");
        assertEq(task.ballots.length, 2, "two of three");
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(task.slots[i].miner, to[i], "the smallest keys in their order");
        }
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(task.ballots[i].validator, by[i], "the smallest keys in their order");
        }
    }

    function test_ofTooFewCandidatesAllAreDrawn() external {
        _draw.miners.pop();
        _draw.miners.pop();
        _draw.miners.pop();
        _draw.miners.pop();
        _assign();
        assertEq(queue.taskOf(_task).slots.length, 2, "both");
    }

    function test_whoIsDrawnWeighsNoMoreThanItsLevelMay() external {
        address drawn = rankOf(_draw.miners, _draw.beacon, _task)[0];
        for (uint256 i = 0; i < 6; ++i) {
            if (_draw.miners[i] >> 96 == uint160(drawn)) _draw.miners[i] = candidate(drawn, 2_000_001);
        }
        vm.expectRevert(
            abi.encodeWithSelector(NodeRegistryEvents.WeightBeyondLevel.selector, drawn, 0, 2_000_001, 2_000_000)
        );
        _assign();
        setLevel(drawn, 1);
        _assign();
        assertState(_task, TaskState.Assigned);
    }

    function test_aValidatorWeighsNoMoreThanItsLevelMay() external {
        address drawn = rankOf(_draw.validators, _draw.beacon, _task)[0];
        for (uint256 i = 0; i < 3; ++i) {
            if (_draw.validators[i] >> 96 == uint160(drawn)) _draw.validators[i] = candidate(drawn, 2_000_001);
        }
        vm.expectRevert(
            abi.encodeWithSelector(NodeRegistryEvents.WeightBeyondLevel.selector, drawn, 0, 2_000_001, 2_000_000)
        );
        _assign();
    }

    function test_ofWhoIsNotDrawnTheWeightMakesNoDifference() external {
        address last = rankOf(_draw.miners, _draw.beacon, _task)[5];
        address[] memory before = rankOf(_draw.miners, _draw.beacon, _task);
        for (uint256 i = 0; i < 6; ++i) {
            if (_draw.miners[i] >> 96 == uint160(last)) _draw.miners[i] = candidate(last, 1);
        }
        _assign();
        assertEq(queue.taskOf(_task).slots[0].miner, before[0], "each key stands alone");
    }

    function test_anotherTaskIsAnotherDraw() external view {
        address[] memory one = rankOf(_draw.miners, _draw.beacon, _task);
        address[] memory two = rankOf(_draw.miners, _draw.beacon, "another");
        bool same = true;
        for (uint256 i = 0; i < one.length; ++i) {
            same = same && one[i] == two[i];
        }
        assertFalse(same, "the task is in the seed");
    }

    function test_whoIsDrawnMayWork() external {
        address drawn = rankOf(_draw.miners, _draw.beacon, _task)[0];
        vm.prank(drawn);
        registry.setActive(false, effect());
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeNotActive.selector, drawn, Role.Miner));
        _assign();
    }

    function test_whoIsNotDrawnNeedNot() external {
        address last = rankOf(_draw.miners, _draw.beacon, _task)[5];
        vm.prank(last);
        registry.setActive(false, effect());
        _assign();
        assertState(_task, TaskState.Assigned);
    }

    function test_validatorsAreDrawnWhereMinersCameFirst() external {
        _draw.scheme = Scheme.FirstCome;
        _draw.miners = drawOf(Scheme.FirstCome, first(miners, 3), validators).miners;
        (_draw.validators[0], _draw.validators[1]) = (_draw.validators[1], _draw.validators[0]);
        vm.expectPartialRevert(TaskQueueEvents.CandidatesUnordered.selector);
        _assign();
    }

    function test_aSessionHas256Lanes() external {
        Terms memory terms = defaultTerms();
        (terms.redundancy, terms.validators, terms.level) = (1, 0, 0);
        terms.maxTaskPriceWei = 1;
        _session = openSession(terms);
        bytes32 middle = 0;
        for (uint256 i = 0; i < 256; ++i) {
            _next(uint8(i * 3));
            assertState(_task, TaskState.Assigned);
            if (i == 100) middle = _task;
        }
        _prepare(7);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NoLaneFree.selector, _session));
        _assign();
        uint8 lane = queue.taskOf(middle).lane;
        vm.prank(CLIENT);
        queue.cancel(middle, effect());
        _assign();
        assertEq(queue.taskOf(_task).lane, lane, "the one that is free");
    }

    function _next(uint8 lane) private {
        _prepare(lane);
        _assign();
    }

    function _prepare(uint8 lane) private {
        _task = submit(_session, effect());
        Draw memory draw = drawOf(Scheme.Drawn, miners, nobody());
        draw.lane = lane;
        draw.beaconBlock = beaconAfter(block.number);
        draw.beacon = blockhash(draw.beaconBlock);
        _draw = draw;
    }

    function _assign() private {
        vm.prank(routers[0]);
        queue.assign(_task, _draw, new Signature[](0), effect());
    }
}

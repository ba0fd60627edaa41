// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {Pricing} from "../../src/Pricing.sol";
import {Sessions} from "../../src/Sessions.sol";
import {TaskQueueEvents} from "../../src/TaskQueueEvents.sol";
import {Appeals, Slashes} from "../../src/types/Economy.sol";
import {Escrow, SettlementMode, Terms} from "../../src/types/Session.sol";
import {Draw, Scheme, Signature, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice What the queue takes from the terms of sessions, from the registry and from the parameters.
contract TaskTermsTest is NetworkTest {
    function test_batchedSessionsAreNotSettledHere() external {
        Terms memory terms = defaultTerms();
        uint64 id = openSession(terms);
        bytes32 under = submit(id, "under the first version");
        terms.settlement = SettlementMode.Batched;
        update(id, terms);
        uint128 before = sessions.sessionOf(id).balanceWei;
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.SessionBatched.selector, id, 2));
        submit(id, "under the second");
        assertEq(sessions.sessionOf(id).balanceWei, before, "nothing is set aside");
        assign(under, 3, 2);
        assertState(under, TaskState.Assigned);
    }

    function test_aDrawOfFewerThanTheFewestIsRefused() external {
        Terms memory terms = defaultTerms();
        terms.minMiners = 2;
        bytes32 taskId = submit(openSession(terms));
        Draw memory draw = _draw(taskId, Scheme.Drawn, 1);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.MinerCountOutOfBounds.selector, 1, 2, 3));
        _assign(taskId, draw);
        _assign(taskId, _draw(taskId, Scheme.Drawn, 2));
        assertEq(queue.taskOf(taskId).slots.length, 2, "both");
    }

    // ---------------------------------------------------------------- nodes that cool down

    function test_whoCoolsDownIsNotDrawn() external {
        bytes32 taskId = submit(openSession());
        uint40 untilAt = uint40(block.timestamp) + 100;
        _cool(miners[1], untilAt);
        Draw memory draw = _draw(taskId, Scheme.Drawn, 3);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeCoolingDown.selector, miners[1], untilAt));
        _assign(taskId, draw);
        vm.warp(untilAt);
        _assign(taskId, draw);
        assertEq(queue.taskOf(taskId).slots.length, 3, "rested");
    }

    function test_aValidatorThatCoolsDownIsNotDrawn() external {
        bytes32 taskId = submit(openSession());
        uint40 untilAt = uint40(block.timestamp) + 100;
        _cool(validators[0], untilAt);
        Draw memory draw = _draw(taskId, Scheme.FirstCome, 3);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeCoolingDown.selector, validators[0], untilAt));
        _assign(taskId, draw);
    }

    function test_whoCoolsDownReplacesNobody() external {
        bytes32 taskId = taskIn(TaskState.Assigned);
        uint40 untilAt = uint40(block.timestamp) + 100;
        _cool(miners[4], untilAt);
        pass(6);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NodeCoolingDown.selector, miners[4], untilAt));
        reassign(taskId, miners[1], miners[4]);
        reassign(taskId, miners[1], miners[5]);
        assertEq(queue.taskOf(taskId).slots[1].miner, miners[5], "another one");
    }

    function test_whoCoolsDownFinishesWhatItHas() external {
        bytes32 taskId = taskIn(TaskState.Assigned);
        _cool(miners[0], uint40(block.timestamp) + 100);
        precommit(taskId, miners[0]);
        assertEq(queue.taskOf(taskId).slots[0].precommit, hashOf(taskId, miners[0], 0), "bound");
    }

    // ---------------------------------------------------------------- parameters

    function test_theGracePeriodIsAParameter() external {
        bytes32 taskId = taskIn(TaskState.Assigned);
        Appeals memory appeals = parameters.appeals();
        appeals.graceS = 7;
        asOwner(abi.encodeCall(parameters.setAppeals, (appeals, effect())));
        uint40 graceBy = queue.taskOf(taskId).slots[0].dueBy + 7;
        vm.warp(graceBy);
        vm.expectRevert(abi.encodeWithSelector(TaskQueueEvents.NotDue.selector, taskId, graceBy));
        _drop(taskId);
        vm.warp(graceBy + 1);
        _drop(taskId);
    }

    function test_whatFaultsCostIsAParameter() external {
        bytes32 outlier = taskIn(TaskState.Committed);
        bytes32 silent = taskIn(TaskState.Precommitted);
        Slashes memory slashes = parameters.slashes();
        (slashes.outlierWei, slashes.unrevealedWei) = (3 ether, 5 ether);
        asOwner(abi.encodeCall(parameters.setSlashes, (slashes, effect())));
        attest(outlier, queue.taskOf(outlier).ballots[0].validator, pair(miners[0], miners[2]));
        attest(outlier, queue.taskOf(outlier).ballots[1].validator, pair(miners[0], miners[2]));
        settle(outlier);
        assertEq(registry.nodeOf(miners[1]).stakeWei, STAKE - 3 ether, "an outlier");
        pass(11);
        reassign(silent, miners[2], address(0));
        assertEq(registry.nodeOf(miners[2]).stakeWei, STAKE - 5 ether, "silent");
    }

    // ---------------------------------------------------------------- what fits in a task's slot

    function test_theMultiplierIsKeptInHundredThousandths() external {
        uint64 id = openSession();
        _price(1_234_567);
        bytes32 taskId = taskIn(TaskState.Validated, id, 3, 2);
        assertEq(queue.taskOf(taskId).demandPpm, 1_234_560, "rounded down");
        vm.expectCall(
            address(pricing),
            abi.encodeCall(Pricing.ended, (1, uint256(_priceOf(1_234_560)) * 1_000_000 / 1_234_560)),
            1
        );
        uint128 before = sessions.totals().paidWei;
        settle(taskId);
        assertEq(sessions.totals().paidWei - before, _priceOf(1_234_560), "priced at it");
    }

    function test_theHighestMultiplierFits() external {
        uint64 id = openSession();
        _price(100_000_000);
        assertEq(queue.taskOf(submit(id)).demandPpm, 100_000_000, "a hundred");
    }

    function test_versionsHaveABound() external {
        uint64 id = openSession();
        _escrow(id, Escrow(1 ether, 65_536, 1_000_000, 60));
        vm.mockCall(
            address(sessions), abi.encodeCall(sessions.rulesOf, (id, 65_536)), abi.encode(sessions.rulesOf(id, 1))
        );
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 16, 65_536));
        submit(id);
    }

    function test_sessionIdsHaveABound() external {
        uint64 id = uint64(type(uint32).max) + 1;
        uint64 real = openSession();
        _escrow(id, Escrow(1 ether, 1, 1_000_000, 60));
        vm.mockCall(address(sessions), abi.encodeCall(sessions.rulesOf, (id, 1)), abi.encode(sessions.rulesOf(real, 1)));
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 32, id));
        submit(id);
    }

    // ---------------------------------------------------------------- help

    function _draw(bytes32 taskId, Scheme scheme, uint256 k) private returns (Draw memory draw) {
        draw = drawOf(scheme, first(miners, k), first(validators, 2));
        draw.beaconBlock = beaconAfter(queue.taskOf(taskId).submittedBlock);
        draw.beacon = blockhash(draw.beaconBlock);
    }

    function _assign(bytes32 taskId, Draw memory draw) private {
        vm.prank(routers[0]);
        queue.assign(taskId, draw, new Signature[](0), effect());
    }

    function _drop(bytes32 taskId) private {
        vm.prank(STRANGER);
        queue.reassign(taskId, miners[0], address(0), effect());
    }

    function _cool(address node, uint40 untilAt) private {
        vm.prank(address(queue));
        registry.coolDown(node, untilAt);
    }

    /// @dev Tasks that are submitted now are priced at this multiplier.
    function _price(uint32 demandPpm) private {
        vm.mockCall(address(pricing), abi.encodeWithSelector(Pricing.began.selector), abi.encode(demandPpm));
    }

    function _escrow(uint64 id, Escrow memory held) private {
        vm.mockCall(address(sessions), abi.encodeCall(Sessions.escrow, (id, CLIENT, MAX_PRICE)), abi.encode(held));
    }

    /// @dev Of 100 tokens of the prompt and 50 of the output.
    function _priceOf(uint256 demandPpm) private pure returns (uint128) {
        return uint128((100 * uint256(PROMPT_TOKEN) + 50 * uint256(OUTPUT_TOKEN)) * demandPpm / 1_000_000);
    }
}

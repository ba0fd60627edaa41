// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Role} from "../../src/types/Node.sol";
import {LevelsTest} from "../base/LevelsTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice Which models a node serves, and who may be given work for one.
contract NodeModelsTest is LevelsTest {
    bytes32 private constant HASH = keccak256("pebble-chat");
    bytes32 private constant OTHER = keccak256("model 0");

    // ---------------------------------------------------------------- models

    function test_aNodeServesModelsFromItsRegistrationOn() external {
        string[] memory models = _models(2);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.ModelServed(CLIENT, OTHER, "model 0");
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.ModelServed(CLIENT, keccak256("model 1"), "model 1");
        vm.prank(CLIENT);
        registry.register(Roles.CLIENT, "key", 0, "", models, effect());
        assertEq(registry.modelsOf(CLIENT).length, 2, "two");
        assertEq(registry.modelsOf(CLIENT)[0], OTHER, "the first");
        assertTrue(registry.serves(CLIENT, OTHER), "serves it");
        assertFalse(registry.serves(CLIENT, HASH), "and no other");
    }

    function test_modelsComeAndGo() external {
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.ModelServed(miners[0], OTHER, "model 0");
        _serve(miners[0], _models(1));
        _serve(miners[0], _models(1));
        assertEq(registry.modelsOf(miners[0]).length, 2, "once each");
        assertFalse(registry.servesAll(first(miners, 2), OTHER), "not all serve it");
        assertTrue(registry.servesAll(first(miners, 1), OTHER), "the first does");
        assertTrue(registry.servesAll(nobody(), OTHER), "of none, all do");
        assertTrue(registry.servesAll(miners, HASH), "and all the first one");

        bytes32[] memory gone = new bytes32[](2);
        (gone[0], gone[1]) = (OTHER, OTHER);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.ModelDropped(miners[0], OTHER);
        _drop(miners[0], gone);
        assertFalse(registry.serves(miners[0], OTHER), "dropped");
        assertTrue(registry.serves(miners[0], HASH), "the other one is kept");
    }

    function test_aNodeServesABoundedNumberOfModels() external {
        _serve(miners[0], _models(15));
        assertEq(registry.modelsOf(miners[0]).length, 16, "at the bound");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.TooManyModels.selector, 17, 16));
        _serve(miners[0], _models(16));
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.TooManyModels.selector, 17, 16));
        _serve(miners[1], _models(17));
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.TooManyModels.selector, 17, 16));
        _drop(miners[0], new bytes32[](17));
        _drop(miners[0], new bytes32[](16));
        assertEq(registry.modelsOf(miners[0]).length, 16, "none of these");
    }

    function test_aModelsIdIsBounded() external {
        string[] memory models = new string[](1);
        models[0] = string(new bytes(128));
        _serve(miners[0], models);
        models[0] = string(new bytes(129));
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.ModelLengthOutOfBounds.selector, 129, 128));
        _serve(miners[0], models);
        models[0] = "";
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.ModelLengthOutOfBounds.selector, 0, 128));
        _serve(miners[0], models);
    }

    function test_strangersServeNothing() external {
        bytes memory refusal = abi.encodeWithSelector(NodeRegistryEvents.NotRegistered.selector, STRANGER);
        vm.expectRevert(refusal);
        _serve(STRANGER, _models(1));
        vm.expectRevert(refusal);
        _drop(STRANGER, new bytes32[](1));
    }

    // ---------------------------------------------------------------- who may be given work

    function test_theEligibleAreTheirNumbers() external {
        uint32[] memory numbers = registry.requireEligible(miners, Role.Miner, HASH);
        assertEq(numbers.length, 6, "all");
        for (uint256 i = 0; i < 6; ++i) {
            assertEq(numbers[i], registry.numberOf(miners[i]), "in order");
        }
        assertEq(registry.requireEligible(nobody(), Role.Miner, HASH).length, 0, "of none, none");
        assertEq(registry.requireEligible(validators, Role.Validator, 0).length, 3, "any model");

        vm.prank(address(queue));
        registry.coolDown(miners[5], uint40(block.timestamp));
        numbers = registry.requireDrawn(_weighing(miners, 2_000_000), Role.Miner, HASH);
        assertEq(numbers[5], registry.numberOf(miners[5]), "numbers of the drawn");
        assertEq(registry.requireDrawn(new uint256[](0), Role.Miner, HASH).length, 0, "of none, none");
    }

    function test_theFirstThatMayNotWorkIsNamed() external {
        vm.prank(miners[2]);
        registry.setActive(false, effect());
        vm.prank(miners[4]);
        registry.setActive(false, effect());
        _refuses(miners, Role.Miner, HASH, _notActive(miners[2], Role.Miner));
        _refuses(miners, Role.Router, HASH, _notActive(miners[0], Role.Router));
        _refuses(only(STRANGER), Role.Miner, HASH, _notActive(STRANGER, Role.Miner));
        _refuses(only(miners[0]), Role.None, HASH, _notActive(miners[0], Role.None));
    }

    function test_whoDoesNotServeTheModelIsNamed() external {
        _serve(miners[0], _models(1));
        _refuses(
            miners,
            Role.Miner,
            OTHER,
            abi.encodeWithSelector(NodeRegistryEvents.ModelNotServed.selector, miners[1], OTHER)
        );
    }

    function test_whoCoolsDownIsNamedUntilItsTime() external {
        uint40 until = uint40(block.timestamp) + 60;
        vm.prank(address(queue));
        registry.coolDown(miners[1], until);
        vm.warp(until - 1);
        _refuses(
            miners, Role.Miner, 0, abi.encodeWithSelector(NodeRegistryEvents.NodeCoolingDown.selector, miners[1], until)
        );
        assertTrue(registry.isActive(miners[1], Role.Miner), "it is active all the same");
        vm.warp(until);
        assertEq(registry.requireEligible(miners, Role.Miner, 0).length, 6, "rested");
    }

    // ---------------------------------------------------------------- by which weight

    function test_aLevelBoundsTheWeight() external {
        uint256[] memory drawn = _weighing(miners, 2_000_000);
        setLevel(miners[2], 3);
        drawn[2] = candidate(miners[2], 2_600_000);
        registry.requireDrawn(drawn, Role.Miner, HASH);
        drawn[2] = candidate(miners[2], 2_600_001);
        _tooHeavy(drawn, miners[2], 3, 2_600_001, 2_600_000);
        drawn[1] = candidate(miners[1], 2_000_001);
        _tooHeavy(drawn, miners[1], 0, 2_000_001, 2_000_000);
    }

    function test_theBoundIsThatOfTheParametersNow() external {
        uint16[11] memory maxWeights = parameters.maxWeights();
        maxWeights[0] = 100;
        asOwner(abi.encodeCall(parameters.setMaxWeights, (maxWeights, effect())));
        registry.requireDrawn(_weighing(miners, 100_000), Role.Miner, HASH);
        _tooHeavy(_weighing(miners, 100_001), miners[0], 0, 100_001, 100_000);
    }

    // ---------------------------------------------------------------- the calls

    function _weighing(address[] memory nodes, uint256 weight) private pure returns (uint256[] memory drawn) {
        drawn = new uint256[](nodes.length);
        for (uint256 i = 0; i < drawn.length; ++i) {
            drawn[i] = candidate(nodes[i], weight);
        }
    }

    function _tooHeavy(uint256[] memory drawn, address node, uint8 level, uint256 weight, uint256 maximum) private {
        vm.expectRevert(
            abi.encodeWithSelector(NodeRegistryEvents.WeightBeyondLevel.selector, node, level, weight, maximum)
        );
        registry.requireDrawn(drawn, Role.Miner, HASH);
    }

    function _refuses(address[] memory nodes, Role role, bytes32 modelHash, bytes memory refusal) private {
        vm.expectRevert(refusal);
        registry.requireEligible(nodes, role, modelHash);
        vm.expectRevert(refusal);
        registry.requireDrawn(_weighing(nodes, 1), role, modelHash);
    }

    function _notActive(address node, Role role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(NodeRegistryEvents.NodeNotActive.selector, node, role);
    }

    function _models(uint256 count) private pure returns (string[] memory models) {
        models = new string[](count);
        for (uint256 i = 0; i < count; ++i) {
            models[i] = string.concat("model ", vm.toString(i));
        }
    }

    function _serve(address node, string[] memory models) private {
        vm.prank(node);
        registry.serveModels(models, effect());
    }

    function _drop(address node, bytes32[] memory hashes) private {
        vm.prank(node);
        registry.dropModels(hashes, effect());
    }
}

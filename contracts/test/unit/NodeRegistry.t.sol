// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {NodeRecord, NodeState, Role, SlashReason} from "../../src/types/Node.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

contract NodeRegistryTest is NetworkTest {
    bytes32 private constant KEY = "a key";

    // ---------------------------------------------------------------- register

    function test_registeringStakesAndGoesToWork() external {
        fund(STRANGER, 150 ether);
        vm.expectEmit(address(registry));
        emit EffectLog.EffectApplied(STRANGER, "join");
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeRegistered(STRANGER, 14, Roles.MINER, KEY, 150 ether, "ipfs://me");
        vm.prank(STRANGER);
        registry.register(Roles.MINER, KEY, 150 ether, "ipfs://me", new string[](0), "join");

        NodeRecord memory node = registry.nodeOf(STRANGER);
        assertEq(node.node, STRANGER, "node");
        assertEq(node.roles, Roles.MINER, "roles");
        assertEq(node.number, 14, "number");
        assertEq(node.level + node.coolUntilAt + node.unbondsAt, 0, "a clean sheet");
        assertEq(node.key, KEY, "key");
        assertEq(node.stakeWei, 150 ether, "stake");
        assertEq(uint256(node.state), uint256(NodeState.Active), "state");
        assertTrue(registry.isActive(STRANGER, Role.Miner), "an active miner");
        assertFalse(registry.isActive(STRANGER, Role.Router), "and nothing else");
        assertEq(cor.balanceOf(STRANGER), 0, "the stake was pulled");
        assertMoneyConserved();
    }

    function test_aClientRegistersWithoutStake() external {
        join(CLIENT, Role.Client, 0);
        assertTrue(registry.isActive(CLIENT, Role.Client), "active");
    }

    function test_everyRoleHasItsMinimum() external {
        _refusesBelowMinimum(Role.Miner, 100 ether);
        _refusesBelowMinimum(Role.Validator, 200 ether);
        _refusesBelowMinimum(Role.Oracle, 200 ether);
        _refusesBelowMinimum(Role.Router, 500 ether);
        assertEq(registry.minimumStakeWei(Role.Client), 0, "clients need none");
    }

    function _refusesBelowMinimum(Role role, uint128 minimumWei) private {
        assertEq(registry.minimumStakeWei(role), minimumWei, "minimum");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.StakeTooLow.selector, minimumWei - 1, minimumWei));
        _register(Roles.bit(role), KEY, minimumWei - 1);
    }

    function test_severalRolesStakeTheSumOfTheirMinima() external {
        uint8 roles = Roles.MINER | Roles.ORACLE;
        fund(CLIENT, 300 ether);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.StakeTooLow.selector, 300 ether - 1, 300 ether));
        _register(roles, KEY, 300 ether - 1);
        _register(roles, KEY, 300 ether);
        assertTrue(registry.isActive(CLIENT, Role.Miner), "a miner");
        assertTrue(registry.isActive(CLIENT, Role.Oracle), "and an oracle");
        assertFalse(registry.isActive(CLIENT, Role.Validator), "and nothing else");
        assertFalse(registry.isActive(CLIENT, Role.None), "least of all nothing");
        assertTrue(registry.hasRole(CLIENT, Role.Oracle), "has the role");
        assertEq(registry.rolesOf(CLIENT), roles, "both");

        // One slash stops it in both.
        vm.prank(address(queue));
        registry.slash(CLIENT, 1, "task", SlashReason.Outlier, address(0), 0);
        assertFalse(registry.isActive(CLIENT, Role.Miner), "no miner");
        assertFalse(registry.isActive(CLIENT, Role.Oracle), "and no oracle");
        assertTrue(registry.hasRole(CLIENT, Role.Oracle), "still has the role");
    }

    function test_registeringNeedsARoleAndAKey() external {
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.InvalidRoles.selector, 0));
        _register(0, KEY, 0);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.InvalidRoles.selector, 32));
        _register(32, KEY, 0);
        vm.expectRevert(NodeRegistryEvents.KeyMissing.selector);
        _register(Roles.CLIENT, 0, 0);
        fund(CLIENT, 2000 ether);
        _register(31, KEY, 2000 ether);
    }

    function test_anAddressRegistersOnce() external {
        _register(Roles.CLIENT, KEY, 0);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.AlreadyRegistered.selector, CLIENT));
        _register(Roles.CLIENT, "another", 0);
    }

    function test_aKeyBelongsToOneAddress() external {
        bytes32 taken = registry.nodeOf(miners[0]).key;
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.KeyTaken.selector, taken, miners[0]));
        _register(Roles.CLIENT, taken, 0);
    }

    function test_aStakeThatCannotExistIsRefused() external {
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 96, 1 << 96));
        _register(Roles.MINER, KEY, 1 << 96);
        vm.expectRevert(
            abi.encodeWithSelector(
                SafeCast.SafeCastOverflowedUintDowncast.selector, 96, uint256(STAKE) + type(uint128).max
            )
        );
        _addStake(miners[0], type(uint128).max);
    }

    // ---------------------------------------------------------------- metadata

    function test_aNodeDescribesItselfUpToABound() external {
        string memory uri = string(new bytes(256));
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeMetadataSet(miners[0], uri);
        vm.prank(miners[0]);
        registry.setMetadata(uri, effect());

        bytes memory refusal = abi.encodeWithSelector(NodeRegistryEvents.MetadataTooLong.selector, 257, 256);
        vm.expectRevert(refusal);
        vm.prank(miners[0]);
        registry.setMetadata(string(new bytes(257)), effect());
        vm.expectRevert(refusal);
        vm.prank(CLIENT);
        registry.register(Roles.CLIENT, KEY, 0, string(new bytes(257)), new string[](0), effect());
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NotRegistered.selector, STRANGER));
        vm.prank(STRANGER);
        registry.setMetadata("me", effect());
    }

    // ---------------------------------------------------------------- activity

    function test_aNodeStopsAndGoesOn() external {
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeActiveSet(miners[0], false);
        _setActive(miners[0], false);
        assertFalse(registry.isActive(miners[0], Role.Miner), "stopped");
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeActiveSet(miners[0], true);
        _setActive(miners[0], true);
        assertTrue(registry.isActive(miners[0], Role.Miner), "at work");
    }

    function test_settingWhatIsSetChangesNothing() external {
        _setActive(miners[0], true);
        assertTrue(registry.isActive(miners[0], Role.Miner), "at work");
    }

    function test_strangersHaveNothingToSet() external {
        bytes memory refusal = abi.encodeWithSelector(NodeRegistryEvents.NotRegistered.selector, STRANGER);
        vm.expectRevert(refusal);
        _setActive(STRANGER, true);
        vm.expectRevert(refusal);
        _addStake(STRANGER, 1);
        vm.expectRevert(refusal);
        _requestUnstake(STRANGER);
        vm.expectRevert(refusal);
        _withdrawStake(STRANGER);
    }

    function test_drainingAndLeavingAreStates() external {
        _assertState(miners[0], NodeState.Active);
        _setActive(miners[0], false);
        _assertState(miners[0], NodeState.Draining);
        _requestUnstake(miners[0]);
        _assertState(miners[0], NodeState.Left);
        _setActive(miners[0], false);
        _assertState(miners[0], NodeState.Left);
        _setActive(miners[0], true);
        _assertState(miners[0], NodeState.Active);
        assertEq(registry.nodeOf(miners[0]).unbondsAt, 0, "the request is taken back");
        _assertState(STRANGER, NodeState.None);
    }

    function _assertState(address node, NodeState expected) private view {
        assertEq(uint256(registry.nodeOf(node).state), uint256(expected), "state");
    }

    // ---------------------------------------------------------------- stake

    function test_stakeCanBeAdded() external {
        fund(miners[0], 5 ether);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.StakeAdded(miners[0], 5 ether);
        _addStake(miners[0], 5 ether);
        assertEq(registry.nodeOf(miners[0]).stakeWei, STAKE + 5 ether, "stake");
        assertMoneyConserved();
    }

    function test_nothingIsNothingToAdd() external {
        vm.expectRevert(NodeRegistryEvents.EmptyStake.selector);
        _addStake(miners[0], 0);
    }

    function test_anEffectAddsStakeOnce() external {
        fund(miners[0], 2 ether);
        vm.prank(miners[0]);
        registry.addStake(1 ether, "more");
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, miners[0], bytes32("more")));
        vm.prank(miners[0]);
        registry.addStake(1 ether, "more");
    }

    function test_stakeComesBackAfterTheDelay() external {
        uint40 unbondsAt = uint40(block.timestamp) + 7 days;
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.UnstakeRequested(miners[0], unbondsAt);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeActiveSet(miners[0], false);
        _requestUnstake(miners[0]);

        vm.warp(unbondsAt - 1);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.StillBonded.selector, miners[0], unbondsAt));
        _withdrawStake(miners[0]);

        vm.warp(unbondsAt);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.StakeWithdrawn(miners[0], STAKE);
        _withdrawStake(miners[0]);
        assertEq(cor.balanceOf(miners[0]), STAKE, "back");
        assertEq(registry.nodeOf(miners[0]).stakeWei, 0, "nothing left");
        assertMoneyConserved();

        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.StillBonded.selector, miners[0], uint40(0)));
        _withdrawStake(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NothingStaked.selector, miners[0]));
        _requestUnstake(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.StakeTooLow.selector, 0, 100 ether));
        _setActive(miners[0], true);
    }

    function test_goingToWorkTakesTheRequestBack() external {
        _requestUnstake(miners[0]);
        _setActive(miners[0], true);
        pass(8 days);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.StillBonded.selector, miners[0], uint40(0)));
        _withdrawStake(miners[0]);
    }

    function test_aNodeThatStoppedMayAskForItsStake() external {
        _setActive(miners[0], false);
        _requestUnstake(miners[0]);
        assertEq(registry.nodeOf(miners[0]).unbondsAt, block.timestamp + 7 days, "unbonds");
    }

    function test_anEffectRequestsUnstakeOnce() external {
        vm.prank(miners[0]);
        registry.requestUnstake("leave");
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, miners[0], bytes32("leave")));
        vm.prank(miners[0]);
        registry.requestUnstake("leave");
    }

    // ---------------------------------------------------------------- views

    function test_nodesComeInOrderAndInPages() external view {
        uint256 total = registry.nodeCount();
        assertEq(total, 13, "2 routers, 6 miners, 3 validators, 2 oracles");
        assertEq(registry.nodeAt(0).node, routers[0], "the first");
        NodeRecord[] memory page = registry.nodesPage(2, 6);
        assertEq(page.length, 6, "a full page");
        for (uint256 i = 0; i < 6; ++i) {
            assertEq(page[i].node, miners[i], "in order");
        }
        assertEq(registry.nodesPage(11, 100).length, 2, "what is left");
        assertEq(registry.nodesPage(total, 1).length, 0, "nothing after the end");
        assertEq(registry.nodesPage(0, type(uint256).max).length, total, "all");
    }

    function test_nodesHaveNumbersFromOne() external {
        assertEq(registry.numberOf(routers[0]), 1, "the first");
        assertEq(registry.numberOf(STRANGER), 0, "nobody");
        uint32[] memory numbers = new uint32[](3);
        (numbers[0], numbers[1], numbers[2]) = (13, 1, 3);
        address[] memory nodes = registry.nodesOf(numbers);
        assertEq(nodes[0], oracles[1], "the last");
        assertEq(nodes[1], routers[0], "the first");
        assertEq(nodes[2], miners[0], "the third");
        assertEq(registry.nodesOf(new uint32[](0)).length, 0, "none");
        numbers[2] = 0;
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.UnknownNode.selector, 0));
        registry.nodesOf(numbers);
        numbers[2] = 14;
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.UnknownNode.selector, 14));
        registry.nodesOf(numbers);
    }

    function test_strangersAreNobody() external view {
        assertEq(registry.rolesOf(STRANGER), 0, "roles");
        assertEq(registry.nodeOf(STRANGER).number, 0, "record");
        assertEq(registry.levelOf(STRANGER), 0, "level");
        assertEq(registry.rolesOf(routers[0]), Roles.ROUTER, "a router");
    }

    // ---------------------------------------------------------------- the calls

    function _setActive(address node, bool active) private {
        vm.prank(node);
        registry.setActive(active, effect());
    }

    function _addStake(address node, uint128 amountWei) private {
        vm.prank(node);
        registry.addStake(amountWei, effect());
    }

    function _requestUnstake(address node) private {
        vm.prank(node);
        registry.requestUnstake(effect());
    }

    function _withdrawStake(address node) private {
        vm.prank(node);
        registry.withdrawStake(effect());
    }

    function _register(uint8 roles, bytes32 key, uint128 stakeWei) private {
        vm.prank(CLIENT);
        registry.register(roles, key, stakeWei, "", new string[](0), effect());
    }
}

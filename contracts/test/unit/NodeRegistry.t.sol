// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {NodeRecord, Role, SlashReason} from "../../src/types/Node.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract NodeRegistryTest is NetworkTest {
    bytes32 private constant KEY = "a key";

    // ---------------------------------------------------------------- register

    function test_registeringStakesAndGoesToWork() external {
        fund(STRANGER, 150 ether);
        vm.expectEmit(address(registry));
        emit EffectLog.EffectApplied(STRANGER, "join");
        vm.expectEmit(address(registry));
        emit NodeRegistry.NodeRegistered(STRANGER, Role.Miner, KEY, 150 ether);
        vm.prank(STRANGER);
        registry.register(Role.Miner, KEY, 150 ether, "join");

        NodeRecord memory node = registry.nodeOf(STRANGER);
        assertEq(node.node, STRANGER, "node");
        assertEq(uint256(node.role), uint256(Role.Miner), "role");
        assertEq(node.key, KEY, "key");
        assertEq(node.stakeWei, 150 ether, "stake");
        assertTrue(node.active, "active");
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
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.StakeTooLow.selector, minimumWei - 1, minimumWei));
        vm.prank(CLIENT);
        registry.register(role, KEY, minimumWei - 1, effect());
    }

    function test_registeringNeedsARoleAndAKey() external {
        vm.expectRevert(NodeRegistry.RoleMissing.selector);
        registry.register(Role.None, KEY, 0, effect());
        vm.expectRevert(NodeRegistry.KeyMissing.selector);
        registry.register(Role.Client, 0, 0, effect());
    }

    function test_anAddressRegistersOnce() external {
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.AlreadyRegistered.selector, miners[0]));
        vm.prank(miners[0]);
        registry.register(Role.Client, KEY, 0, effect());
    }

    function test_aKeyBelongsToOneAddress() external {
        bytes32 taken = registry.nodeOf(miners[0]).key;
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.KeyTaken.selector, taken, miners[0]));
        vm.prank(CLIENT);
        registry.register(Role.Client, taken, 0, effect());
    }

    // ---------------------------------------------------------------- activity

    function test_aNodeStopsAndGoesOn() external {
        vm.expectEmit(address(registry));
        emit NodeRegistry.NodeActiveSet(miners[0], false);
        _setActive(miners[0], false);
        assertFalse(registry.isActive(miners[0], Role.Miner), "stopped");
        vm.expectEmit(address(registry));
        emit NodeRegistry.NodeActiveSet(miners[0], true);
        _setActive(miners[0], true);
        assertTrue(registry.isActive(miners[0], Role.Miner), "at work");
    }

    function test_settingWhatIsSetChangesNothing() external {
        _setActive(miners[0], true);
        assertTrue(registry.isActive(miners[0], Role.Miner), "at work");
    }

    function test_strangersHaveNothingToSet() external {
        bytes memory refusal = abi.encodeWithSelector(NodeRegistry.NotRegistered.selector, STRANGER);
        vm.expectRevert(refusal);
        _setActive(STRANGER, true);
        vm.expectRevert(refusal);
        _addStake(STRANGER, 1);
        vm.expectRevert(refusal);
        _requestUnstake(STRANGER);
        vm.expectRevert(refusal);
        _withdrawStake(STRANGER);
    }

    function test_firstInactiveNamesTheFirst() external {
        assertEq(registry.firstInactive(miners, Role.Miner), address(0), "all active");
        _setActive(miners[2], false);
        _setActive(miners[4], false);
        assertEq(registry.firstInactive(miners, Role.Miner), miners[2], "the first");
        assertEq(registry.firstInactive(miners, Role.Router), miners[0], "of another role");
    }

    // ---------------------------------------------------------------- stake

    function test_stakeCanBeAdded() external {
        fund(miners[0], 5 ether);
        vm.expectEmit(address(registry));
        emit NodeRegistry.StakeAdded(miners[0], 5 ether);
        _addStake(miners[0], 5 ether);
        assertEq(registry.nodeOf(miners[0]).stakeWei, STAKE + 5 ether, "stake");
        assertMoneyConserved();
    }

    function test_nothingIsNothingToAdd() external {
        vm.expectRevert(NodeRegistry.EmptyStake.selector);
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
        emit NodeRegistry.UnstakeRequested(miners[0], unbondsAt);
        vm.expectEmit(address(registry));
        emit NodeRegistry.NodeActiveSet(miners[0], false);
        _requestUnstake(miners[0]);

        vm.warp(unbondsAt - 1);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.StillBonded.selector, miners[0], unbondsAt));
        _withdrawStake(miners[0]);

        vm.warp(unbondsAt);
        vm.expectEmit(address(registry));
        emit NodeRegistry.StakeWithdrawn(miners[0], STAKE);
        _withdrawStake(miners[0]);
        assertEq(cor.balanceOf(miners[0]), STAKE, "back");
        assertEq(registry.nodeOf(miners[0]).stakeWei, 0, "nothing left");
        assertMoneyConserved();

        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.StillBonded.selector, miners[0], uint40(0)));
        _withdrawStake(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.NothingStaked.selector, miners[0]));
        _requestUnstake(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.StakeTooLow.selector, 0, 100 ether));
        _setActive(miners[0], true);
    }

    function test_goingToWorkTakesTheRequestBack() external {
        _requestUnstake(miners[0]);
        _setActive(miners[0], true);
        pass(8 days);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistry.StillBonded.selector, miners[0], uint40(0)));
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

    // ---------------------------------------------------------------- slash

    function test_slashingTakesStakeAndKeepsItCounted() external {
        vm.expectEmit(address(registry));
        emit NodeRegistry.StakeSlashed(miners[0], "task", 10 ether, SlashReason.Outlier);
        _slash(miners[0], 10 ether);
        assertEq(registry.nodeOf(miners[0]).stakeWei, STAKE - 10 ether, "stake");
        assertEq(registry.totals().slashedWei, 10 ether, "slashed");
        assertTrue(registry.isActive(miners[0], Role.Miner), "still at work");
        assertMoneyConserved();
    }

    function test_slashingBelowTheMinimumEndsWork() external {
        _slash(miners[0], STAKE - 100 ether);
        assertTrue(registry.isActive(miners[0], Role.Miner), "at the minimum");
        vm.expectEmit(address(registry));
        emit NodeRegistry.NodeActiveSet(miners[0], false);
        _slash(miners[0], 1);
        assertFalse(registry.isActive(miners[0], Role.Miner), "below it");

        fund(miners[0], 1);
        _addStake(miners[0], 1);
        assertFalse(registry.isActive(miners[0], Role.Miner), "adding alone is not working");
        _setActive(miners[0], true);
        assertTrue(registry.isActive(miners[0], Role.Miner), "at work again");
    }

    function test_slashingTakesAtMostTheStake() external {
        _slash(miners[0], STAKE - 1);
        vm.expectEmit(address(registry));
        emit NodeRegistry.StakeSlashed(miners[0], "task", 1, SlashReason.Outlier);
        _slash(miners[0], 10 ether);
        assertEq(registry.nodeOf(miners[0]).stakeWei, 0, "all gone");
        assertMoneyConserved();
    }

    function test_anUnbondingStakeIsStillSlashable() external {
        _requestUnstake(miners[0]);
        _slash(miners[0], 10 ether);
        pass(7 days);
        _withdrawStake(miners[0]);
        assertEq(cor.balanceOf(miners[0]), STAKE - 10 ether, "the rest");
        assertMoneyConserved();
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

    function test_strangersAreNobody() external view {
        assertEq(uint256(registry.roleOf(STRANGER)), uint256(Role.None), "role");
        assertEq(uint256(registry.nodeOf(STRANGER).role), uint256(Role.None), "record");
        assertEq(uint256(registry.roleOf(routers[0])), uint256(Role.Router), "a router");
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

    function _slash(address node, uint128 amountWei) private {
        vm.prank(address(queue));
        registry.slash(node, amountWei, "task", SlashReason.Outlier);
    }
}

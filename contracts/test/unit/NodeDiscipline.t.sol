// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {Modules} from "../../src/Modules.sol";
import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {NodeRegistryEvents} from "../../src/NodeRegistryEvents.sol";
import {Powers} from "../../src/libraries/Powers.sol";
import {Module} from "../../src/types/Module.sol";
import {RegistryTotals, Role, SlashReason} from "../../src/types/Node.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice What modules do to nodes, and what becomes of what is slashed. A reputation module is bound beside the queue.
contract NodeDisciplineTest is NetworkTest {
    address private immutable REPUTATION = account("reputation");
    address private immutable CHALLENGER = account("challenger");

    function setUp() public override {
        super.setUp();
        registry = new NodeRegistry(cor, parameters);
        Module[] memory modules = new Module[](2);
        modules[0] = Module(address(queue), Powers.SLASH | Powers.COOL_DOWN);
        modules[1] = Module(REPUTATION, Powers.SET_LEVEL);
        registry.bindModules(modules);
        for (uint256 i = 0; i < 3; ++i) {
            join(miners[i], Role.Miner, STAKE);
        }
    }

    // ---------------------------------------------------------------- slash

    function test_slashingTakesStakeAndKeepsItCounted() external {
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.StakeSlashed(miners[0], "task", 10 ether, SlashReason.Outlier);
        (uint128 takenWei, uint128 rewardWei) = _slash(miners[0], 10 ether);
        assertEq(takenWei, 10 ether, "taken");
        assertEq(rewardWei, 0, "no reward");
        assertEq(registry.nodeOf(miners[0]).stakeWei, STAKE - 10 ether, "stake");
        RegistryTotals memory totals = registry.totals();
        assertEq(totals.slashedWei, 10 ether, "slashed");
        assertEq(totals.unclaimedWei, 10 ether, "still here");
        assertTrue(registry.isActive(miners[0], Role.Miner), "still at work");
        assertMoneyConserved();
    }

    function test_slashingBelowTheMinimumEndsWork() external {
        _slash(miners[0], STAKE - 100 ether);
        assertTrue(registry.isActive(miners[0], Role.Miner), "at the minimum");
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeActiveSet(miners[0], false);
        _slash(miners[0], 1);
        assertFalse(registry.isActive(miners[0], Role.Miner), "below it");

        fund(miners[0], 1);
        vm.prank(miners[0]);
        registry.addStake(1, effect());
        assertFalse(registry.isActive(miners[0], Role.Miner), "adding alone is not working");
        vm.prank(miners[0]);
        registry.setActive(true, effect());
        assertTrue(registry.isActive(miners[0], Role.Miner), "at work again");
    }

    function test_slashingTakesAtMostTheStake() external {
        _slash(miners[0], STAKE - 1);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.StakeSlashed(miners[0], "task", 1, SlashReason.Outlier);
        _slash(miners[0], type(uint128).max);
        assertEq(registry.nodeOf(miners[0]).stakeWei, 0, "all gone");
        (uint128 takenWei,) = _slash(STRANGER, 5);
        assertEq(takenWei, 0, "of who never registered, nothing");
        assertMoneyConserved();
    }

    function test_anUnbondingStakeIsStillSlashable() external {
        vm.prank(miners[0]);
        registry.requestUnstake(effect());
        _slash(miners[0], 10 ether);
        pass(7 days);
        vm.prank(miners[0]);
        registry.withdrawStake(effect());
        assertEq(cor.balanceOf(miners[0]), STAKE - 10 ether, "the rest");
        assertMoneyConserved();
    }

    // ---------------------------------------------------------------- what becomes of it

    function test_aChallengerIsPaidOutOfTheSlash() external {
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.StakeSlashed(miners[0], "task", 100 ether, SlashReason.Fraudulent);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.SlashRewarded(CHALLENGER, "task", 90 ether);
        (, uint128 rewardWei) = _slashFor(miners[0], 100 ether, CHALLENGER, 9000);
        assertEq(rewardWei, 90 ether, "reward");
        assertEq(registry.rewardOf(CHALLENGER), 90 ether, "to withdraw");
        assertMoneyConserved();

        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.RewardWithdrawn(CHALLENGER, 90 ether);
        vm.prank(CHALLENGER);
        registry.withdrawReward("mine");
        assertEq(cor.balanceOf(CHALLENGER), 90 ether, "received");
        assertEq(registry.totals().unclaimedWei, 10 ether, "the treasury's part is left");
        assertMoneyConserved();

        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, CHALLENGER, bytes32("mine")));
        vm.prank(CHALLENGER);
        registry.withdrawReward("mine");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NoReward.selector, CHALLENGER));
        vm.prank(CHALLENGER);
        registry.withdrawReward(effect());
    }

    function test_theTreasuryGetsTheRest() external {
        _slashFor(miners[0], 100 ether, CHALLENGER, 2500);
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.SlashedSwept(TREASURY, 75 ether);
        vm.prank(STRANGER);
        registry.sweepSlashed("sweep");
        assertEq(cor.balanceOf(TREASURY), 75 ether, "received");
        assertEq(registry.rewardOf(CHALLENGER), 25 ether, "the challenger's part stays");
        assertMoneyConserved();
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, STRANGER, bytes32("sweep")));
        vm.prank(STRANGER);
        registry.sweepSlashed("sweep");
        vm.expectRevert(NodeRegistryEvents.NothingSlashed.selector);
        registry.sweepSlashed(effect());
    }

    function test_nobodyEarnsAllOfASlash() external {
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.RewardTooHigh.selector, 9001, 9000));
        _slashFor(miners[0], 100 ether, CHALLENGER, 9001);
        (, uint128 rewardWei) = _slashFor(miners[0], 100 ether, address(0), 9000);
        assertEq(rewardWei, 0, "nobody is nobody");
    }

    // ---------------------------------------------------------------- cool down

    function test_aCoolDownIsNeverShortened() external {
        uint40 until = uint40(block.timestamp) + 60;
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeCooledDown(miners[0], until);
        _coolDown(miners[0], until);
        _coolDown(miners[0], until - 1);
        assertEq(registry.nodeOf(miners[0]).coolUntilAt, until, "the longer one");
        _coolDown(miners[0], until + 1);
        assertEq(registry.nodeOf(miners[0]).coolUntilAt, until + 1, "a later one");
    }

    function test_aCoolDownIsBounded() external {
        uint40 latest = uint40(block.timestamp) + 7 days;
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.CoolDownTooLong.selector, latest + 1, latest));
        _coolDown(miners[0], latest + 1);
        _coolDown(miners[0], latest);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NotRegistered.selector, STRANGER));
        _coolDown(STRANGER, latest);
    }

    // ---------------------------------------------------------------- levels

    function test_levelsRiseAndFall() external {
        vm.expectEmit(address(registry));
        emit NodeRegistryEvents.NodeLevelSet(miners[0], 10);
        _setLevel(miners[0], 10);
        assertEq(registry.levelOf(miners[0]), 10, "up");
        _setLevel(miners[0], 10);
        _setLevel(miners[0], 3);
        assertEq(registry.nodeOf(miners[0]).level, 3, "down");
        assertEq(registry.levelOf(miners[1]), 0, "of another");
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.LevelOutOfBounds.selector, 11, 10));
        _setLevel(miners[0], 11);
        vm.expectRevert(abi.encodeWithSelector(NodeRegistryEvents.NotRegistered.selector, STRANGER));
        _setLevel(STRANGER, 1);
    }

    // ---------------------------------------------------------------- who may

    function test_eachModuleHasItsPowersAndNoOthers() external {
        address[5] memory slashers = [STRANGER, GUARDIAN, address(timelock), REPUTATION, miners[0]];
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Modules.MissingPower.selector, slashers[i], Powers.SLASH));
            vm.prank(slashers[i]);
            registry.slash(miners[0], 1, 0, SlashReason.Outlier, address(0), 0);
            vm.expectRevert(abi.encodeWithSelector(Modules.MissingPower.selector, slashers[i], Powers.COOL_DOWN));
            vm.prank(slashers[i]);
            registry.coolDown(miners[0], 1);
        }
        address[5] memory levellers = [STRANGER, GUARDIAN, address(timelock), address(queue), miners[0]];
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Modules.MissingPower.selector, levellers[i], Powers.SET_LEVEL));
            vm.prank(levellers[i]);
            registry.setLevel(miners[0], 1);
        }
    }

    // ---------------------------------------------------------------- the calls

    function _slash(address node, uint128 amountWei) private returns (uint128, uint128) {
        vm.prank(address(queue));
        return registry.slash(node, amountWei, "task", SlashReason.Outlier, address(0), 0);
    }

    function _slashFor(address node, uint128 amountWei, address to, uint16 bps) private returns (uint128, uint128) {
        vm.prank(address(queue));
        return registry.slash(node, amountWei, "task", SlashReason.Fraudulent, to, bps);
    }

    function _coolDown(address node, uint40 until) private {
        vm.prank(address(queue));
        registry.coolDown(node, until);
    }

    function _setLevel(address node, uint8 level) private {
        vm.prank(REPUTATION);
        registry.setLevel(node, level);
    }
}

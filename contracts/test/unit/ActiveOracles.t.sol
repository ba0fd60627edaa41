// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Roles} from "../../src/libraries/Roles.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice How many oracles are active, whichever way they come and go: quorums are parts of that number.
contract ActiveOraclesTest is IncentivesTest {
    function _assertCount(uint256 expected) private view {
        assertEq(registry.activeOracleCount(), expected, "active oracles");
    }

    function test_registeringCounts() external {
        _assertCount(5);
        register(account("one more"), Roles.ORACLE);
        _assertCount(6);
        register(account("an oracle that mines"), Roles.ORACLE | Roles.MINER);
        _assertCount(7);
        register(account("a miner"), Roles.MINER);
        _assertCount(7);
    }

    function test_goingToWorkAndStoppingCounts() external {
        setActive(oracles[0], false);
        _assertCount(4);
        setActive(oracles[0], false);
        _assertCount(4);
        setActive(oracles[0], true);
        _assertCount(5);
        setActive(oracles[0], true);
        _assertCount(5);
        setActive(miners[0], false);
        _assertCount(5);
    }

    function test_leavingCountsOnce() external {
        vm.prank(oracles[0]);
        registry.requestUnstake(effect());
        _assertCount(4);
        vm.prank(oracles[0]);
        registry.requestUnstake(effect());
        _assertCount(4);
        setActive(oracles[0], false);
        _assertCount(4);
        setActive(oracles[0], true);
        _assertCount(5);
        setActive(oracles[1], false);
        vm.prank(oracles[1]);
        registry.requestUnstake(effect());
        _assertCount(4);
    }

    function test_whoIsStoppedForItsStakeIsNotCounted() external {
        setActive(oracles[0], false);
        vm.prank(oracles[0]);
        registry.requestUnstake(effect());
        pass(7 days);
        vm.prank(oracles[0]);
        registry.withdrawStake(effect());
        _assertCount(4);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NetworkSessionsEvents} from "../../src/NetworkSessionsEvents.sol";
import {Parameters} from "../../src/Parameters.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Role} from "../../src/types/Node.sol";
import {RoundState} from "../../src/types/Round.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {vm} from "../base/Vm.sol";

contract IdlePoolsTest is IncentivesTest {
    function test_activeMinersAndValidatorsJoin() external {
        address node = account("new");
        register(node, Roles.MINER);
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.PoolJoined(Role.Miner, node);
        enter(node, Role.Miner);
        assertEq(network.poolSize(Role.Miner), 13, "one more");
        assertEq(network.poolAt(Role.Miner, 12), node, "behind the others");
        assertTrue(network.isInPool(Role.Miner, node), "in");
        assertFalse(network.isInPool(Role.Validator, node), "in that one only");
    }

    function test_othersDoNot() external {
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NodeNotActive.selector, STRANGER, Role.Miner));
        vm.prank(STRANGER);
        network.join(Role.Miner, effect());
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NodeNotActive.selector, miners[0], Role.Validator));
        vm.prank(miners[0]);
        network.join(Role.Validator, effect());
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.AlreadyInPool.selector, miners[0], Role.Miner));
        vm.prank(miners[0]);
        network.join(Role.Miner, effect());
    }

    function test_thereAreTwoPools() external {
        for (uint8 role = 0; role <= uint8(Role.Oracle); ++role) {
            if (Role(role) == Role.Miner || Role(role) == Role.Validator) continue;
            vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NoPoolOfRole.selector, Role(role)));
            vm.prank(oracles[0]);
            network.join(Role(role), effect());
        }
    }

    function test_thePauseKeepsOthersOutAndNobodyIn() external {
        parameters.pauseEntries(effect());
        vm.expectRevert(abi.encodeWithSelector(Parameters.EntriesArePaused.selector));
        vm.prank(miners[0]);
        network.join(Role.Miner, effect());
        vm.expectRevert(abi.encodeWithSelector(Parameters.EntriesArePaused.selector));
        vm.prank(oracles[0]);
        network.request(effect());
        vm.prank(miners[0]);
        network.quit(Role.Miner, effect());
    }

    function test_aPoolHasABound() external {
        // The length of the miners' pool is the first of the mapping's values: written over, since filling it takes long.
        bytes32 slot = keccak256(abi.encode(uint256(uint8(Role.Miner)), uint256(1)));
        assertEq(uint256(vm.load(address(network), slot)), 12, "the pool's length is here");
        vm.store(address(network), slot, bytes32(uint256(65_535)));
        address node = account("last");
        register(node, Roles.MINER);
        enter(node, Role.Miner);
        register(STRANGER, Roles.MINER);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.PoolFull.selector, Role.Miner, 65_536));
        vm.prank(STRANGER);
        network.join(Role.Miner, effect());
    }

    function test_whoQuitsIsOut() external {
        vm.expectEmit(address(network));
        emit NetworkSessionsEvents.PoolLeft(Role.Miner, miners[3]);
        vm.prank(miners[3]);
        network.quit(Role.Miner, effect());
        assertEq(network.poolSize(Role.Miner), 11, "one less");
        assertEq(network.poolAt(Role.Miner, 3), miners[11], "the last one took the place");
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NotInPool.selector, miners[3], Role.Miner));
        vm.prank(miners[3]);
        network.quit(Role.Miner, effect());
        // The last one goes too, and everybody can come back.
        vm.prank(miners[10]);
        network.quit(Role.Miner, effect());
        enter(miners[3], Role.Miner);
        assertEq(network.poolAt(Role.Miner, 10), miners[3], "behind the others");
    }

    function test_anyoneEvictsWhoIsNotActive() external {
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NodeActive.selector, miners[0], Role.Miner));
        network.evict(Role.Miner, miners[0], effect());
        setActive(miners[0], false);
        vm.prank(STRANGER);
        network.evict(Role.Miner, miners[0], effect());
        assertFalse(network.isInPool(Role.Miner, miners[0]), "out");
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.NotInPool.selector, miners[0], Role.Miner));
        network.evict(Role.Miner, miners[0], effect());
    }

    function test_poolsDoNotChangeUnderADraw() external {
        uint64 id = roundIn(RoundState.Requested);
        _assertLocked(id);
        reachBeacon(id);
        _assertLocked(id);
        network.draw(id, effect());
        vm.prank(miners[0]);
        network.quit(Role.Miner, effect());
    }

    function test_norUnderTheSecondOne() external {
        uint64 id = roundIn(RoundState.Prepared);
        _assertLocked(id);
        reachBeacon(id);
        network.start(id, effect());
        vm.prank(validators[0]);
        network.quit(Role.Validator, effect());
    }

    /// @dev Nobody is held in a pool by a draw that can take place no more.
    function test_aDrawThatCannotTakePlaceLocksNothing() external {
        uint64 id = roundIn(RoundState.Requested);
        uint256 beaconBlock = network.roundOf(id).beaconBlock;
        vm.roll(beaconBlock + 256);
        _assertLocked(id);
        vm.roll(beaconBlock + 257);
        vm.prank(miners[0]);
        network.quit(Role.Miner, effect());
    }

    function _assertLocked(uint64 id) private {
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.DrawPending.selector, id));
        vm.prank(miners[0]);
        network.quit(Role.Miner, effect());
        setActive(validators[0], false);
        vm.expectRevert(abi.encodeWithSelector(NetworkSessionsEvents.DrawPending.selector, id));
        network.evict(Role.Validator, validators[0], effect());
        setActive(validators[0], true);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {NodeRecord, NodeState, RegistryTotals} from "../../src/types/Node.sol";
import {Test} from "../base/Test.sol";
import {RegistryHandler} from "./RegistryHandler.sol";

/// @notice What is true of the registry after any sequence of actions of anybody, those who govern included.
/// forge-config: default.invariant.runs = 256
/// forge-config: default.invariant.depth = 500
contract RegistryInvariantTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    RegistryHandler private _nodes;
    NodeRegistry private _registry;

    function setUp() external {
        _nodes = new RegistryHandler();
        _nodes.setUp();
        _registry = _nodes.registry();
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[15] memory actions = [
            RegistryHandler.nodeRegisters.selector,
            RegistryHandler.nodeStakesMore.selector,
            RegistryHandler.nodeWorksOrStops.selector,
            RegistryHandler.nodeLeaves.selector,
            RegistryHandler.nodeWithdraws.selector,
            RegistryHandler.moduleSlashes.selector,
            RegistryHandler.moduleCoolsOrLifts.selector,
            RegistryHandler.challengerWithdraws.selector,
            RegistryHandler.strangerSweeps.selector,
            RegistryHandler.guardianPauses.selector,
            RegistryHandler.ownerSetsStakes.selector,
            RegistryHandler.registrarDecides.selector,
            RegistryHandler.strangerStopsTheUnfit.selector,
            RegistryHandler.timePasses.selector,
            RegistryHandler.anybodyTriesForNothing.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(_nodes), selectors: new bytes4[](15)});
        for (uint256 i = 0; i < 15; ++i) {
            targets[0].selectors[i] = actions[i];
        }
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_nodes);
    }

    function invariant_everyStakeIsItsOwners() external view {
        _nodes.assertMoneyConserved();
        address[] memory people = _nodes.people();
        uint256 lost = 0;
        for (uint256 i = 0; i < people.length; ++i) {
            NodeRecord memory record = _registry.nodeOf(people[i]);
            uint256 left = _nodes.putIn(people[i]) - _nodes.takenOut(people[i]) - _nodes.lost(people[i]);
            assertEq(record.stakeWei, left, "a stake is what was put in, less what was lost and taken");
            lost += _nodes.lost(people[i]);
            assertTrue(record.level <= 10, "level");
            assertTrue(record.coolUntilAt <= block.timestamp + 7 days, "nobody is kept from work for longer");
            assertTrue(record.unbondsAt <= block.timestamp + 60 days, "nor from its stake");
            bool waits = record.unbondsAt != 0;
            if (waits) assertEq(uint256(record.state), uint256(NodeState.Left), "who waits for its stake has left");
        }
        assertEq(_registry.totals().slashedWei, lost, "slashed");
    }

    /// @dev Whatever happened, with entries paused everybody gets out what is theirs, and nothing stays behind.
    function afterInvariant() external {
        _nodes.everybodyLeaves();
        RegistryTotals memory totals = _registry.totals();
        assertEq(totals.stakedWei, 0, "no stake is stuck");
        assertEq(totals.unclaimedWei, 0, "nor a reward");
        assertEq(_nodes.cor().balanceOf(address(_registry)), 0, "nor a token");
        this.invariant_everyStakeIsItsOwners();
    }
}

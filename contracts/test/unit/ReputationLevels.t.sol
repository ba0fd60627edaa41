// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReputationEvents} from "../../src/ReputationEvents.sol";
import {IncentiveLimits} from "../../src/libraries/IncentiveLimits.sol";
import {CheckpointState, Standing} from "../../src/types/Reputation.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {Trees} from "../base/Trees.sol";
import {vm} from "../base/Vm.sol";

contract ReputationLevelsTest is IncentivesTest {
    function _apply(Standing[] memory all, uint256 which) private returns (uint8) {
        bytes32[] memory proof = Trees.proof(all, which);
        return reputation.applyLevel(all[which], proof, effect());
    }

    function _refused(Standing[] memory all, uint256 which, bytes memory why) private {
        bytes32[] memory proof = Trees.proof(all, which);
        vm.expectRevert(why);
        reputation.applyLevel(all[which], proof, effect());
    }

    function test_anyoneMovesALevelByABoundedStep() external {
        Standing[] memory all = standings(3);
        settle(1, all);
        vm.expectEmit(address(reputation));
        emit ReputationEvents.LevelApplied(1, miners[0], 0, 2);
        assertEq(_apply(all, 0), 2, "two up");
        assertEq(registry.levelOf(miners[0]), 2, "in the registry");
        settle(2, all);
        assertEq(_apply(all, 0), 3, "one more is all that is left");
        assertEq(_apply(all, 1), 2, "another node is where it was");
    }

    function test_levelsFallFasterThanTheyRise() external {
        Standing[] memory high = standings(10);
        for (uint64 epoch = 1; epoch <= 4; ++epoch) {
            settle(epoch, high);
            _apply(high, 0);
        }
        assertEq(registry.levelOf(miners[0]), 8, "four times two");
        Standing[] memory low = standings(0);
        settle(5, low);
        assertEq(_apply(low, 0), 4, "four down");
        settle(6, low);
        assertEq(_apply(low, 0), 0, "four down");
    }

    function test_aCheckpointMovesANodeOnce() external {
        Standing[] memory all = standings(5);
        settle(1, all);
        _apply(all, 0);
        _refused(all, 0, abi.encodeWithSelector(ReputationEvents.LevelAlreadyApplied.selector, 1, miners[0]));
    }

    function test_thereIsSomethingToMove() external {
        Standing[] memory all = standings(0);
        settle(1, all);
        _refused(all, 0, abi.encodeWithSelector(ReputationEvents.LevelUnchanged.selector, miners[0], 0));
    }

    function test_levelsAreTenAtMost() external {
        Standing[] memory all = standings(11);
        settle(1, all);
        _refused(all, 0, abi.encodeWithSelector(ReputationEvents.LevelOutOfBounds.selector, 11, 10));
    }

    function test_onlyTheNewestThatCountsMovesLevels() external {
        Standing[] memory old = standings(5);
        Standing[] memory all = standings(1);
        settle(1, old);
        post(2, all);
        // While the newest can be disputed, the one before is the newest that counts.
        _refused(all, 0, abi.encodeWithSelector(ReputationEvents.WrongProof.selector, 1, miners[0]));
        assertEq(_apply(old, 0), 2, "by the old one");
        pass(DISPUTE_S + 1);
        _refused(old, 1, abi.encodeWithSelector(ReputationEvents.WrongProof.selector, 2, miners[1]));
        assertEq(_apply(all, 1), 1, "by the new one");
    }

    function test_withoutACheckpointThereAreNoLevels() external {
        Standing[] memory all = standings(3);
        _refused(all, 0, abi.encodeWithSelector(ReputationEvents.UnknownCheckpoint.selector, 0));
        post(1, all);
        _refused(all, 0, abi.encodeWithSelector(ReputationEvents.UnknownCheckpoint.selector, 0));
        dispute(1, STRANGER);
        _refused(all, 0, abi.encodeWithSelector(ReputationEvents.UnknownCheckpoint.selector, 0));
        assertCheckpoint(1, CheckpointState.Disputed);
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.CheckpointNotFinal.selector, 1));
        reputation.requireStanding(1, all[0], Trees.proof(all, 0));
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.CheckpointNotFinal.selector, 1));
        reputation.idleWorkOf(1);
    }

    function test_proofsAreBounded() external {
        Standing[] memory all = standings(3);
        settle(1, all);
        bytes32[] memory long = new bytes32[](IncentiveLimits.PROOF_MAX + 1);
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.ProofTooLong.selector, 33, 32));
        reputation.applyLevel(all[0], long, effect());
    }

    // ---------------------------------------------------------------- attacks

    function test_nobodyMovesANodeByAnothersLeafOrByAMadeUpOne() external {
        Standing[] memory all = standings(3);
        all[1].level = 9;
        settle(1, all);
        bytes32[] memory proof = Trees.proof(all, 1);
        Standing memory forged = all[1];
        forged.node = miners[0];
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.WrongProof.selector, 1, miners[0]));
        reputation.applyLevel(forged, proof, effect());
        forged = standingOf(miners[0], 10, 0);
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.WrongProof.selector, 1, miners[0]));
        reputation.applyLevel(forged, new bytes32[](0), effect());
    }

    function test_oneLeafIsAWholeTree() external {
        Standing[] memory one = new Standing[](1);
        one[0] = standingOf(miners[0], 1, 0);
        settle(1, one);
        assertEq(reputation.applyLevel(one[0], new bytes32[](0), effect()), 1, "no proof is needed");
    }
}

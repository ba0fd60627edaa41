// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {ReputationEvents} from "../../src/ReputationEvents.sol";
import {Quorum} from "../../src/libraries/Quorum.sol";
import {Checkpoint, CheckpointRecord, CheckpointState} from "../../src/types/Reputation.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {vm} from "../base/Vm.sol";

contract ReputationDisputeTest is IncentivesTest {
    function _disputed() private {
        settle(1, standings(3));
        post(2, standings(9));
        dispute(2, STRANGER);
    }

    function test_anyoneDisputesWithABond() external {
        post(1, standings(3));
        uint40 ruleBy = uint40(block.timestamp) + RULING_S;
        fund(STRANGER, BOND);
        vm.expectEmit(address(reputation));
        emit ReputationEvents.CheckpointDisputed(1, STRANGER, "claim", BOND, ruleBy);
        vm.prank(STRANGER);
        reputation.dispute(1, "claim", effect());

        CheckpointRecord memory record = reputation.checkpointOf(1);
        assertCheckpoint(1, CheckpointState.Disputed);
        assertEq(record.dueAt, ruleBy, "ruled on until");
        assertEq(record.disputer, STRANGER, "by");
        assertEq(cor.balanceOf(address(reputation)), BOND, "the bond");
        assertEq(reputation.finalEpoch(), 0, "it does not count");
    }

    function test_aCheckpointIsDisputedOnceAndInTime() external {
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.NotDisputable.selector, 1));
        reputation.dispute(1, "claim", effect());
        _disputed();
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.NotDisputable.selector, 2));
        reputation.dispute(2, "claim", effect());
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.NotDisputable.selector, 1));
        reputation.dispute(1, "claim", effect());
        rule(2, true);
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.NotDisputable.selector, 2));
        reputation.dispute(2, "claim", effect());
    }

    function test_theLastSecondIsInTime() external {
        post(1, standings(3));
        pass(DISPUTE_S);
        dispute(1, STRANGER);
        assertCheckpoint(1, CheckpointState.Disputed);
    }

    function test_aFalseCheckpointIsVoidedAndItsEpochPostedAgain() external {
        _disputed();
        bytes32 root = reputation.checkpointOf(2).checkpoint.root;
        vm.expectEmit(address(reputation));
        emit ReputationEvents.CheckpointVoided(2, root, 0);
        rule(2, false);

        assertCheckpoint(2, CheckpointState.None);
        assertEq(reputation.newestEpoch(), 1, "back to the one before");
        assertEq(reputation.finalEpoch(), 1, "which counts");
        assertEq(reputation.revision(), 1, "revision");
        assertEq(reputation.owedTo(STRANGER), BOND, "the bond comes back");
        assertEq(reputation.owedTo(TREASURY), 0, "the treasury gets nothing");
        post(2, standings(4));
        pass(DISPUTE_S + 1);
        assertCheckpoint(2, CheckpointState.Final);
        // A new one can be disputed anew.
        post(3, standings(4));
        dispute(3, STRANGER);
    }

    function test_aTrueCheckpointStandsAndTheBondIsLost() external {
        _disputed();
        vm.expectEmit(address(reputation));
        emit ReputationEvents.CheckpointUpheld(2, true);
        rule(2, true);
        assertCheckpoint(2, CheckpointState.Final);
        assertEq(reputation.finalEpoch(), 2, "it counts");
        assertEq(reputation.checkpointOf(2).dueAt, block.timestamp, "since now");
        assertEq(reputation.owedTo(TREASURY), BOND, "the bond is the treasury's");
        assertEq(reputation.owedTo(STRANGER), 0, "the disputer gets nothing");
    }

    function test_moreThanTwoThirdsRule() external {
        _disputed();
        bytes[] memory three = signed(first(oracles, 3), reputation.rulingDigest(2, false));
        vm.expectRevert(abi.encodeWithSelector(Quorum.QuorumMissing.selector, 3, 4));
        reputation.rule(2, false, three, effect());
        address[] memory others = first(oracles, 4);
        others[0] = miners[0];
        bytes[] memory wrong = signed(others, reputation.rulingDigest(2, false));
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.NotActiveOracle.selector, miners[0]));
        reputation.rule(2, false, wrong, effect());
    }

    function test_onlyADisputeIsRuledOn() external {
        settle(1, standings(3));
        bytes[] memory signatures = signed(first(oracles, 4), reputation.rulingDigest(1, false));
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.NotDisputed.selector, 1));
        reputation.rule(1, false, signatures, effect());
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.NotDisputed.selector, 1));
        reputation.endDispute(1, effect());
    }

    function test_timeAloneEndsADispute() external {
        _disputed();
        pass(RULING_S);
        uint256 ruleBy = reputation.checkpointOf(2).dueAt;
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.RulingNotDue.selector, 2, ruleBy));
        reputation.endDispute(2, effect());
        pass(1);
        vm.expectEmit(address(reputation));
        emit ReputationEvents.CheckpointUpheld(2, false);
        vm.prank(account("anyone"));
        reputation.endDispute(2, effect());
        assertCheckpoint(2, CheckpointState.Final);
        assertEq(reputation.owedTo(STRANGER), 90 ether, "the bond less the fee");
        assertEq(reputation.owedTo(TREASURY), 10 ether, "the fee");
    }

    function test_theOraclesMayRuleUntilSomebodyUsesTheDeadline() external {
        _disputed();
        pass(RULING_S + 1);
        rule(2, false);
        assertCheckpoint(2, CheckpointState.None);
    }

    function test_bondsAreWithdrawnOnce() external {
        _disputed();
        rule(2, false);
        vm.expectEmit(address(reputation));
        emit ReputationEvents.BondWithdrawn(STRANGER, BOND);
        vm.prank(STRANGER);
        reputation.withdrawBond("w");
        assertEq(cor.balanceOf(STRANGER), BOND, "it is back");
        assertEq(cor.balanceOf(address(reputation)), 0, "nothing is left");
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.NothingOwed.selector, STRANGER));
        vm.prank(STRANGER);
        reputation.withdrawBond("w2");
        post(2, standings(3));
        dispute(2, STRANGER);
        rule(2, false);
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, STRANGER, bytes32("w")));
        vm.prank(STRANGER);
        reputation.withdrawBond("w");
    }

    // ---------------------------------------------------------------- attacks

    function test_whatWasSignedForAVoidedCheckpointIsWorthNothing() external {
        settle(1, standings(3));
        post(2, standings(9));
        Checkpoint memory voided = reputation.checkpointOf(2).checkpoint;
        bytes[] memory signatures = signed(first(oracles, 3), reputation.checkpointDigest(voided));
        bytes[] memory ruling = signed(first(oracles, 4), reputation.rulingDigest(2, false));
        dispute(2, STRANGER);
        reputation.rule(2, false, ruling, effect());
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.WrongRevision.selector, 1, 0));
        reputation.post(voided, signatures, effect());
        // Nor does the ruling hold for the next checkpoint of that epoch, even for one with the same root.
        post(2, standings(9));
        dispute(2, STRANGER);
        vm.expectPartialRevert(Quorum.SignersNotAscending.selector);
        reputation.rule(2, false, ruling, effect());
        assertCheckpoint(2, CheckpointState.Disputed);
    }

    function test_aRulingSaysWhichWay() external {
        _disputed();
        bytes[] memory signatures = signed(first(oracles, 4), reputation.rulingDigest(2, true));
        vm.expectPartialRevert(Quorum.SignersNotAscending.selector);
        reputation.rule(2, false, signatures, effect());
        reputation.rule(2, true, signatures, effect());
    }

    /// @dev One dispute for each checkpoint, a fee for each: a stranger delays an epoch by a bounded time and pays.
    function test_disputesCannotHoldUpTheNextEpoch() external {
        settle(1, standings(3));
        for (uint64 epoch = 2; epoch < 5; ++epoch) {
            vm.warp(reputation.epochEndsAt(epoch));
            post(epoch, standings(3));
            pass(DISPUTE_S);
            dispute(epoch, STRANGER);
            pass(RULING_S + 1);
            reputation.endDispute(epoch, effect());
            assertTrue(block.timestamp < reputation.epochEndsAt(epoch + 1), "in time for the next");
        }
        assertEq(reputation.owedTo(TREASURY), 30 ether, "each delay costs");
    }
}

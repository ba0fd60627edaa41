// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochClock} from "../../src/EpochClock.sol";
import {Parameters} from "../../src/Parameters.sol";
import {Reputation} from "../../src/Reputation.sol";
import {ReputationEvents} from "../../src/ReputationEvents.sol";
import {IncentiveLimits} from "../../src/libraries/IncentiveLimits.sol";
import {Quorum} from "../../src/libraries/Quorum.sol";
import {Shares} from "../../src/types/Economy.sol";
import {Checkpoint, CheckpointRecord, CheckpointState} from "../../src/types/Reputation.sol";
import {IncentivesTest} from "../base/IncentivesTest.sol";
import {vm} from "../base/Vm.sol";

contract ReputationPostTest is IncentivesTest {
    function _refused(Checkpoint memory checkpoint, bytes memory why) private {
        bytes[] memory signatures = signed(first(oracles, 3), reputation.checkpointDigest(checkpoint));
        vm.expectRevert(why);
        reputation.post(checkpoint, signatures, effect());
    }

    function _next() private returns (Checkpoint memory) {
        vm.warp(START + EPOCH_S);
        return checkpointOf(1, standings(3));
    }

    function test_aQuorumPostsAnEpochThatIsOver() external {
        Checkpoint memory checkpoint = _next();
        address[] memory signers = ascending(first(oracles, 3));
        vm.expectEmit(address(reputation));
        emit ReputationEvents.CheckpointPosted(1, checkpoint, signers, START + EPOCH_S + DISPUTE_S);
        post(checkpoint);

        CheckpointRecord memory record = reputation.checkpointOf(1);
        assertEq(keccak256(abi.encode(record.checkpoint)), keccak256(abi.encode(checkpoint)), "the checkpoint");
        assertEq(record.dueAt, START + EPOCH_S + DISPUTE_S, "disputable until");
        assertEq(reputation.newestEpoch(), 1, "newest");
        assertEq(reputation.finalEpoch(), 0, "nothing counts yet");
        assertCheckpoint(1, CheckpointState.Open);
        pass(DISPUTE_S);
        assertCheckpoint(1, CheckpointState.Open);
        pass(1);
        assertCheckpoint(1, CheckpointState.Final);
        assertEq(reputation.finalEpoch(), 1, "it counts");
        assertEq(reputation.checkpointOf(1).dueAt, START + EPOCH_S + DISPUTE_S, "since the window closed");
    }

    function test_anEpochIsPostedWhenItIsOver() external {
        vm.warp(START + EPOCH_S - 1);
        _refused(
            checkpointOf(1, standings(3)),
            abi.encodeWithSelector(ReputationEvents.EpochNotOver.selector, 1, START + EPOCH_S)
        );
    }

    function test_epochsGoForwardAndOneCheckpointIsPostedForEach() external {
        settle(1, standings(3));
        settle(2, standings(4));
        Checkpoint memory again = checkpointOf(3, standings(4));
        again.epoch = 2;
        _refused(again, abi.encodeWithSelector(ReputationEvents.EpochNotForward.selector, 2, 2));
        again.epoch = 0;
        _refused(again, abi.encodeWithSelector(ReputationEvents.EpochNotForward.selector, 0, 2));
    }

    function test_nothingIsPostedOnTopOfOneThatIsOpenOrDisputed() external {
        vm.warp(START + 3 * EPOCH_S);
        post(1, standings(3));
        Checkpoint memory next = checkpointOf(2, standings(3));
        _refused(next, abi.encodeWithSelector(ReputationEvents.CheckpointNotFinal.selector, 1));
        dispute(1, STRANGER);
        _refused(next, abi.encodeWithSelector(ReputationEvents.CheckpointNotFinal.selector, 1));
    }

    function test_skippedEpochsAreNamed() external {
        settle(1, standings(3));
        vm.warp(START + 4 * EPOCH_S);
        Checkpoint memory next = checkpointOf(4, standings(3));
        assertEq(next.skipped, 2, "two are left out");
        next.skipped = 1;
        _refused(next, abi.encodeWithSelector(ReputationEvents.SkippedMismatch.selector, 2, 1));
        next.skipped = 2;
        vm.expectEmit(address(reputation));
        emit ReputationEvents.EpochsSkipped(2, 3);
        post(next);
        assertEq(reputation.finalEpoch(), 1, "the one before the gap counts meanwhile");
        assertCheckpoint(3, CheckpointState.None);
    }

    function test_positionsHaveNoGap() external {
        settle(1, standings(3));
        vm.warp(START + 2 * EPOCH_S);
        Checkpoint memory next = checkpointOf(2, standings(3));
        next.fromPosition = 52;
        _refused(next, abi.encodeWithSelector(ReputationEvents.PositionMismatch.selector, 51, 52));
        next.fromPosition = 51;
        next.toPosition = 49;
        _refused(next, abi.encodeWithSelector(ReputationEvents.PositionsReversed.selector, 51, 49));
        next.toPosition = 50;
        post(next);
    }

    function test_theLogIsAnchoredUnderTheNamedEpoch() external {
        Checkpoint memory next = _next();
        next.anchorEpoch = 0;
        _refused(next, abi.encodeWithSelector(ReputationEvents.AnchorOutOfBounds.selector, 0, 0, 9));
        next.anchorEpoch = 10;
        _refused(next, abi.encodeWithSelector(ReputationEvents.AnchorOutOfBounds.selector, 10, 0, 9));
        next.anchorEpoch = 9;
        post(next);
        vm.warp(START + 2 * EPOCH_S);
        next = checkpointOf(2, standings(3));
        next.anchorEpoch = 8;
        _refused(next, abi.encodeWithSelector(ReputationEvents.AnchorOutOfBounds.selector, 8, 9, 9));
    }

    function test_aCheckpointSaysSomething() external {
        Checkpoint memory next = _next();
        bytes32 root = next.root;
        next.root = 0;
        _refused(next, abi.encodeWithSelector(ReputationEvents.EmptyCheckpoint.selector));
        (next.root, next.nodes) = (root, 0);
        _refused(next, abi.encodeWithSelector(ReputationEvents.EmptyCheckpoint.selector));
    }

    function test_aCheckpointIsOfThisRevision() external {
        Checkpoint memory next = _next();
        next.revision = 1;
        _refused(next, abi.encodeWithSelector(ReputationEvents.WrongRevision.selector, 0, 1));
    }

    // ---------------------------------------------------------------- the quorum

    function test_halfIsNotEnough() external {
        Checkpoint memory next = _next();
        bytes[] memory two = signed(first(oracles, 2), reputation.checkpointDigest(next));
        vm.expectRevert(abi.encodeWithSelector(Quorum.QuorumMissing.selector, 2, 3));
        reputation.post(next, two, effect());
        // Of four oracles two are half: three are needed still; of three two are enough.
        setActive(oracles[4], false);
        vm.expectRevert(abi.encodeWithSelector(Quorum.QuorumMissing.selector, 2, 3));
        reputation.post(next, two, effect());
        setActive(oracles[3], false);
        reputation.post(next, two, effect());
    }

    function test_withoutOraclesNothingIsPosted() external {
        Checkpoint memory next = _next();
        for (uint256 i = 0; i < 5; ++i) {
            setActive(oracles[i], false);
        }
        vm.expectRevert(abi.encodeWithSelector(Quorum.QuorumMissing.selector, 0, 1));
        reputation.post(next, new bytes[](0), effect());
    }

    function test_onlyActiveOraclesSign() external {
        Checkpoint memory next = _next();
        address[] memory signers = first(oracles, 3);
        signers[2] = miners[0];
        bytes[] memory signatures = signed(signers, reputation.checkpointDigest(next));
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.NotActiveOracle.selector, miners[0]));
        reputation.post(next, signatures, effect());
    }

    function test_noMoreSignaturesThanTheBoundAreRead() external {
        Checkpoint memory next = _next();
        bytes[] memory many = new bytes[](IncentiveLimits.SIGNATURES_MAX + 1);
        vm.expectRevert(abi.encodeWithSelector(Quorum.TooManySignatures.selector, 257, 256));
        reputation.post(next, many, effect());
    }

    /// @dev Beyond so many oracles the quorum does not grow, or no call could bring it.
    function test_theQuorumIsBounded() external {
        QuorumHarness quorum = new QuorumHarness();
        assertEq(quorum.needed(510, 5000), 256, "half of 510 and one");
        assertEq(quorum.needed(512, 5000), 256, "bounded");
        assertEq(quorum.needed(0, 5000), 1, "never nobody");
        assertEq(quorum.needed(10, 9000), 10, "more than nine of ten");
        assertEq(quorum.neededToRule(382, 5000), 255, "two thirds of 382 and one");
        assertEq(quorum.neededToRule(384, 5000), 256, "bounded");
        assertEq(quorum.neededToRule(0, 5000), 1, "never nobody");
        assertEq(quorum.neededToRule(10, 9000), 10, "never less than a quorum");
    }

    function test_theQuorumIsAParameter() external {
        Shares memory shares = parameters.shares();
        shares.quorumBps = 7500;
        parameters.setShares(shares, effect());
        Checkpoint memory next = _next();
        bytes[] memory three = signed(first(oracles, 3), reputation.checkpointDigest(next));
        vm.expectRevert(abi.encodeWithSelector(Quorum.QuorumMissing.selector, 3, 4));
        reputation.post(next, three, effect());
        reputation.post(next, signed(first(oracles, 4), reputation.checkpointDigest(next)), effect());
    }

    // ---------------------------------------------------------------- construction

    function _make(uint40 epochS, uint40 disputeS, uint40 rulingS) private {
        new Reputation(registry, anchors, cor, epochS, disputeS, rulingS);
    }

    function test_timesAreBounded() external {
        vm.expectRevert(abi.encodeWithSelector(EpochClock.EpochLengthOutOfBounds.selector, 59, 60, 30 days));
        _make(59, 10, 10);
        vm.expectRevert(abi.encodeWithSelector(EpochClock.EpochLengthOutOfBounds.selector, 30 days + 1, 60, 30 days));
        _make(30 days + 1, 10, 10);
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.WindowOutOfBounds.selector, 9, 10, 10, 60));
        _make(60, 9, 10);
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.WindowOutOfBounds.selector, 10, 9, 10, 60));
        _make(60, 10, 9);
        vm.expectRevert(abi.encodeWithSelector(ReputationEvents.WindowOutOfBounds.selector, 30, 31, 10, 60));
        _make(60, 30, 31);
        _make(60, 30, 30);
        _make(30 days, 10, 10);
    }

    function test_thePauseStopsPostingAndNothingElse() external {
        Checkpoint memory checkpoint = _next();
        parameters.pauseEntries(effect());
        _refused(checkpoint, abi.encodeWithSelector(Parameters.EntriesArePaused.selector));
        parameters.openEntries(effect());
        post(checkpoint);
        parameters.pauseEntries(effect());
        dispute(1, STRANGER);
        rule(1, false);
        vm.prank(STRANGER);
        reputation.withdrawBond(effect());
    }

    function test_epochsAreCountedFromOne() external view {
        assertEq(reputation.epochAt(START - 1), 0, "before");
        assertEq(reputation.epochAt(START), 1, "the first second");
        assertEq(reputation.epochAt(START + EPOCH_S - 1), 1, "the last second");
        assertEq(reputation.epochAt(START + EPOCH_S), 2, "the second epoch");
        assertEq(reputation.epochEndsAt(1), START + EPOCH_S, "the end of the first");
    }
}

contract QuorumHarness {
    function needed(uint256 count, uint256 bps) external pure returns (uint256) {
        return Quorum.needed(count, bps);
    }

    function neededToRule(uint256 count, uint256 bps) external pure returns (uint256) {
        return Quorum.neededToRule(count, bps);
    }
}

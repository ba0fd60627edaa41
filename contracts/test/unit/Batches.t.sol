// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchEvents} from "../../src/BatchEvents.sol";
import {Batches} from "../../src/Batches.sol";
import {Modules} from "../../src/Modules.sol";
import {BatchLeaves} from "../../src/libraries/BatchLeaves.sol";
import {Powers} from "../../src/libraries/Powers.sol";
import {BatchState, LeafKind, PaymentLeaf, SessionShare} from "../../src/types/Batch.sol";
import {SessionState} from "../../src/types/Session.sol";
import {Plan} from "../base/BatchPlans.sol";
import {BatchTest} from "../base/BatchTest.sol";
import {vm} from "../base/Vm.sol";

contract BatchesTest is BatchTest {
    uint64 private _session;

    function setUp() public override {
        super.setUp();
        _session = openBatched();
    }

    // ---------------------------------------------------------------- the whole way

    function test_aBatchIsPostedFinalisedAndClaimed() external {
        Plan memory b = posted(_session, 6);
        assertBatch(b.id, BatchState.Posted);
        assertEq(sessions.sessionOf(_session).escrowedWei, b.shares[0].reservedWei, "set aside");
        finaliseAfterWindow(b);
        assertBatch(b.id, BatchState.Final);
        assertEq(batches.fundsWei(), b.drawnWei[0], "drawn");
        uint256 before = cor.balanceOf(miners[0]);
        uint256 last = lastOf(b, miners[0]);
        _claim(b, last);
        assertEq(cor.balanceOf(miners[0]) - before, b.payments[last].accountTotalWei, "paid");
        assertBatchMoney();
    }

    function test_everythingDrawnIsClaimedAndNothingMore() external {
        Plan memory b = posted(_session, 7);
        finaliseAfterWindow(b);
        claimAll(b);
        assertEq(batches.fundsWei(), 0, "all that was drawn is claimed");
        assertEq(batches.claimedOf(b.poster, miners[1]), totalOf[b.poster][miners[1]], "claimed");
        uint256 before = cor.balanceOf(miners[1]);
        bytes32[][] memory proofs = new bytes32[][](1);
        PaymentLeaf[] memory leaves = new PaymentLeaf[](1);
        (leaves[0], proofs[0]) = (b.payments[0], paymentAt(b, 0).proof);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NothingToClaim.selector, address(this)));
        batches.claimMany(b.id, b.header, leaves, proofs, effect());
        assertEq(cor.balanceOf(miners[1]), before, "nothing twice");
        assertBatchMoney();
    }

    function test_totalsGoOnFromBatchToBatchAndOneClaimTakesAll() external {
        Plan memory a = posted(_session, 3);
        Plan memory b = posted(_session, 4);
        uint256 before = cor.balanceOf(miners[0]);
        finaliseAfterWindow(a);
        batches.finalise(b.id, b.header, effect());
        _claim(b, lastOf(b, miners[0]));
        assertEq(cor.balanceOf(miners[0]) - before, totalOf[routers[0]][miners[0]], "one claim for both");
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NothingToClaim.selector, miners[0]));
        _claim(a, lastOf(a, miners[0]));
        assertBatchMoney();
    }

    function test_postersHaveBooksOfTheirOwn() external {
        Plan memory a = posted(_session, 3);
        Plan memory b = plan(routers[1], one(_session, 3));
        postHonestly(b);
        finaliseAfterWindow(a);
        batches.finalise(b.id, b.header, effect());
        claimAll(a);
        claimAll(b);
        assertEq(batches.fundsWei(), 0, "both are claimed");
    }

    function test_severalSessionsPayEachForItsOwn() external {
        SessionShare[] memory shares = new SessionShare[](2);
        shares[0] = SessionShare(_session, 3, 0);
        shares[1] = SessionShare(openBatched(), 5, 0);
        Plan memory b = plan(routers[0], shares);
        postHonestly(b);
        finaliseAfterWindow(b);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 balance = sessions.sessionOf(shares[i].sessionId).balanceWei;
            assertEq(balance, DEPOSIT - b.drawnWei[i], "each for its own");
        }
        claimAll(b);
        assertBatchMoney();
    }

    function test_aBatchOfFailedTasksCostsNothing() external {
        Plan memory b = plan(_session, 2);
        for (uint256 i = 0; i < 2; ++i) {
            b.outcomes[i].honest = b.outcomes[i].voters = 0;
            b.outcomes[i].winner = 0;
            b.outcomes[i].promptTokens = b.outcomes[i].outputTokens = 0;
            b.outcomes[i].priceWei = 0;
            b.outcomes[i].refundWei = 1 ether;
        }
        sum(b, 0, 2);
        b.drawnWei[0] = 0;
        postHonestly(b);
        finaliseAfterWindow(b);
        assertEq(sessions.sessionOf(_session).balanceWei, DEPOSIT, "all is back");
        assertBatch(b.id, BatchState.Final);
    }

    function test_aSessionShowsItsRefund() external {
        Plan memory b = posted(_session, 5);
        bytes32 hash = harness.hashOutcome(b.outcomes[4]);
        assertTrue(batches.isLeaf(b.id, b.header, LeafKind.Outcome, hash, outcomeAt(b, 4).proof), "in the tree");
        bytes32[] memory proof = outcomeAt(b, 3).proof;
        vm.expectRevert(abi.encodeWithSelector(BatchLeaves.NotInBatch.selector, LeafKind.Outcome, 0));
        batches.isLeaf(b.id, b.header, LeafKind.Outcome, hash, proof);
    }

    // ---------------------------------------------------------------- closing in between

    function test_aSessionThatClosesInBetweenStillPaysAndThenEnds() external {
        Plan memory b = plan(_session, 3);
        precommitAll(b);
        vm.prank(CLIENT);
        sessions.close(_session, effect());
        assertEq(uint256(sessions.sessionOf(_session).state), uint256(SessionState.Draining), "drains");
        revealAll(b);
        pay(b);
        postAll(b);
        finaliseAfterWindow(b);
        assertEq(uint256(sessions.sessionOf(_session).state), uint256(SessionState.Closed), "closed");
        claimAll(b);
        assertEq(batches.fundsWei(), 0, "and everybody is paid");
        assertBatchMoney();
    }

    function test_aPosterThatVanishesHoldsNothing() external {
        Plan memory a = plan(_session, 3);
        precommitAll(a);
        Plan memory b = plan(_session, 3);
        precommitAll(b);
        revealAll(b);
        uint40 dueAt = batches.batchOf(b.id).dueAt;
        vm.warp(dueAt);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NotDue.selector, b.id, dueAt));
        batches.voidLate(b.id, b.header, effect());
        vm.warp(dueAt + 1);
        batches.voidLate(a.id, a.header, effect());
        batches.voidLate(b.id, b.header, effect());
        assertEq(sessions.sessionOf(_session).balanceWei, DEPOSIT, "all is back");
        assertEq(batches.lineOf(routers[0]).freeBondWei, 1000 ether, "the bond is free");
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongBatchState.selector, b.id, BatchState.Void));
        batches.voidLate(b.id, b.header, effect());
        assertBatchMoney();
    }

    // ---------------------------------------------------------------- becoming final

    function test_aBatchIsFinalAfterItsWindowInTheOrderOfItsLine() external {
        Plan memory a = posted(_session, 1);
        Plan memory b = posted(_session, 1);
        uint40 dueAt = batches.batchOf(a.id).dueAt;
        vm.warp(dueAt);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NotDue.selector, a.id, dueAt));
        batches.finalise(a.id, a.header, effect());
        vm.warp(dueAt + 1);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NotNext.selector, b.id));
        batches.finalise(b.id, b.header, effect());
        batches.finalise(a.id, a.header, effect());
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongBatchState.selector, a.id, BatchState.Final));
        batches.finalise(a.id, a.header, effect());
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NotOrphan.selector, b.id));
        batches.voidOrphan(b.id, b.header, effect());
    }

    function test_claimsNeedAFinalBatchAndALeafOfIt() external {
        Plan memory b = posted(_session, 3);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongBatchState.selector, b.id, BatchState.Posted));
        _claim(b, 0);
        finaliseAfterWindow(b);
        b.payments[0].accountTotalWei += 1;
        vm.expectRevert(abi.encodeWithSelector(BatchLeaves.NotInBatch.selector, LeafKind.Payment, 0));
        _claim(b, 0);
        vm.expectRevert(BatchEvents.ProofMissing.selector);
        batches.claimMany(b.id, b.header, new PaymentLeaf[](1), new bytes32[][](0), effect());
    }

    /// @dev A leaf that only fills up the tree pays nobody, though it is in it.
    function test_whatFillsUpATreePaysNobody() external {
        Plan memory b = plan(_session, 3);
        precommitAll(b);
        revealAll(b);
        pay(b);
        uint256 filler = b.payments.length - 1;
        assertTrue(filler >= b.paymentCount, "there is one");
        b.payments[filler].account = STRANGER;
        b.payments[filler].accountTotalWei = 1;
        postAll(b);
        finaliseAfterWindow(b);
        vm.expectRevert(abi.encodeWithSelector(BatchLeaves.NotInBatch.selector, LeafKind.Payment, filler));
        _claim(b, filler);
    }

    /// @dev A root that nobody checked in time can take what its own poster's batches have drawn, and no more.
    function test_aFalseRootNeverTakesFromOtherPosters() external {
        Plan memory honest = posted(_session, 3);
        Plan memory thief = plan(routers[1], one(_session, 2));
        precommitAll(thief);
        revealAll(thief);
        pay(thief);
        thief.payments[0].accountTotalWei = thief.drawnWei[0] + 1;
        thief.payments[1].account = STRANGER;
        thief.payments[1].accountTotalWei = thief.drawnWei[0];
        postAll(thief);
        finaliseAfterWindow(honest);
        batches.finalise(thief.id, thief.header, effect());
        vm.expectRevert(
            abi.encodeWithSelector(
                BatchEvents.FundsExceeded.selector, thief.drawnWei[0], thief.payments[0].accountTotalWei
            )
        );
        _claim(thief, 0);
        _claim(thief, 1);
        assertEq(batches.fundsWei(), honest.drawnWei[0], "the honest poster's are whole");
        claimAll(honest);
    }

    function test_judgesAreBoundOnceByTheDeployerAndNobodyElseJudges() external {
        Batches fresh = new Batches(registry, sessions, parameters);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NotDeployer.selector, STRANGER));
        fresh.bindJudges(STRANGER, STRANGER);
        vm.expectRevert(BatchEvents.JudgesNotBindable.selector);
        fresh.bindJudges(address(0), STRANGER);
        vm.expectRevert(BatchEvents.JudgesNotBindable.selector);
        fresh.bindJudges(STRANGER, address(0));
        vm.expectRevert(BatchEvents.JudgesNotBindable.selector);
        batches.bindJudges(STRANGER, STRANGER);
        Plan memory b = posted(_session, 1);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NotJudge.selector, address(this)));
        batches.hold(b.id, 0);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NotJudge.selector, address(this)));
        batches.letGo(b.id);
    }

    function test_onlyTheBatchesMoveASessionsMoney() external {
        vm.expectRevert(abi.encodeWithSelector(Modules.MissingPower.selector, address(this), Powers.DRAW));
        sessions.reserve(_session, routers[0], 1, 1);
        vm.expectRevert(abi.encodeWithSelector(Modules.MissingPower.selector, address(this), Powers.DRAW));
        sessions.settleBatch(_session, 1, 1);
    }

    // ---------------------------------------------------------------- short ways

    function _claim(Plan memory b, uint256 index) private {
        bytes32[] memory proof = paymentAt(b, index).proof;
        batches.claim(b.id, b.header, b.payments[index], proof, effect());
    }
}

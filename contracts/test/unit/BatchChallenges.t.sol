// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchEvents} from "../../src/BatchEvents.sol";
import {BatchTaskChallenges} from "../../src/BatchTaskChallenges.sol";
import {BatchLeaves} from "../../src/libraries/BatchLeaves.sol";
import {BatchSequence} from "../../src/libraries/BatchSequence.sol";
import {BatchState, LeafKind, PaymentAt, PaymentLeaf, SessionShare} from "../../src/types/Batch.sol";
import {SettlementMode, Share, Terms} from "../../src/types/Session.sol";
import {BatchFaults} from "../base/BatchFaults.sol";
import {Plan} from "../base/BatchPlans.sol";
import {vm} from "../base/Vm.sol";

contract BatchChallengesTest is BatchFaults {
    uint64 private _session;
    address private immutable WATCHER = account("watcher");

    function setUp() public override {
        super.setUp();
        _session = openBatched();
    }

    // ---------------------------------------------------------------- every fault

    function test_everyLieIsProvenAndVoidsTheBatch() external {
        for (uint256 which = 0; which < LIES; ++which) {
            Plan memory b = plan(_session, 6);
            lie(which, b);
            uint256 balance = sessions.sessionOf(_session).balanceWei;
            uint256 reward = cor.balanceOf(WATCHER);
            uint256 treasury = cor.balanceOf(TREASURY);
            bytes memory call = accuse(which, b);
            vm.prank(WATCHER);
            (bool done,) = address(challenges).call(call);
            assertTrue(done, string.concat("lie ", vm.toString(which)));
            assertBatch(b.id, BatchState.Void);
            assertEq(sessions.sessionOf(_session).balanceWei, balance + b.shares[0].reservedWei, "all is back");
            assertEq(sessions.sessionOf(_session).escrowedWei, 0, "nothing is set aside");
            assertEq(cor.balanceOf(WATCHER) - reward, 50 ether, "the challenger's part of the bond");
            assertEq(cor.balanceOf(TREASURY) - treasury, 50 ether, "the rest");
            assertBatchMoney();
            bond(routers[0], 100 ether);
        }
    }

    function test_noLieIsProvenOfAnHonestBatch() external {
        Plan memory b = posted(_session, 6);
        for (uint256 which = 0; which < LIES; ++which) {
            if (which == 23) continue;
            (bool done, bytes memory why) = address(challenges).call(accuse(which, b));
            assertFalse(done, string.concat("lie ", vm.toString(which)));
            assertEq(bytes32(why), bytes32(BatchTaskChallenges.NoFault.selector), "no fault");
        }
        assertBatch(b.id, BatchState.Posted);
    }

    function test_aPosterThatChallengesItselfLosesHalfItsBond() external {
        Plan memory b = plan(_session, 6);
        lie(12, b);
        uint256 before = cor.balanceOf(routers[0]);
        bytes memory call = accuse(12, b);
        vm.prank(routers[0]);
        (bool done,) = address(challenges).call(call);
        assertTrue(done, "it may");
        assertEq(cor.balanceOf(routers[0]) - before, 50 ether, "and loses the other half");
        assertEq(batches.lineOf(routers[0]).freeBondWei, 900 ether, "of its bond");
    }

    // ---------------------------------------------------------------- payments at the ends

    function test_missingPaymentsAreProvenAtTheEndsToo() external {
        Plan memory b = plan(_session, 6);
        precommitAll(b);
        revealAll(b);
        pay(b);
        // Everybody but the one in the middle is left out.
        uint256 middle = b.paymentCount / 2;
        address account = b.payments[middle].account;
        b.payments[0] = b.payments[middle];
        b.payments[0].index = 0;
        b.paymentCount = 1;
        PaymentLeaf[] memory alone = new PaymentLeaf[](1);
        (alone[0], b.payments) = (b.payments[0], alone);
        postAll(b);
        address[] memory accounts = earners(b);
        PaymentAt[] memory only_ = paymentsAt(b, 0, 1);
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == account || accounts[i] != b.tasks[0].miners[0]) continue;
            bool behind = accounts[i] > account;
            vm.expectRevert(BatchTaskChallenges.NoFault.selector);
            challenges.proveMissingPayment(
                b.id, b.header, taskAt(b, 0), outcomeAt(b, 0), Share.Miner, accounts[i], only_, !behind, "1"
            );
            challenges.proveMissingPayment(
                b.id, b.header, taskAt(b, 0), outcomeAt(b, 0), Share.Miner, accounts[i], only_, behind, "2"
            );
            assertBatch(b.id, BatchState.Void);
            return;
        }
        // The one in the middle is that miner: then the router lacks its own.
        challenges.proveMissingPayment(
            b.id, b.header, taskAt(b, 0), outcomeAt(b, 0), Share.Router, b.poster, only_, b.poster > account, "3"
        );
        assertBatch(b.id, BatchState.Void);
    }

    function test_aTaskIsHeldAgainstItsOwnSession() external {
        SessionShare[] memory shares = new SessionShare[](2);
        shares[0] = SessionShare({sessionId: _session, tasks: 2, reservedWei: 0});
        shares[1] = SessionShare({sessionId: openBatched(), tasks: 2, reservedWei: 0});
        Plan memory b = plan(routers[0], shares);
        postHonestly(b);
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = bytes32(i + 1);
            vm.expectRevert(BatchTaskChallenges.NoFault.selector);
            challenges.proveBadAssignment(b.id, b.header, taskAt(b, i), id);
            vm.expectRevert(BatchTaskChallenges.NoFault.selector);
            challenges.proveWrongOutcome(b.id, b.header, taskAt(b, i), shownAt(b, i), outcomeAt(b, i), id);
        }
        // A task of the first session in the place of one of the second.
        b = plan(routers[0], shares);
        b.tasks[2].sessionId = _session;
        precommitAll(b);
        revealAll(b);
        pay(b);
        postAll(b);
        challenges.proveBadAssignment(b.id, b.header, taskAt(b, 2), "9");
        assertBatch(b.id, BatchState.Void);
    }

    function test_paymentsAreMissingWhereThereAreNone() external {
        Plan memory b = plan(_session, 2);
        precommitAll(b);
        revealAll(b);
        // A batch that draws something has payments; so this one draws nothing for what was done.
        (b.payments, b.paymentCount) = (new PaymentLeaf[](0), 0);
        b.drawnWei[0] = 0;
        postAll(b);
        PaymentAt[] memory none = new PaymentAt[](0);
        vm.expectRevert(BatchTaskChallenges.NoFault.selector);
        challenges.proveMissingPayment(
            b.id, b.header, taskAt(b, 0), outcomeAt(b, 0), Share.Router, STRANGER, none, false, "1"
        );
        challenges.proveMissingPayment(
            b.id, b.header, taskAt(b, 0), outcomeAt(b, 0), Share.Router, b.poster, none, false, "2"
        );
        assertBatch(b.id, BatchState.Void);
    }

    /// @dev A task that was not given out as it should be is one fault, not two.
    function test_aRevealIsNotWrongWhereTheTaskIs() external {
        Plan memory b = plan(_session, 2);
        b.tasks[1].attempts = new uint8[](2);
        precommitAll(b);
        revealAll(b);
        pay(b);
        postAll(b);
        vm.expectRevert(BatchTaskChallenges.NoFault.selector);
        challenges.proveWrongReveal(b.id, b.header, taskAt(b, 1), shownAt(b, 1), "1");
        challenges.proveBadAssignment(b.id, b.header, taskAt(b, 1), "2");
        assertBatch(b.id, BatchState.Void);
    }

    function test_neighboursMustBeNeighbours() external {
        Plan memory b = posted(_session, 6);
        PaymentAt[] memory around = new PaymentAt[](0);
        _refusesAround(b, around, false, BatchSequence.NotNeighbours.selector);
        _refusesAround(b, paymentsAt(b, 1, 1), false, BatchSequence.NotNeighbours.selector);
        _refusesAround(b, paymentsAt(b, 1, 1), true, BatchSequence.NotNeighbours.selector);
        _refusesAround(b, paymentsAt(b, 0, 3), false, BatchSequence.NotNeighbours.selector);
        around = paymentsAt(b, 0, 2);
        around[1] = paymentAt(b, 2);
        _refusesAround(b, around, false, BatchSequence.NotNeighbours.selector);
        vm.expectRevert(BatchSequence.NotNeighbours.selector);
        challenges.proveWrongSum(b.id, b.header, outcomeAt(b, 0), outcomeAt(b, 2), "1");
        vm.expectRevert(BatchSequence.NotNeighbours.selector);
        challenges.proveWrongSum(b.id, b.header, outcomeAt(b, 0), outcomeAt(b, 0), "2");
        PaymentAt[] memory three = paymentsAt(b, 0, 3);
        vm.expectRevert(BatchSequence.NotNeighbours.selector);
        challenges.proveInventedStart(b.id, b.header, three, "3");
        PaymentAt[] memory second = paymentsAt(b, 1, 1);
        vm.expectRevert(BatchSequence.NotNeighbours.selector);
        challenges.proveInventedStart(b.id, b.header, second, "4");
    }

    function test_leavesOfOneTaskBelongTogether() external {
        Plan memory b = posted(_session, 6);
        vm.expectRevert(BatchTaskChallenges.NotSameTask.selector);
        challenges.proveWrongReveal(b.id, b.header, taskAt(b, 0), shownAt(b, 1), "1");
        vm.expectRevert(BatchTaskChallenges.NotSameTask.selector);
        challenges.proveWrongOutcome(b.id, b.header, taskAt(b, 0), shownAt(b, 0), outcomeAt(b, 1), "2");
        vm.expectRevert(BatchTaskChallenges.NotSameTask.selector);
        challenges.proveWrongOutcome(b.id, b.header, taskAt(b, 0), shownAt(b, 1), outcomeAt(b, 0), "3");
        vm.expectRevert(abi.encodeWithSelector(BatchLeaves.NotInBatch.selector, LeafKind.Outcome, 7));
        challenges.proveWrongDraw(b.id, b.header, outcomeAt(b, 7), "4");
    }

    /// @dev A shorter or longer proof than the tree is high cannot make an inner node a leaf or hide a leaf.
    function test_proofsAreAsLongAsTheTreeIsHigh() external {
        Plan memory b = posted(_session, 6);
        bytes32[] memory short = new bytes32[](2);
        bytes32 inner = b.outcomeTree[4];
        (short[0], short[1]) = (b.outcomeTree[5], b.outcomeTree[3]);
        vm.expectRevert(abi.encodeWithSelector(BatchLeaves.NotInBatch.selector, LeafKind.Outcome, 0));
        batches.isLeaf(b.id, b.header, LeafKind.Outcome, inner, short);
    }

    function test_nothingIsProvenOfABatchThatIsFinalOrOfAnotherHeader() external {
        Plan memory b = plan(_session, 6);
        lie(12, b);
        b.header.sessions[0].level = 0;
        bytes memory call = accuse(12, b);
        (bool done, bytes memory why) = address(challenges).call(call);
        assertFalse(done, "another header");
        assertEq(keccak256(why), keccak256(abi.encodeWithSelector(BatchEvents.WrongHeader.selector, b.id)), "header");
        b.header.sessions[0].level = 1;
        finaliseAfterWindow(b);
        (done, why) = address(challenges).call(accuse(12, b));
        assertEq(
            keccak256(why),
            keccak256(abi.encodeWithSelector(BatchEvents.WrongBatchState.selector, b.id, BatchState.Final)),
            "final"
        );
    }

    // ---------------------------------------------------------------- level 0

    function test_atLevel0WhoeverRevealedIsPaidTheHighestPrice() external {
        Terms memory terms = defaultTerms();
        terms.settlement = SettlementMode.Batched;
        terms.level = 0;
        terms.validators = 0;
        uint64 session = openSession(terms);
        for (uint256 how = 0; how < 7; ++how) {
            Plan memory b = plan(session, 2);
            for (uint256 i = 0; i < 2; ++i) {
                b.tasks[i].validators = nobody();
                b.outcomes[i].voters = 0;
                b.outcomes[i].winner = 0;
                b.outcomes[i].promptTokens = b.outcomes[i].outputTokens = 0;
                (b.outcomes[i].priceWei, b.outcomes[i].refundWei) = (1 ether, 0);
            }
            b.shown[1].resultRoots[0] = 0;
            (b.outcomes[1].honest, b.outcomes[1].winner) = (6, 1);
            if (how == 1) b.outcomes[1].winner = 2;
            if (how == 2) b.outcomes[1].honest = 2;
            if (how == 3) (b.outcomes[1].priceWei, b.outcomes[1].refundWei) = (0.5 ether, 0.5 ether);
            if (how == 4) b.shown[1].resultRoots = new bytes32[](3);
            // Nobody revealed: the task failed, and costs nothing.
            if (how > 4) {
                b.shown[1].resultRoots = new bytes32[](3);
                (b.outcomes[1].honest, b.outcomes[1].winner) = (0, 0);
                b.outcomes[1].priceWei = how == 5 ? 0 : 1;
                b.outcomes[1].refundWei = 1 ether - b.outcomes[1].priceWei;
            }
            sum(b, 0, 2);
            b.drawnWei[0] = b.outcomes[1].sessionPriceWei;
            precommitAll(b);
            revealAll(b);
            pay(b);
            postAll(b);
            if (how == 0 || how == 5) vm.expectRevert(BatchTaskChallenges.NoFault.selector);
            challenges.proveWrongOutcome(
                b.id, b.header, taskAt(b, 1), shownAt(b, 1), outcomeAt(b, 1), bytes32(how + 100)
            );
        }
    }

    // ---------------------------------------------------------------- short ways

    function _refusesAround(Plan memory b, PaymentAt[] memory around, bool behind, bytes4 selector) private {
        vm.expectRevert(selector);
        challenges.proveMissingPayment(
            b.id, b.header, taskAt(b, 0), outcomeAt(b, 0), Share.Router, b.poster, around, behind, "x"
        );
    }
}

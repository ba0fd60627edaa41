// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchEvents} from "../../src/BatchEvents.sol";
import {BatchTaskChallenges} from "../../src/BatchTaskChallenges.sol";
import {BatchSequence} from "../../src/libraries/BatchSequence.sol";
import {BatchState, PaymentAt} from "../../src/types/Batch.sol";
import {BatchFaults} from "../base/BatchFaults.sol";
import {Plan} from "../base/BatchPlans.sol";
import {vm} from "../base/Vm.sol";

contract BatchLinesTest is BatchFaults {
    uint64 private _session;

    function setUp() public override {
        super.setUp();
        _session = openBatched();
    }

    // ---------------------------------------------------------------- from batch to batch

    function test_earningsThatAreForgottenAreProven() external {
        Plan memory a = posted(_session, 6);
        Plan memory b = plan(_session, 6);
        precommitAll(b);
        revealAll(b);
        pay(b);
        address account = b.payments[0].account;
        for (uint256 i = 0; b.payments[i].account == account; ++i) {
            b.payments[i].accountTotalWei -= 1;
        }
        postAll(b);
        challenges.proveForgottenEarnings(
            b.id, b.header, paymentAt(b, 0), a.id, a.header, paymentAt(a, lastOf(a, account)), effect()
        );
        assertBatch(b.id, BatchState.Void);
        assertBatch(a.id, BatchState.Posted);
    }

    function test_earningsThatAreInventedAreProvenByTheBatchTheyName() external {
        Plan memory a = posted(_session, 6);
        for (uint256 place = 0; place < 3; ++place) {
            Plan memory b = plan(_session, 6);
            precommitAll(b);
            revealAll(b);
            pay(b);
            // The first account of all, one in between, the last.
            address liar = b.payments[place == 0 ? 0 : place == 1 ? b.paymentCount / 2 : b.paymentCount - 1].account;
            _raiseTotal(b, liar, 7, a.id);
            postAll(b);
            uint256 last = lastOf(a, liar);
            bool end = last == a.paymentCount - 1;
            PaymentAt[] memory around = paymentsAt(a, last, end ? 1 : 2);
            PaymentAt[] memory first = _firstOf(b, liar);
            challenges.proveInventedEarnings(b.id, b.header, first, a.id, a.header, around, end, effect());
            assertBatch(b.id, BatchState.Void);
        }
    }

    function test_earningsInABatchThatNeverPaidTheAccountAreProven() external {
        Plan memory a = posted(_session, 1);
        assertEq(lastOf(a, miners[4]), type(uint256).max, "never paid");
        Plan memory b = plan(_session, 6);
        b.tasks[0].miners[0] = miners[4];
        precommitAll(b);
        revealAll(b);
        pay(b);
        address newcomer = account("newcomer");
        b.payments[0].account = newcomer;
        newcomer = b.payments[lastOf(b, miners[4])].account;
        _raiseTotal(b, newcomer, 3, a.id);
        postAll(b);
        (PaymentAt[] memory around, bool behind) = _around(a, newcomer);
        challenges.proveInventedEarnings(
            b.id, b.header, _firstOf(b, newcomer), a.id, a.header, around, behind, effect()
        );
        assertBatch(b.id, BatchState.Void);
    }

    function test_honestTotalsOfALineCannotBeChallenged() external {
        Plan memory a = posted(_session, 6);
        Plan memory b = posted(_session, 6);
        address account = routers[0];
        PaymentAt[] memory first = _firstOf(b, account);
        uint256 last = lastOf(a, account);
        PaymentAt memory before = paymentAt(a, last);
        bool end = last == a.paymentCount - 1;
        PaymentAt[] memory around = paymentsAt(a, last, end ? 1 : 2);
        vm.expectRevert(BatchTaskChallenges.NoFault.selector);
        challenges.proveForgottenEarnings(b.id, b.header, first[first.length - 1], a.id, a.header, before, "1");
        vm.expectRevert(BatchTaskChallenges.NoFault.selector);
        challenges.proveInventedEarnings(b.id, b.header, first, a.id, a.header, around, end, "2");
        vm.expectRevert(BatchTaskChallenges.NoFault.selector);
        challenges.proveInventedStart(b.id, b.header, first, "3");
        vm.expectRevert(BatchTaskChallenges.NoFault.selector);
        challenges.proveWrongOrigin(b.id, b.header, first[first.length - 1], a.header, "4");
        // Not the account's last payment: neighbours that hide what is behind them.
        around = paymentsAt(a, last - 1, 2);
        vm.expectRevert(BatchSequence.NotNeighbours.selector);
        challenges.proveInventedEarnings(b.id, b.header, first, a.id, a.header, around, false, "5");
        // Not the account's first payment.
        first = paymentsAt(b, lastOf(b, account) - 1, 2);
        vm.expectRevert(BatchSequence.NotNeighbours.selector);
        challenges.proveInventedStart(b.id, b.header, first, "6");
        // A batch cannot be before itself, nor before an earlier one.
        before = paymentAt(b, lastOf(b, account));
        PaymentAt memory other = paymentAt(a, 0);
        vm.expectRevert(abi.encodeWithSelector(BatchTaskChallenges.NotBefore.selector, b.id, a.id));
        challenges.proveForgottenEarnings(a.id, a.header, other, b.id, b.header, before, "7");
        vm.expectRevert(abi.encodeWithSelector(BatchTaskChallenges.NotBefore.selector, b.id, b.id));
        challenges.proveForgottenEarnings(b.id, b.header, before, b.id, b.header, before, "8");
        // Another account's payment.
        other = paymentAt(a, lastOf(a, miners[0]));
        vm.expectRevert(BatchTaskChallenges.NotSameTask.selector);
        challenges.proveForgottenEarnings(b.id, b.header, before, a.id, a.header, other, "9");
    }

    function test_inventedEarningsAreThoseOfTheBatchThatIsNamed() external {
        Plan memory a = posted(_session, 6);
        posted(_session, 6);
        Plan memory c = posted(_session, 6);
        PaymentAt[] memory first = _firstOf(c, routers[0]);
        PaymentAt[] memory around = paymentsAt(a, 0, 2);
        vm.expectRevert(BatchTaskChallenges.NotSameTask.selector);
        challenges.proveInventedEarnings(c.id, c.header, first, a.id, a.header, around, false, "1");
    }

    function test_aTaskThatAnEarlierBatchPaidForIsProven() external {
        Plan memory a = posted(_session, 6);
        Plan memory b = plan(_session, 6);
        b.outcomes[2].taskId = a.outcomes[1].taskId;
        precommitAll(b);
        revealAll(b);
        pay(b);
        postAll(b);
        vm.expectRevert(BatchTaskChallenges.NoFault.selector);
        challenges.provePaidBefore(b.id, b.header, outcomeAt(b, 1), a.id, a.header, outcomeAt(a, 1), "1");
        challenges.provePaidBefore(b.id, b.header, outcomeAt(b, 2), a.id, a.header, outcomeAt(a, 1), "2");
        assertBatch(b.id, BatchState.Void);
    }

    function test_aTaskThatFailedBeforeMayBePaidForNow() external {
        Plan memory a = posted(_session, 6);
        assertEq(a.outcomes[4].priceWei, 0, "failed");
        Plan memory b = plan(_session, 6);
        b.outcomes[2].taskId = a.outcomes[4].taskId;
        precommitAll(b);
        revealAll(b);
        pay(b);
        postAll(b);
        vm.expectRevert(BatchTaskChallenges.NoFault.selector);
        challenges.provePaidBefore(b.id, b.header, outcomeAt(b, 2), a.id, a.header, outcomeAt(a, 4), "1");
    }

    /// @dev Another router that copies a poster's tasks cannot make them a double payment.
    function test_batchesOfOtherPostersAreNeverBefore() external {
        Plan memory copier = plan(routers[1], one(_session, 6));
        postHonestly(copier);
        Plan memory b = plan(_session, 6);
        for (uint256 i = 0; i < 6; ++i) {
            b.tasks[i].taskId = b.outcomes[i].taskId = copier.outcomes[i].taskId;
        }
        precommitAll(b);
        revealAll(b);
        pay(b);
        postAll(b);
        vm.expectRevert(abi.encodeWithSelector(BatchTaskChallenges.NotBefore.selector, copier.id, b.id));
        challenges.provePaidBefore(b.id, b.header, outcomeAt(b, 0), copier.id, copier.header, outcomeAt(copier, 0), "1");
    }

    function test_aWrongOriginIsOneThatIsNotPostedOrNotInTheLine() external {
        for (uint256 how = 0; how < 4; ++how) {
            Plan memory other = plan(routers[1], one(_session, 1));
            if (how == 1) precommitAll(other);
            if (how > 1) postHonestly(other);
            Plan memory b = plan(_session, 6);
            precommitAll(b);
            revealAll(b);
            pay(b);
            b.payments[0].sinceBatch = how == 0 ? 1000 : other.id;
            postAll(b);
            PaymentAt memory payment = paymentAt(b, 0);
            if (how == 3) {
                other.header.place += 1;
                vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongHeader.selector, other.id));
            }
            challenges.proveWrongOrigin(b.id, b.header, payment, other.header, bytes32(how + 1));
            assertBatch(b.id, how == 3 ? BatchState.Posted : BatchState.Void);
        }
    }

    function test_whatIsBuiltOnAVoidBatchIsVoidWithoutLosingABond() external {
        Plan memory a = plan(_session, 6);
        lie(12, a);
        remember(a);
        Plan memory b = posted(_session, 6);
        Plan memory c = plan(routers[1], one(_session, 6));
        postHonestly(c);
        (bool done,) = address(challenges).call(accuse(12, a));
        assertTrue(done, "void");
        assertFalse(batches.stands(b.id, b.header), "an orphan");
        vm.warp(batches.batchOf(b.id).dueAt + 1);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NotNext.selector, b.id));
        batches.finalise(b.id, b.header, effect());
        vm.expectRevert(BatchTaskChallenges.NoFault.selector);
        challenges.proveWrongOrigin(b.id, b.header, paymentAt(b, 0), a.header, "1");
        batches.voidOrphan(b.id, b.header, effect());
        assertEq(batches.lineOf(routers[0]).freeBondWei, 900 ether, "only the liar's bond is gone");
        assertEq(batches.lineOf(routers[0]).length, 0, "the line begins anew");
        batches.finalise(c.id, c.header, effect());
        assertEq(sessions.sessionOf(_session).escrowedWei, 0, "nothing is stuck");
        assertBatchMoney();
    }

    function test_anOrphanWithAFaultOfItsOwnLosesItsBond() external {
        Plan memory a = plan(_session, 6);
        lie(12, a);
        Plan memory b = plan(_session, 6);
        lie(13, b);
        (bool done,) = address(challenges).call(accuse(12, a));
        Plan memory c = plan(_session, 6);
        postHonestly(c);
        (done,) = address(challenges).call(accuse(13, b));
        assertTrue(done, "proven all the same");
        assertTrue(batches.stands(c.id, c.header), "and what came since stands");
    }

    // ---------------------------------------------------------------- short ways

    function _firstOf(Plan memory b, address account) private pure returns (PaymentAt[] memory) {
        uint256 index = 0;
        while (b.payments[index].account != account) ++index;
        return index == 0 ? paymentsAt(b, 0, 1) : paymentsAt(b, index - 1, 2);
    }

    /// @dev The neighbours of an account that a batch did not pay.
    function _around(Plan memory a, address account) private pure returns (PaymentAt[] memory, bool) {
        uint256 right = 0;
        while (right < a.paymentCount && a.payments[right].account < account) ++right;
        if (right == 0) return (paymentsAt(a, 0, 1), false);
        if (right == a.paymentCount) return (paymentsAt(a, right - 1, 1), true);
        return (paymentsAt(a, right - 1, 2), false);
    }
}

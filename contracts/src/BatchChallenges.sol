// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchTaskChallenges} from "./BatchTaskChallenges.sol";
import {Batches} from "./Batches.sol";
import {BatchLeaves} from "./libraries/BatchLeaves.sol";
import {BatchSequence} from "./libraries/BatchSequence.sol";
import {BatchShares} from "./libraries/BatchShares.sol";
import {BatchHeader, Fault, OutcomeAt, PaymentAt, PaymentLeaf, PrecommitAt} from "./types/Batch.sol";
import {Share} from "./types/Session.sol";

/// @title Proofs that a batch is wrong
/// @notice Those about its payments, and, from {BatchTaskChallenges}, those about its tasks.
contract BatchChallenges is BatchTaskChallenges {
    using BatchLeaves for BatchHeader;

    /// @param batches Where the batches are.
    constructor(Batches batches) BatchTaskChallenges(batches) {}

    /// @notice A payment is not what its account earned by its task.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param task The task.
    /// @param outcome Its outcome.
    /// @param payment The payment.
    /// @param effectId The sender's id of this call.
    function proveWrongPayment(
        uint64 batchId,
        BatchHeader calldata header,
        PrecommitAt calldata task,
        OutcomeAt calldata outcome,
        PaymentAt calldata payment,
        bytes32 effectId
    ) external {
        _requireTask(header, task, outcome);
        header.requireIn(payment);
        _requireSame(task.leaf.position, payment.leaf.position);
        uint128 earnedWei =
            BatchShares.amountOf(header, task.leaf, outcome.leaf, payment.leaf.share, payment.leaf.account);
        bool sound = earnedWei != 0 && payment.leaf.amountWei == earnedWei;
        _judge(batchId, header, sound, Fault.WrongPayment, effectId);
    }

    /// @notice A payment is missing: an account earned by a task, and the neighbours show that nothing is there.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param task The task.
    /// @param outcome Its outcome.
    /// @param share What the account earned by.
    /// @param account The account.
    /// @param around The neighbours: two, or the first alone, or the last alone, or none where there are no payments.
    /// @param behind Whether one alone is the last.
    /// @param effectId The sender's id of this call.
    function proveMissingPayment(
        uint64 batchId,
        BatchHeader calldata header,
        PrecommitAt calldata task,
        OutcomeAt calldata outcome,
        Share share,
        address account,
        PaymentAt[] calldata around,
        bool behind,
        bytes32 effectId
    ) external {
        _requireTask(header, task, outcome);
        (uint256 low, uint256 high) = BatchSequence.gap(header, around, behind);
        uint256 key = BatchSequence.keyOf(account, task.leaf.position, share);
        bool sound =
            BatchShares.amountOf(header, task.leaf, outcome.leaf, share, account) == 0 || key <= low || key >= high;
        _judge(batchId, header, sound, Fault.MissingPayment, effectId);
    }

    /// @notice Two payments that follow one another are not in order, or a running total does not go on.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param left A payment.
    /// @param right The next one.
    /// @param effectId The sender's id of this call.
    function proveWrongOrder(
        uint64 batchId,
        BatchHeader calldata header,
        PaymentAt calldata left,
        PaymentAt calldata right,
        bytes32 effectId
    ) external {
        BatchSequence.requireNeighbours(header, left, right);
        (PaymentLeaf calldata a, PaymentLeaf calldata b) = (left.leaf, right.leaf);
        bool sound = BatchSequence.keyOf(a) < BatchSequence.keyOf(b)
            && b.batchTotalWei == uint256(a.batchTotalWei) + b.amountWei;
        if (sound && a.account == b.account) {
            sound = a.sinceBatch == b.sinceBatch && b.accountTotalWei == uint256(a.accountTotalWei) + b.amountWei;
        }
        _judge(batchId, header, sound, Fault.WrongOrder, effectId);
    }

    /// @notice A payment is wrong by itself: the first does not begin the batch's total, the last does not end it with
    /// what the sessions were drawn for, it is for no task, or its account's total is less than itself.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param payment The payment.
    /// @param effectId The sender's id of this call.
    function proveWrongTotal(uint64 batchId, BatchHeader calldata header, PaymentAt calldata payment, bytes32 effectId)
        external
    {
        header.requireIn(payment);
        PaymentLeaf calldata leaf = payment.leaf;
        bool sound = leaf.position < header.tasks && leaf.amountWei <= leaf.accountTotalWei
            && (leaf.index != 0 || leaf.batchTotalWei == leaf.amountWei)
            && (leaf.index != header.payments - 1 || leaf.batchTotalWei == _drawn(header));
        _judge(batchId, header, sound, Fault.WrongOrder, effectId);
    }

    /// @notice A payment says that its account was paid before by a batch that is not before this one in the line.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param payment The payment.
    /// @param origin The header of the batch that it names; of one that is not posted it does not matter.
    /// @param effectId The sender's id of this call.
    function proveWrongOrigin(
        uint64 batchId,
        BatchHeader calldata header,
        PaymentAt calldata payment,
        BatchHeader calldata origin,
        bytes32 effectId
    ) external {
        if (!BATCHES.stands(batchId, header)) revert NoFault();
        header.requireIn(payment);
        uint64 since = payment.leaf.sinceBatch;
        bool sound = since == 0 || BATCHES.isBefore(since, origin, batchId, header);
        _judge(batchId, header, sound, Fault.WrongEarnings, effectId);
    }

    /// @notice An account's total forgets what an earlier batch of the line has paid it.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param payment A payment of the account.
    /// @param earlierId The earlier batch.
    /// @param earlier Its header.
    /// @param before A payment of the account there.
    /// @param effectId The sender's id of this call.
    function proveForgottenEarnings(
        uint64 batchId,
        BatchHeader calldata header,
        PaymentAt calldata payment,
        uint64 earlierId,
        BatchHeader calldata earlier,
        PaymentAt calldata before,
        bytes32 effectId
    ) external {
        _requireBefore(earlierId, earlier, batchId, header);
        header.requireIn(payment);
        earlier.requireIn(before);
        if (payment.leaf.account != before.leaf.account) revert NotSameTask();
        bool sound = payment.leaf.accountTotalWei >= uint256(before.leaf.accountTotalWei) + payment.leaf.amountWei;
        _judge(batchId, header, sound, Fault.WrongEarnings, effectId);
    }

    /// @notice An account's total begins with more than it had, with no earlier batch named.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param first The account's first payment, alone where it is the batch's first, else behind its neighbour.
    /// @param effectId The sender's id of this call.
    function proveInventedStart(
        uint64 batchId,
        BatchHeader calldata header,
        PaymentAt[] calldata first,
        bytes32 effectId
    ) external {
        PaymentLeaf calldata leaf = _firstOf(header, first);
        bool sound = leaf.sinceBatch != 0 || leaf.accountTotalWei == leaf.amountWei;
        _judge(batchId, header, sound, Fault.WrongEarnings, effectId);
    }

    /// @notice An account's total begins with more than the named earlier batch has for it.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param first The account's first payment, alone where it is the batch's first, else behind its neighbour.
    /// @param earlierId The batch that it names.
    /// @param earlier Its header.
    /// @param around The neighbours there: the account's last payment and the next one; or two others with nothing of
    /// the account between them; or the first or the last alone.
    /// @param behind Whether one alone is the last.
    /// @param effectId The sender's id of this call.
    function proveInventedEarnings(
        uint64 batchId,
        BatchHeader calldata header,
        PaymentAt[] calldata first,
        uint64 earlierId,
        BatchHeader calldata earlier,
        PaymentAt[] calldata around,
        bool behind,
        bytes32 effectId
    ) external {
        _requireBefore(earlierId, earlier, batchId, header);
        PaymentLeaf calldata leaf = _firstOf(header, first);
        if (leaf.sinceBatch != earlierId) revert NotSameTask();
        uint256 hadWei = _lastTotal(earlier, around, behind, leaf.account);
        bool sound = leaf.accountTotalWei <= hadWei + leaf.amountWei;
        _judge(batchId, header, sound, Fault.WrongEarnings, effectId);
    }

    // ---------------------------------------------------------------- inside

    function _drawn(BatchHeader calldata header) private pure returns (uint256 sumWei) {
        for (uint256 i = 0; i < header.sessions.length; ++i) {
            sumWei += header.sessions[i].drawnWei;
        }
    }

    /// @dev An account's first payment of a batch.
    function _firstOf(BatchHeader calldata header, PaymentAt[] calldata first)
        private
        pure
        returns (PaymentLeaf calldata leaf)
    {
        if (first.length == 1) {
            header.requireIn(first[0]);
            if (first[0].leaf.index != 0) revert BatchSequence.NotNeighbours();
            return first[0].leaf;
        }
        if (first.length != 2) revert BatchSequence.NotNeighbours();
        BatchSequence.requireNeighbours(header, first[0], first[1]);
        if (first[0].leaf.account == first[1].leaf.account) revert BatchSequence.NotNeighbours();
        return first[1].leaf;
    }

    /// @dev What an account has in all at the end of a batch by what the neighbours show; zero if nothing.
    function _lastTotal(BatchHeader calldata header, PaymentAt[] calldata around, bool behind, address account)
        private
        pure
        returns (uint256)
    {
        (uint256 low, uint256 high) = BatchSequence.gap(header, around, behind);
        // All keys of the account lie from `from` on and below `to`.
        uint256 from = uint256(uint160(account)) << 24;
        uint256 to = from + (1 << 24);
        if (low >= to || high < to) revert BatchSequence.NotNeighbours();
        return low < from ? 0 : around[0].leaf.accountTotalWei;
    }
}

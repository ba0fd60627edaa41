// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "./Batches.sol";
import {EffectLog} from "./EffectLog.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {BatchLeaves} from "./libraries/BatchLeaves.sol";
import {BatchRules} from "./libraries/BatchRules.sol";
import {BatchSequence} from "./libraries/BatchSequence.sol";
import {
    BatchHeader,
    Fault,
    OutcomeAt,
    OutcomeLeaf,
    PrecommitAt,
    PrecommitLeaf,
    RevealAt,
    RevealLeaf,
    SessionPart
} from "./types/Batch.sol";
import {Role} from "./types/Node.sol";

/// @title Proofs that the tasks of a batch are wrong
/// @notice One function for each kind of fault. Each brings the leaves concerned with their proofs, and is refused with
/// `NoFault` where they are as they should be, so that nothing can be proven about an honest batch. A proof voids the
/// batch and gives the prover its part of the bond.
/// @dev Holds nothing and stores nothing but effect ids; what it can do to {Batches} is to condemn.
abstract contract BatchTaskChallenges is EffectLog {
    using BatchLeaves for BatchHeader;

    /// @notice The leaves are as they should be.
    error NoFault();
    /// @notice The batch is not before the other one in a line.
    error NotBefore(uint64 earlierId, uint64 batchId);
    /// @notice The leaves are of different tasks.
    error NotSameTask();

    /// @notice Where the batches are.
    Batches public immutable BATCHES;
    /// @notice Who is a node.
    NodeRegistry public immutable REGISTRY;

    /// @param batches Where the batches are.
    constructor(Batches batches) {
        BATCHES = batches;
        REGISTRY = batches.REGISTRY();
    }

    /// @notice A task was not given out as its session's terms want: another session, a price bound or numbers out of
    /// bounds, somebody twice, somebody who never was a miner or a validator.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param task The task.
    /// @param effectId The sender's id of this call.
    function proveBadAssignment(
        uint64 batchId,
        BatchHeader calldata header,
        PrecommitAt calldata task,
        bytes32 effectId
    ) external {
        header.requireIn(task);
        (SessionPart calldata part,,) = BatchRules.partOf(header, task.leaf.position);
        bool sound = BatchRules.isGivenOut(task.leaf, part) && _all(task.leaf.miners, Role.Miner)
            && _all(task.leaf.validators, Role.Validator);
        _judge(batchId, header, sound, Fault.BadAssignment, effectId);
    }

    /// @notice What was shown is not what was precommitted: another task, another number of slots, or a slot whose
    /// hash is another.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param task The task.
    /// @param shown What was shown of it.
    /// @param effectId The sender's id of this call.
    function proveWrongReveal(
        uint64 batchId,
        BatchHeader calldata header,
        PrecommitAt calldata task,
        RevealAt calldata shown,
        bytes32 effectId
    ) external {
        header.requireIn(task);
        header.requireIn(shown);
        _requireSame(task.leaf.position, shown.leaf.position);
        _judge(batchId, header, _isRevealed(task.leaf, shown.leaf), Fault.WrongReveal, effectId);
    }

    /// @notice An outcome does not follow: another task, honest miners that did not reveal, no quorum, or a price or
    /// refund that does not follow from the session's prices and limits.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param task The task.
    /// @param shown What was shown of it.
    /// @param outcome Its outcome.
    /// @param effectId The sender's id of this call.
    function proveWrongOutcome(
        uint64 batchId,
        BatchHeader calldata header,
        PrecommitAt calldata task,
        RevealAt calldata shown,
        OutcomeAt calldata outcome,
        bytes32 effectId
    ) external {
        header.requireIn(task);
        header.requireIn(shown);
        header.requireIn(outcome);
        _requireSame(task.leaf.position, shown.leaf.position);
        _requireSame(task.leaf.position, outcome.leaf.position);
        (SessionPart calldata part,,) = BatchRules.partOf(header, task.leaf.position);
        bool sound = BatchRules.follows(part, task.leaf, shown.leaf, outcome.leaf);
        _judge(batchId, header, sound, Fault.WrongOutcome, effectId);
    }

    /// @notice A session's sums do not begin with its first task, or do not end with what was drawn and given back: it
    /// was drawn for more or less than its tasks cost.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param outcome The outcome of the session's first or last task.
    /// @param effectId The sender's id of this call.
    function proveWrongDraw(uint64 batchId, BatchHeader calldata header, OutcomeAt calldata outcome, bytes32 effectId)
        external
    {
        header.requireIn(outcome);
        OutcomeLeaf calldata leaf = outcome.leaf;
        (SessionPart calldata part, uint256 first, uint256 last) = BatchRules.partOf(header, leaf.position);
        bool sound = true;
        if (leaf.position == first) {
            sound = leaf.sessionPriceWei == leaf.priceWei && leaf.sessionRefundWei == leaf.refundWei;
        }
        if (leaf.position == last) {
            sound = sound && leaf.sessionPriceWei == part.drawnWei
                && leaf.sessionRefundWei == part.reservedWei - part.drawnWei;
        }
        _judge(batchId, header, sound, Fault.WrongSum, effectId);
    }

    /// @notice A session's sums do not go on from one task to the next.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param left The outcome of a task.
    /// @param right The outcome of the session's next task.
    /// @param effectId The sender's id of this call.
    function proveWrongSum(
        uint64 batchId,
        BatchHeader calldata header,
        OutcomeAt calldata left,
        OutcomeAt calldata right,
        bytes32 effectId
    ) external {
        header.requireIn(left);
        header.requireIn(right);
        (, uint256 first,) = BatchRules.partOf(header, right.leaf.position);
        if (right.leaf.position == first || uint256(left.leaf.position) + 1 != right.leaf.position) {
            revert BatchSequence.NotNeighbours();
        }
        bool sound = right.leaf.sessionPriceWei == uint256(left.leaf.sessionPriceWei) + right.leaf.priceWei
            && right.leaf.sessionRefundWei == uint256(left.leaf.sessionRefundWei) + right.leaf.refundWei;
        _judge(batchId, header, sound, Fault.WrongSum, effectId);
    }

    /// @notice One task is paid for at two positions of a batch.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param one The outcome at one position.
    /// @param other The outcome at the other.
    /// @param effectId The sender's id of this call.
    function proveDoublePayment(
        uint64 batchId,
        BatchHeader calldata header,
        OutcomeAt calldata one,
        OutcomeAt calldata other,
        bytes32 effectId
    ) external {
        header.requireIn(one);
        header.requireIn(other);
        bool sound = one.leaf.position == other.leaf.position || !_isPaidTwice(one.leaf, other.leaf);
        _judge(batchId, header, sound, Fault.DoublePayment, effectId);
    }

    /// @notice A task is paid for that an earlier batch of the line has paid for.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param outcome The outcome there.
    /// @param earlierId The earlier batch.
    /// @param earlier Its header.
    /// @param before The outcome there.
    /// @param effectId The sender's id of this call.
    function provePaidBefore(
        uint64 batchId,
        BatchHeader calldata header,
        OutcomeAt calldata outcome,
        uint64 earlierId,
        BatchHeader calldata earlier,
        OutcomeAt calldata before,
        bytes32 effectId
    ) external {
        _requireBefore(earlierId, earlier, batchId, header);
        header.requireIn(outcome);
        earlier.requireIn(before);
        _judge(batchId, header, !_isPaidTwice(outcome.leaf, before.leaf), Fault.DoublePayment, effectId);
    }

    // ---------------------------------------------------------------- inside

    /// @dev {Batches} checks that the batch is open to challenges and that the header is its own.
    function _judge(uint64 batchId, BatchHeader calldata header, bool sound, Fault fault, bytes32 effectId) internal {
        if (sound) revert NoFault();
        _markEffect(effectId);
        BATCHES.condemn(batchId, header, fault, msg.sender);
    }

    function _isRevealed(PrecommitLeaf calldata task, RevealLeaf calldata shown) private view returns (bool) {
        uint256 slots = task.precommits.length;
        if (shown.taskId != task.taskId || shown.resultRoots.length != slots || shown.salts.length != slots) {
            return false;
        }
        if (task.miners.length != slots || task.attempts.length != slots) return true;
        for (uint256 i = 0; i < slots; ++i) {
            if (shown.resultRoots[i] == 0) continue;
            bytes32 hash = keccak256(
                abi.encode(
                    block.chainid,
                    address(BATCHES),
                    task.sessionId,
                    task.taskId,
                    task.step,
                    task.attempts[i],
                    task.miners[i],
                    shown.resultRoots[i],
                    shown.salts[i]
                )
            );
            if (hash != task.precommits[i]) return false;
        }
        return true;
    }

    function _all(address[] calldata accounts, Role role) private view returns (bool) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (!REGISTRY.hasRole(accounts[i], role)) return false;
        }
        return true;
    }

    function _requireTask(BatchHeader calldata header, PrecommitAt calldata task, OutcomeAt calldata outcome)
        internal
        pure
    {
        header.requireIn(task);
        header.requireIn(outcome);
        _requireSame(task.leaf.position, outcome.leaf.position);
    }

    function _requireSame(uint256 one, uint256 other) internal pure {
        if (one != other) revert NotSameTask();
    }

    function _requireBefore(uint64 earlierId, BatchHeader calldata earlier, uint64 batchId, BatchHeader calldata header)
        internal
        view
    {
        if (!BATCHES.isBefore(earlierId, earlier, batchId, header)) revert NotBefore(earlierId, batchId);
    }

    function _isPaidTwice(OutcomeLeaf calldata one, OutcomeLeaf calldata other) private pure returns (bool) {
        return one.taskId == other.taskId && one.step == other.step && one.priceWei != 0 && other.priceWei != 0;
    }
}

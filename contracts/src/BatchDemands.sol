// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "./Batches.sol";
import {EffectLog} from "./EffectLog.sol";
import {BatchLeaves} from "./libraries/BatchLeaves.sol";
import {BatchLimits} from "./libraries/BatchLimits.sol";
import {
    BatchHeader,
    BatchState,
    Fault,
    LeafKind,
    OutcomeAt,
    OutcomeLeaf,
    PaymentAt,
    PrecommitAt,
    PrecommitLeaf,
    RevealAt
} from "./types/Batch.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title Leaves that must be shown
/// @notice Whoever is not given a batch's data asks for a leaf on chain. It has to be shown in time, an outcome with its
/// validators' signatures, or the batch is void. Asking costs a deposit that goes to whoever answers.
contract BatchDemands is EffectLog, EIP712 {
    using BatchLeaves for BatchHeader;
    using SafeERC20 for IERC20;

    /// @notice Where a demand stands.
    enum DemandState {
        None,
        Open,
        Answered,
        Closed
    }

    /// @notice A demand: one storage slot.
    struct Demand {
        address asker;
        DemandState state;
        /// Seconds since 1970.
        uint40 answerBy;
    }

    /// @notice A leaf was asked for.
    event LeafDemanded(uint64 indexed batchId, LeafKind kind, uint256 position, address indexed asker, uint40 answerBy);
    /// @notice A leaf was shown; it is in the transaction.
    event LeafShown(uint64 indexed batchId, LeafKind kind, uint256 position, address indexed by);
    /// @notice A demand ended unanswered, and the asker has its deposit back.
    event DemandClosed(uint64 indexed batchId, LeafKind kind, uint256 position);

    /// @notice The tree has no such position.
    error NoSuchPosition(LeafKind kind, uint256 position);
    /// @notice The demand is in another state.
    error WrongDemandState(DemandState state);
    /// @notice Nothing can be demanded of the batch any more.
    error TooLate(uint40 untilAt);
    /// @notice The time to answer is not over, or is.
    error AnswerTime(uint40 answerBy);
    /// @notice The batch can still be answered for.
    error StillPosted(uint64 batchId);
    /// @notice The signatures are not those of the validators that the outcome names, in their order.
    error WrongSignatures(uint256 position);
    /// @notice The leaves are of different tasks.
    error NotSameTask();

    /// @dev `slots` is `keccak256(abi.encode(miners, attempts, precommits))`: what the sets of the verdict are about.
    bytes32 private constant VERDICT_TYPEHASH = keccak256(
        "Verdict(address poster,uint64 sessionId,bytes32 taskId,uint32 step,bytes32 slots,uint8 winner,uint16 honest,uint32 promptTokens,uint32 outputTokens)"
    );

    /// @notice Where the batches are.
    Batches public immutable BATCHES;
    /// @notice The token of deposits.
    IERC20 public immutable COR;

    mapping(bytes32 key => Demand) private _demands;

    /// @param batches Where the batches are.
    constructor(Batches batches) EIP712("pouw batches", "1") {
        BATCHES = batches;
        COR = batches.COR();
    }

    /// @notice Asks for a leaf of a posted batch. Anyone may, once for each leaf, while the batch can be challenged.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param kind The tree.
    /// @param position The leaf's position; also one that only fills up the tree.
    /// @param effectId The sender's id of this call.
    function demand(uint64 batchId, BatchHeader calldata header, LeafKind kind, uint256 position, bytes32 effectId)
        external
    {
        BATCHES.requirePosted(batchId, header);
        if (position >> header.height(kind) != 0) revert NoSuchPosition(kind, position);
        uint40 answerBy = uint40(block.timestamp) + BatchLimits.ANSWER_S;
        uint40 untilAt = answerBy + BatchLimits.ANSWER_S;
        if (untilAt > header.demandsUntil) revert TooLate(header.demandsUntil);
        Demand storage asked = _demands[keyOf(batchId, kind, position)];
        if (asked.state != DemandState.None) revert WrongDemandState(asked.state);
        _markEffect(effectId);
        (asked.asker, asked.state, asked.answerBy) = (msg.sender, DemandState.Open, answerBy);
        emit LeafDemanded(batchId, kind, position, msg.sender, answerBy);
        BATCHES.hold(batchId, untilAt);
        COR.safeTransferFrom(msg.sender, address(this), BatchLimits.DEMAND_WEI);
    }

    /// @notice Shows a task as it was given out. Anyone may, in time.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param task The leaf.
    /// @param effectId The sender's id of this call.
    function showPrecommit(uint64 batchId, BatchHeader calldata header, PrecommitAt calldata task, bytes32 effectId)
        external
    {
        _requireLeaf(header, LeafKind.Precommit, task.leaf.position, BatchLeaves.hash(task.leaf), task.proof);
        _answer(batchId, header, LeafKind.Precommit, task.leaf.position, effectId);
    }

    /// @notice Shows what the miners of a task have shown. Anyone may, in time.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param shown The leaf.
    /// @param effectId The sender's id of this call.
    function showReveal(uint64 batchId, BatchHeader calldata header, RevealAt calldata shown, bytes32 effectId)
        external
    {
        _requireLeaf(header, LeafKind.Reveal, shown.leaf.position, BatchLeaves.hash(shown.leaf), shown.proof);
        _answer(batchId, header, LeafKind.Reveal, shown.leaf.position, effectId);
    }

    /// @notice Shows the outcome of a task with the signatures of its validators. Anyone may, in time.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param task The task as it was given out: whose signatures are needed.
    /// @param outcome The leaf.
    /// @param signatures One of each validator that the outcome names, in their order; none for a position that only
    /// fills up the tree, or an outcome that names none.
    /// @param effectId The sender's id of this call.
    function showOutcome(
        uint64 batchId,
        BatchHeader calldata header,
        PrecommitAt calldata task,
        OutcomeAt calldata outcome,
        bytes[] calldata signatures,
        bytes32 effectId
    ) external {
        uint256 position = outcome.leaf.position;
        _requireLeaf(header, LeafKind.Outcome, position, BatchLeaves.hash(outcome.leaf), outcome.proof);
        if (position < header.tasks) {
            header.requireIn(task);
            if (task.leaf.position != position) revert NotSameTask();
            if (!_isSigned(header.poster, task.leaf, outcome.leaf, signatures)) revert WrongSignatures(position);
        }
        _answer(batchId, header, LeafKind.Outcome, position, effectId);
    }

    /// @notice Shows a payment. Anyone may, in time.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param payment The leaf.
    /// @param effectId The sender's id of this call.
    function showPayment(uint64 batchId, BatchHeader calldata header, PaymentAt calldata payment, bytes32 effectId)
        external
    {
        _requireLeaf(header, LeafKind.Payment, payment.leaf.index, BatchLeaves.hash(payment.leaf), payment.proof);
        _answer(batchId, header, LeafKind.Payment, payment.leaf.index, effectId);
    }

    /// @notice Voids a batch whose leaf was not shown in time; the asker has its deposit back and the challenger's part of
    /// the bond. Anyone may.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param kind The tree.
    /// @param position The leaf's position.
    /// @param effectId The sender's id of this call.
    function proveWithheld(
        uint64 batchId,
        BatchHeader calldata header,
        LeafKind kind,
        uint256 position,
        bytes32 effectId
    ) external {
        Demand storage asked = _open(batchId, kind, position);
        if (block.timestamp <= asked.answerBy) revert AnswerTime(asked.answerBy);
        _markEffect(effectId);
        BATCHES.condemn(batchId, header, Fault.Withheld, asked.asker);
        _close(asked, batchId, kind, position);
    }

    /// @notice Gives an asker its deposit back whose batch is void for another reason. Anyone may.
    /// @param batchId The batch.
    /// @param kind The tree.
    /// @param position The leaf's position.
    /// @param effectId The sender's id of this call.
    function takeBack(uint64 batchId, LeafKind kind, uint256 position, bytes32 effectId) external {
        Demand storage asked = _open(batchId, kind, position);
        if (BATCHES.batchOf(batchId).state != BatchState.Void) revert StillPosted(batchId);
        _markEffect(effectId);
        _close(asked, batchId, kind, position);
    }

    /// @notice A demand; the state is `None` if there is no such demand.
    /// @param batchId The batch.
    /// @param kind The tree.
    /// @param position The leaf's position.
    function demandOf(uint64 batchId, LeafKind kind, uint256 position) external view returns (Demand memory) {
        return _demands[keyOf(batchId, kind, position)];
    }

    /// @notice What a validator signs to attest an outcome.
    /// @param poster Who will post it; a verdict is of no use to another.
    /// @param task The task as it was given out; its position does not matter.
    /// @param outcome The outcome; only winner, honest miners and tokens matter.
    function verdictDigest(address poster, PrecommitLeaf calldata task, OutcomeLeaf calldata outcome)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    VERDICT_TYPEHASH,
                    poster,
                    task.sessionId,
                    task.taskId,
                    task.step,
                    keccak256(abi.encode(task.miners, task.attempts, task.precommits)),
                    outcome.winner,
                    outcome.honest,
                    outcome.promptTokens,
                    outcome.outputTokens
                )
            )
        );
    }

    /// @notice The name of a demand.
    /// @param batchId The batch.
    /// @param kind The tree.
    /// @param position The leaf's position.
    function keyOf(uint64 batchId, LeafKind kind, uint256 position) public pure returns (bytes32) {
        return keccak256(abi.encode(batchId, kind, position));
    }

    function _answer(uint64 batchId, BatchHeader calldata header, LeafKind kind, uint256 position, bytes32 effectId)
        private
    {
        BATCHES.requirePosted(batchId, header);
        Demand storage asked = _open(batchId, kind, position);
        // An answer after its time would leave none to challenge it.
        if (block.timestamp > asked.answerBy) revert AnswerTime(asked.answerBy);
        _markEffect(effectId);
        asked.state = DemandState.Answered;
        emit LeafShown(batchId, kind, position, msg.sender);
        BATCHES.letGo(batchId);
        COR.safeTransfer(msg.sender, BatchLimits.DEMAND_WEI);
    }

    function _close(Demand storage asked, uint64 batchId, LeafKind kind, uint256 position) private {
        asked.state = DemandState.Closed;
        emit DemandClosed(batchId, kind, position);
        COR.safeTransfer(asked.asker, BatchLimits.DEMAND_WEI);
    }

    function _open(uint64 batchId, LeafKind kind, uint256 position) private view returns (Demand storage asked) {
        asked = _demands[keyOf(batchId, kind, position)];
        if (asked.state != DemandState.Open) revert WrongDemandState(asked.state);
    }

    function _requireLeaf(
        BatchHeader calldata header,
        LeafKind kind,
        uint256 position,
        bytes32 leafHash,
        bytes32[] calldata proof
    ) private pure {
        header.requireHash(kind, position, leafHash, proof);
    }

    /// @dev Whether each validator that an outcome names has signed it, in their order.
    function _isSigned(
        address poster,
        PrecommitLeaf calldata task,
        OutcomeLeaf calldata outcome,
        bytes[] calldata signatures
    ) private view returns (bool) {
        bytes32 digest = verdictDigest(poster, task, outcome);
        uint256 next = 0;
        for (uint256 i = 0; i < task.validators.length; ++i) {
            if ((uint256(outcome.voters) >> i) & 1 == 0) continue;
            if (next == signatures.length) return false;
            (address signer, ECDSA.RecoverError failed,) = ECDSA.tryRecover(digest, signatures[next++]);
            if (failed != ECDSA.RecoverError.NoError || signer != task.validators[i]) return false;
        }
        return next == signatures.length;
    }
}

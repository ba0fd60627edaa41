// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchMoney} from "./BatchMoney.sol";
import {Parameters} from "./Parameters.sol";
import {Sessions} from "./Sessions.sol";
import {BatchLeaves} from "./libraries/BatchLeaves.sol";
import {BatchLimits} from "./libraries/BatchLimits.sol";
import {Batch, BatchHeader, BatchState, LeafKind} from "./types/Batch.sol";

/// @title What is kept of batches, and who may look at it
abstract contract BatchStore is BatchMoney {
    mapping(uint64 batchId => Batch) internal _batches;
    /// @dev The batches of a line that can still be challenged, by their place modulo the most there may be.
    mapping(address poster => mapping(uint256 place => uint64 batchId)) internal _posted;

    /// @param sessions Where the money comes from.
    /// @param parameters The shares of a price, and who the treasury is.
    constructor(Sessions sessions, Parameters parameters) BatchMoney(sessions, parameters) {}

    /// @notice A batch as it is stored; the state is `None` if there is no such batch.
    /// @param batchId The batch.
    function batchOf(uint64 batchId) external view returns (Batch memory) {
        return _batches[batchId];
    }

    /// @notice Reverts unless a batch is posted and this is its header.
    /// @param batchId The batch.
    /// @param header Its header.
    function requirePosted(uint64 batchId, BatchHeader calldata header) external view {
        _in(batchId, BatchState.Posted, header);
    }

    /// @notice Whether a batch is of the same poster as another one and before it in the line, neither of them void.
    /// @param earlierId The batch.
    /// @param earlier Its header; of a batch that is not posted it does not matter.
    /// @param laterId The other one.
    /// @param later Its header.
    function isBefore(uint64 earlierId, BatchHeader calldata earlier, uint64 laterId, BatchHeader calldata later)
        external
        view
        returns (bool)
    {
        BatchState state = _batches[earlierId].state;
        if (state != BatchState.Posted && state != BatchState.Final) return false;
        _requireHeader(earlierId, _batches[earlierId], earlier);
        _requireHeader(laterId, _batches[laterId], later);
        return earlier.poster == later.poster && earlier.place < later.place && _counts(earlierId, earlier)
            && _counts(laterId, later);
    }

    /// @notice Whether a posted batch stands in its poster's line; if not it was built on one that is void.
    /// @param batchId The batch.
    /// @param header Its header.
    function stands(uint64 batchId, BatchHeader calldata header) external view returns (bool) {
        _requireHeader(batchId, _batches[batchId], header);
        return _stands(batchId, header);
    }

    /// @notice Whether a leaf is in a batch, whatever its state: so a session shows what its task cost and what it had
    /// back.
    /// @param batchId The batch.
    /// @param header Its header.
    /// @param kind The tree.
    /// @param leafHash The leaf's hash.
    /// @param proof Its proof.
    function isLeaf(
        uint64 batchId,
        BatchHeader calldata header,
        LeafKind kind,
        bytes32 leafHash,
        bytes32[] calldata proof
    ) external view returns (bool) {
        _requireHeader(batchId, _batches[batchId], header);
        BatchLeaves.requireHash(header, kind, 0, leafHash, proof);
        return true;
    }

    function _write(uint64 batchId, BatchState state, uint40 seconds_, BatchHeader memory header) internal {
        _batches[batchId] = Batch({
            state: state,
            dueAt: uint40(block.timestamp) + seconds_,
            demands: 0,
            headerHash: bytes24(keccak256(abi.encode(header)))
        });
    }

    function _requireOwned(uint64 batchId, BatchState state, BatchHeader memory header) internal view {
        Batch storage batch = _batches[batchId];
        if (batch.state != state) revert WrongBatchState(batchId, batch.state);
        if (batch.headerHash != bytes24(keccak256(abi.encode(header)))) revert WrongHeader(batchId);
        if (header.poster != msg.sender) revert NotPoster(batchId, msg.sender);
        if (block.number <= header.postedBlock) revert SameBlock(batchId);
    }

    function _in(uint64 batchId, BatchState state, BatchHeader calldata header)
        internal
        view
        returns (Batch storage batch)
    {
        batch = _batches[batchId];
        if (batch.state != state) revert WrongBatchState(batchId, batch.state);
        _requireHeader(batchId, batch, header);
    }

    /// @dev Whether a batch of this header stands in its poster's line and can still be challenged.
    function _stands(uint64 batchId, BatchHeader calldata header) internal view returns (bool) {
        return _batches[batchId].state == BatchState.Posted && header.place < _lengthOf(header.poster)
            && _posted[header.poster][header.place % BatchLimits.POSTED_MAX] == batchId;
    }

    /// @dev Whether later batches build on this one.
    function _counts(uint64 batchId, BatchHeader calldata header) internal view returns (bool) {
        return _batches[batchId].state == BatchState.Final || _stands(batchId, header);
    }

    function _requireHeader(uint64 batchId, Batch storage batch, BatchHeader calldata header) internal view {
        if (batch.headerHash != bytes24(keccak256(abi.encode(header)))) revert WrongHeader(batchId);
    }

    /// @dev What a final batch can be claimed by.
    function _requireFinal(uint64 batchId, BatchHeader calldata header) internal view override {
        _in(batchId, BatchState.Final, header);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, BatchState, Fault} from "./types/Batch.sol";

/// @title What the batches say
/// @notice Their events and errors.
interface BatchEvents {
    /// @notice A batch began: its precommits are bound. The header is the one that the next call needs; what later calls
    /// change of it is in their events, the block of the event and its time.
    event BatchPrecommitted(uint64 indexed batchId, address indexed poster, bytes32 manifestDigest, BatchHeader header);
    /// @notice A batch's reveals are bound.
    event BatchRevealed(uint64 indexed batchId, bytes32 manifestDigest, bytes32 root);
    /// @notice A batch's outcomes and payments are bound, and it can be challenged from now on.
    event BatchPosted(
        uint64 indexed batchId,
        bytes32 manifestDigest,
        bytes32 outcomeRoot,
        bytes32 paymentRoot,
        uint32 payments,
        uint32 place,
        uint128[] drawnWei
    );
    /// @notice A batch can be claimed from.
    event BatchFinal(uint64 indexed batchId, uint128 drawnWei);
    /// @notice A batch never was. `challenger` is zero where nobody proved anything.
    event BatchVoid(uint64 indexed batchId, Fault fault, address indexed challenger);
    /// @notice Accounts were paid what they had earned by a poster's batches; the token's own events say who got what.
    event BatchClaimed(uint64 indexed batchId, address indexed poster, uint128 amountWei);
    /// @notice A poster put down more of a bond.
    event BondDeposited(address indexed poster, uint128 amountWei);
    /// @notice A poster took some of its bond back.
    event BondWithdrawn(address indexed poster, uint128 amountWei);

    /// @notice Only the deployer may bind the judges.
    error NotDeployer(address account);
    /// @notice The judges are bound for good, and neither is zero.
    error JudgesNotBindable();
    /// @notice Only a judge may do this.
    error NotJudge(address account);
    /// @notice Only an active router may post.
    error NotActiveRouter(address account);
    /// @notice A poster's batches have numbers, so that none is begun twice.
    error WrongNumber(uint32 number, uint32 begun);
    /// @notice Only the batch's poster may do this.
    error NotPoster(uint64 batchId, address account);
    /// @notice The batch is in another state.
    error WrongBatchState(uint64 batchId, BatchState state);
    /// @notice This is not the batch's header.
    error WrongHeader(uint64 batchId);
    /// @notice The next roots of a batch come in a later block.
    error SameBlock(uint64 batchId);
    /// @notice There are none, or more than a batch may have.
    error CountOutOfBounds(uint256 count, uint256 maximum);
    /// @notice The bond that is free is less than what is needed.
    error BondTooLow(uint128 freeWei, uint128 neededWei);
    /// @notice Nothing is nothing to move.
    error EmptyBond();
    /// @notice A session cannot be drawn for more than was set aside.
    error DrawnTooMuch(uint64 sessionId, uint128 drawnWei, uint128 reservedWei);
    /// @notice It is not time for this.
    error NotDue(uint64 batchId, uint40 dueAt);
    /// @notice Demands are open.
    error DemandsOpen(uint64 batchId, uint256 demands);
    /// @notice Batches become final in the order of their poster's line.
    error NotNext(uint64 batchId);
    /// @notice The batch stands in its poster's line.
    error NotOrphan(uint64 batchId);
    /// @notice The account has earned nothing by this that it was not paid before.
    error NothingToClaim(address account);
    /// @notice More was claimed than the poster's batches have drawn.
    error FundsExceeded(uint128 fundsWei, uint128 amountWei);
    /// @notice Each leaf needs a proof.
    error ProofMissing();
}

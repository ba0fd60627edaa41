// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Share} from "./Session.sol";

/// @notice Where a batch stands.
/// @custom:variant Precommitted Its precommits are bound; the reveals come next.
/// @custom:variant Revealed Its reveals are bound; outcomes and payments come next.
/// @custom:variant Posted All is bound and can be challenged.
/// @custom:variant Final Its payments can be claimed.
/// @custom:variant Void It never was; the sessions have their money back.
enum BatchState {
    None,
    Precommitted,
    Revealed,
    Posted,
    Final,
    Void
}

/// @notice The trees of a batch.
enum LeafKind {
    Precommit,
    Reveal,
    Outcome,
    Payment
}

/// @notice Why a batch is void.
enum Fault {
    /// The poster did not post the next roots in time. Not proven, just late.
    Late,
    /// It was built on a batch that is void. No fault of its own.
    Orphan,
    BadAssignment,
    WrongReveal,
    WrongOutcome,
    WrongSum,
    WrongPayment,
    MissingPayment,
    WrongOrder,
    WrongEarnings,
    DoublePayment,
    Withheld
}

/// @notice A batch in storage: one slot. Everything else about it is in its header, which every call brings along.
struct Batch {
    BatchState state;
    /// Seconds since 1970: until then the next roots are due; once posted, until then it can be challenged for sure.
    uint40 dueAt;
    /// Demands that are not answered.
    uint16 demands;
    /// The first 24 bytes of the header's hash. Two headers with the same ones take some 2^96 tries.
    bytes24 headerHash;
}

/// @notice What a poster asks of one session.
struct SessionShare {
    uint64 sessionId;
    /// Tasks of the session; those of the first session have the first positions, and so on.
    uint16 tasks;
    /// What to set aside for them: the sum of their highest prices.
    uint128 reservedWei;
}

/// @notice One session's part of a batch, with what of its terms holds for all its tasks in the batch.
struct SessionPart {
    uint64 sessionId;
    uint16 tasks;
    uint8 minMiners;
    uint8 redundancy;
    uint8 validators;
    uint8 level;
    uint128 maxTaskPriceWei;
    uint128 promptTokenWei;
    uint128 outputTokenWei;
    uint128 reservedWei;
    /// What its tasks cost, once posted.
    uint128 drawnWei;
}

/// @notice How prices of a batch are divided, in ten-thousandths, as it was when the batch began.
struct BatchRates {
    address treasury;
    uint16 minersBps;
    uint16 validatorsBps;
    uint16 routerBps;
}

/// @notice All about a batch that its leaves are checked against. Only its hash is stored.
struct BatchHeader {
    address poster;
    /// The sum over the sessions.
    uint16 tasks;
    /// Payments in the last tree.
    uint32 payments;
    /// Its place in the line of its poster, once posted.
    uint32 place;
    /// The block of the newest roots.
    uint64 postedBlock;
    /// Seconds since 1970 at which, once posted, nothing can be demanded any more.
    uint40 demandsUntil;
    uint128 bondWei;
    bytes32 precommitRoot;
    bytes32 revealRoot;
    bytes32 outcomeRoot;
    bytes32 paymentRoot;
    BatchRates rates;
    SessionPart[] sessions;
}

/// @notice A poster's own books: one storage slot.
struct Line {
    /// What its final batches have drawn and nobody has claimed.
    uint96 fundsWei;
    /// The part of its bond that no batch is holding.
    uint80 freeBondWei;
    /// Batches it has begun.
    uint32 begun;
    /// Batches that stand in the line; the next one has this place.
    uint32 length;
    /// The last of them that are not final.
    uint8 pending;
}

/// @notice A task as it was given out, and what its miners bound themselves to.
struct PrecommitLeaf {
    uint16 position;
    uint64 sessionId;
    bytes32 taskId;
    uint32 step;
    uint128 maxPriceWei;
    address[] miners;
    uint8[] attempts;
    bytes32[] precommits;
    address[] validators;
}

/// @notice What the miners showed, by slot; zero where one did not.
struct RevealLeaf {
    uint16 position;
    bytes32 taskId;
    bytes32[] resultRoots;
    bytes32[] salts;
}

/// @notice How a task ended and what that costs. Sets are one bit for each miner or validator of the task.
struct OutcomeLeaf {
    uint16 position;
    bytes32 taskId;
    uint32 step;
    /// The winner's slot.
    uint8 winner;
    /// The miners to pay; none where the task failed.
    uint16 honest;
    /// The validators that signed this.
    uint16 voters;
    uint32 promptTokens;
    uint32 outputTokens;
    uint128 priceWei;
    /// The rest of the highest price, which the session has back.
    uint128 refundWei;
    /// The prices of the session's tasks up to this one.
    uint128 sessionPriceWei;
    /// The refunds of the session's tasks up to this one.
    uint128 sessionRefundWei;
}

/// @notice One payment. All of a batch are in the order of account, position and share.
struct PaymentLeaf {
    uint32 index;
    address account;
    uint16 position;
    Share share;
    uint128 amountWei;
    /// All that the account has earned by its poster's batches up to this payment.
    uint128 accountTotalWei;
    /// The payments of the batch up to this one.
    uint128 batchTotalWei;
    /// The last earlier batch of the poster that paid the account; zero where there is none.
    uint64 sinceBatch;
}

/// @notice A leaf with its proof.
struct PrecommitAt {
    PrecommitLeaf leaf;
    bytes32[] proof;
}

/// @notice A leaf with its proof.
struct RevealAt {
    RevealLeaf leaf;
    bytes32[] proof;
}

/// @notice A leaf with its proof.
struct OutcomeAt {
    OutcomeLeaf leaf;
    bytes32[] proof;
}

/// @notice A leaf with its proof.
struct PaymentAt {
    PaymentLeaf leaf;
    bytes32[] proof;
}

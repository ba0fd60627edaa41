// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where a session stands.
enum SessionState {
    None,
    Open,
    Draining,
    Closed
}

/// @notice The rules of a session. Fields and order are those of `SessionTerms` in `src/ports/chain.ts`.
struct Terms {
    /// The model's id.
    string model;
    /// k: miners per task.
    uint8 redundancy;
    /// Validators per task.
    uint8 validators;
    /// Cosine similarity from which two answers agree, in ten-thousandths.
    uint16 similarityBps;
    /// The validation level; at 0 nobody attests.
    uint8 level;
    /// Whether a listed router may submit in the client's name.
    bool routerMaySubmit;
    uint128 maxTaskPriceWei;
    uint128 promptTokenWei;
    uint128 outputTokenWei;
    /// Seconds a submitted task may wait for its miners.
    uint24 queueTimeoutS;
    /// Seconds a miner may take to acknowledge.
    uint24 ackTimeoutS;
    /// Seconds from acknowledgement to precommit.
    uint24 executeTimeoutS;
    /// Seconds from the last precommit to the reveal.
    uint24 revealTimeoutS;
    /// Seconds from the last reveal to the attestations.
    uint24 validateTimeoutS;
    address[] routers;
    /// The only miners allowed; empty for anyone.
    address[] dedicatedMiners;
}

/// @notice A session in storage: four slots. The model and the two lists are in the `SessionOpened` event; whether an
/// account is on a list is kept beside it.
struct Session {
    address owner;
    SessionState state;
    bool routerMaySubmit;
    bool dedicated;
    uint8 redundancy;
    uint8 validators;
    uint8 level;
    uint16 similarityBps;
    uint128 balanceWei;
    uint128 escrowedWei;
    uint128 maxTaskPriceWei;
    uint24 queueTimeoutS;
    uint24 ackTimeoutS;
    uint24 executeTimeoutS;
    uint24 revealTimeoutS;
    uint24 validateTimeoutS;
    uint128 promptTokenWei;
    uint128 outputTokenWei;
}

/// @notice What the queue needs of a session's terms to run one task, and what was escrowed for it.
struct TaskRules {
    uint128 escrowWei;
    uint24 queueTimeoutS;
    uint24 ackTimeoutS;
    uint24 executeTimeoutS;
    uint24 revealTimeoutS;
    uint24 validateTimeoutS;
    uint8 redundancy;
    uint8 validators;
    uint8 level;
    bool dedicated;
}

/// @notice What a payment is for. The order is that of `Payment.role` in `src/ports/chain.ts`.
enum Share {
    Miner,
    Validator,
    Router,
    Oracle,
    Treasury
}

/// @notice One payment of a settlement.
struct Payment {
    address to;
    Share role;
    uint128 amountWei;
}

/// @notice The sessions' money. `depositedWei = balanceWei + escrowedWei + paidWei + refundedWei` at every block, and
/// the contract holds `balanceWei + escrowedWei + unclaimedWei` in tokens.
struct SessionTotals {
    uint128 depositedWei;
    uint128 balanceWei;
    uint128 escrowedWei;
    uint128 paidWei;
    uint128 refundedWei;
    uint128 unclaimedWei;
}

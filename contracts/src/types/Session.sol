// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where a session stands.
enum SessionState {
    None,
    Open,
    Draining,
    Closed,
    /// Takes no new tasks until its owner wants some again; its money stays.
    Inactive
}

/// @notice Which miners a session lets work for it.
enum PoolMode {
    /// Any active miner.
    Ephemeral,
    /// Those of its list and nobody else.
    Dedicated
}

/// @notice How the tasks of a session are settled.
enum SettlementMode {
    PerTask,
    Batched
}

/// @notice The rules of a session. Fields and order are those of `SessionTerms` in `src/core/chain-fact.ts`.
struct Terms {
    /// The model's id; an update cannot change it.
    string model;
    /// k: miners per task.
    uint8 redundancy;
    /// The fewest miners a task may run with when k cannot be had; 1 to k.
    uint8 minMiners;
    /// The most miners in the session's pool, dedicated or reserved; k or more.
    uint8 maxMiners;
    /// Validators per task.
    uint8 validators;
    /// Cosine similarity from which two answers agree, in ten-thousandths.
    uint16 similarityBps;
    /// The validation level; at 0 nobody attests.
    uint8 level;
    PoolMode mode;
    SettlementMode settlement;
    /// Whether a listed router may submit in the client's name.
    bool routerMaySubmit;
    uint128 maxTaskPriceWei;
    uint128 promptTokenWei;
    uint128 outputTokenWei;
    /// What a miner is paid for being reserved for one period.
    uint128 reserveFeeWei;
    /// How many tasks the session may ever submit; 0 for any number.
    uint32 taskLimit;
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
    /// Seconds in which an outcome may be appealed; 0 for no appeal.
    uint24 appealWindowS;
    /// Seconds a miner is reserved for; 0 where nobody is.
    uint24 reservePeriodS;
}

/// @notice A session in storage: what a submission reads and writes is in the first three slots. What its tasks run
/// under is kept for each version of its terms; the model is in the `SessionOpened` event.
struct Session {
    address owner;
    SessionState state;
    /// The newest version of the terms, from 1.
    uint32 version;
    bool routerMaySubmit;
    uint24 queueTimeoutS;
    /// The model by its number.
    uint24 model;
    // The second slot. No amount of $COR needs more than 96 bits.
    uint96 balanceWei;
    uint96 escrowedWei;
    /// Tasks ever submitted.
    uint32 taskCount;
    uint32 taskLimit;
    // The third slot.
    uint128 maxTaskPriceWei;
    uint128 reserveFeeWei;
    // The fourth: who may become the owner.
    address pendingOwner;
}

/// @notice A signed approval of $COR, as ERC-2612 has it.
struct Permit {
    /// Seconds since 1970 until which it is good.
    uint256 deadline;
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @notice A session as the view returns it; the terms are those of its newest version.
struct SessionRecord {
    address owner;
    /// Who may accept the session; zero for nobody.
    address pendingOwner;
    SessionState state;
    uint32 version;
    bool routerMaySubmit;
    uint24 model;
    uint128 balanceWei;
    uint128 escrowedWei;
    uint128 maxTaskPriceWei;
    uint128 reserveFeeWei;
    uint32 taskCount;
    uint32 taskLimit;
    uint256 routerCount;
    uint256 dedicatedCount;
}

/// @notice What one version of a session's terms says about its tasks: one slot, which the queue reads where it needs it.
struct TaskRules {
    uint24 queueTimeoutS;
    uint24 ackTimeoutS;
    uint24 executeTimeoutS;
    uint24 revealTimeoutS;
    uint24 validateTimeoutS;
    uint24 appealWindowS;
    uint24 reservePeriodS;
    uint16 similarityBps;
    uint8 redundancy;
    uint8 minMiners;
    uint8 maxMiners;
    uint8 validators;
    uint8 level;
    PoolMode mode;
    SettlementMode settlement;
}

/// @notice What one version of a session's terms pays per token: one slot.
struct TokenPrices {
    uint128 promptTokenWei;
    uint128 outputTokenWei;
}

/// @notice What was set aside for a task, and what it runs under.
struct Escrow {
    uint128 escrowWei;
    /// The version of the terms that holds for the task to its end.
    uint32 version;
    /// The multiplier of the task's price, in millionths, that holds for the task to its end.
    uint32 demandPpm;
    uint24 queueTimeoutS;
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

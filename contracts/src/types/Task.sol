// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where a task stands.
enum TaskState {
    None,
    Queued,
    Assigned,
    Executing,
    Precommitted,
    Committed,
    Validated,
    Settled,
    Refunded
}

/// @notice Where one miner's part of a task stands.
enum SlotState {
    None,
    Assigned,
    Acked,
    Precommitted,
    Revealed,
    Dropped
}

/// @notice Why a task ended without payment.
enum RefundReason {
    Cancelled,
    Expired,
    Exhausted
}

/// @notice One miner's part of a task: two storage slots.
struct Slot {
    address miner;
    /// How often this slot was given to another miner.
    uint8 attempt;
    SlotState state;
    /// Seconds since 1970: `ackBy` while assigned, `precommitBy` once acked.
    uint40 dueBy;
    bytes32 precommit;
}

/// @notice A validator of a task and what it attested: exactly one storage slot.
struct Ballot {
    address validator;
    bool cast;
    /// The winner's slot.
    uint8 winner;
    /// The honest slots, one bit each.
    uint16 honest;
    uint32 promptTokens;
    uint32 outputTokens;
}

/// @notice A task in storage. The terms it runs under are copied in at submission, so that no later step has to read
/// the session; everything most steps touch is in the first slot.
struct Task {
    uint64 sessionId;
    TaskState state;
    uint8 level;
    uint8 slotCount;
    uint8 liveCount;
    uint8 precommitCount;
    uint8 revealCount;
    uint8 ballotCount;
    uint8 castCount;
    /// The ballot whose outcome stands, once validated at level 1 and above.
    uint8 decidingBallot;
    uint40 submittedBlock;
    /// Seconds since 1970: `revealBy` while precommitted, `attestBy` while committed.
    uint40 phaseBy;
    /// Seconds since 1970 after which anyone may expire the task.
    uint40 expireBy;
    // The second slot.
    uint128 escrowWei;
    uint24 ackTimeoutS;
    uint24 executeTimeoutS;
    uint24 revealTimeoutS;
    uint24 validateTimeoutS;
    uint8 redundancy;
    uint8 validators;
    uint8 minMiners;
    bool dedicated;
    // The third: the version of the session's terms, the demand it is priced at, and who assigned it.
    uint32 version;
    uint32 demandPpm;
    address router;
    // The fourth: the last oracle that acted on it.
    address oracle;
    /// Miners that were replaced.
    address[] replaced;
    Slot[16] slots;
    Ballot[16] ballots;
}

/// @notice What was found about a task's results.
struct Outcome {
    uint8 winner;
    uint16 honest;
    uint32 promptTokens;
    uint32 outputTokens;
}

/// @notice A task, as the view returns it.
struct TaskRecord {
    uint64 sessionId;
    TaskState state;
    /// The version of the session's terms it runs under.
    uint32 version;
    /// The multiplier of its price, in millionths.
    uint32 demandPpm;
    uint128 escrowWei;
    uint40 submittedBlock;
    uint40 phaseBy;
    uint40 expireBy;
    address router;
    address oracle;
    Slot[] slots;
    Ballot[] ballots;
    address[] replaced;
}

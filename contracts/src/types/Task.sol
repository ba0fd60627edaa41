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
    Exhausted,
    /// A task that it was to come after ended without pay itself.
    ParentFailed
}

/// @notice Whether what validators found stands.
/// @custom:variant Immediate It stands at once: the session's terms have no appeal window.
/// @custom:variant Appealable It may be appealed, and is settled once `phaseBy` has passed.
/// @custom:variant Appealed More validators are asked, and it is settled once they have ruled or `phaseBy` has passed.
/// @custom:variant Ruled It stands for good.
enum Finality {
    Immediate,
    Appealable,
    Appealed,
    Ruled
}

/// @notice How the miners of a task were found.
/// @custom:variant Drawn By weight and beacon; the queue computes the draw and takes no other choice.
/// @custom:variant FirstCome They came by themselves; validators are drawn all the same.
enum Scheme {
    Drawn,
    FirstCome
}

/// @notice A task in storage for good: exactly one slot. All else about it is in a {Round}, whose storage the session
/// uses again.
struct Task {
    uint32 sessionId;
    uint32 submittedBlock;
    /// Seconds since 1970 after which anyone may expire the task.
    uint32 expireBy;
    uint96 escrowWei;
    /// The version of the session's terms that it runs under.
    uint16 version;
    TaskState state;
    /// Which step it is at, from 0.
    uint8 step;
    /// Which of the session's lanes its round is in.
    uint8 lane;
    /// The multiplier of its price, in hundred-thousandths: what the session said in millionths, rounded down, because
    /// 24 bits are left.
    uint24 demandE5;
}

/// @notice The work on one task at a time, in a lane of its session. Nodes are named by their numbers in the registry.
struct Round {
    /// Zero while the lane is free; else one more than how many miners were replaced.
    uint8 taken;
    uint8 slotCount;
    uint8 liveCount;
    /// Live slots that have done their part of the phase.
    uint8 doneCount;
    uint8 validatorCount;
    /// Opinions beside the first.
    uint8 dissentCount;
    /// Who assigned it.
    uint32 router;
    /// The last oracle that acted on it.
    uint32 oracle;
    /// Seconds since 1970: `revealBy` while precommitted, `attestBy` while committed; once validated and not final, after
    /// which the task may be settled.
    uint32 phaseBy;
    Finality finality;
    // What the first validator found, and once validated what stands; with what is above exactly one storage slot.
    uint8 winner;
    uint16 honest;
    uint16 voters;
    uint32 promptTokens;
    uint32 outputTokens;
    /// The miners: three {Seat}s to a word.
    uint256[6] seats;
    /// The validators: eight to a word.
    uint32[16] validators;
    bytes32[16] precommits;
    /// Miners that were replaced: eight to a word.
    uint32[80] gone;
    /// What validators found that do not agree with the first.
    Opinion[16] dissent;
}

/// @notice What was found about a task's results, and by whom. Sets of slots and of validators are one bit each.
struct Opinion {
    /// The winner's slot.
    uint8 winner;
    uint16 honest;
    uint16 voters;
    uint32 promptTokens;
    uint32 outputTokens;
}

/// @notice What a round keeps of a miner: 80 bits.
struct Seat {
    uint32 node;
    /// How often this slot was given to another miner.
    uint8 attempt;
    SlotState state;
    /// Seconds since 1970: `ackBy` while assigned, `precommitBy` once acked.
    uint32 dueBy;
}

// ---------------------------------------------------------------- what callers bring

/// @notice A signature as ERC-2098 has it; all zero where there is none.
struct Signature {
    bytes32 r;
    bytes32 vs;
}

/// @notice A choice of miners and validators. A candidate is one word: its address, then its weight in 96 bits.
struct Draw {
    Scheme scheme;
    /// A lane of the session that should be free; the next free one is taken.
    uint8 lane;
    /// A block after the submission's whose hash seeded the draw.
    uint64 beaconBlock;
    bytes32 beacon;
    /// The digest of the selection's proof.
    bytes32 selectionDigest;
    /// The candidates in order of address; where miners came first, those that came, in their order.
    uint256[] miners;
    /// The candidates for validators, in order of address.
    uint256[] validators;
}

/// @notice Who a draw gives a task to: accounts, and their numbers in the registry in the same order.
struct Chosen {
    address[] miners;
    address[] validators;
    uint32[] minerNumbers;
    uint32[] validatorNumbers;
}

/// @notice A precommit that somebody else carries.
struct CarriedPrecommit {
    uint8 slot;
    bytes32 hash;
    Signature signature;
}

/// @notice A result that is shown; the precommit is its proof.
struct CarriedReveal {
    uint8 slot;
    bytes32 resultRoot;
    bytes32 salt;
    bytes32 resultDigest;
}

/// @notice What was found about a task's results.
struct Outcome {
    /// The winner's slot.
    uint8 winner;
    /// The slots to pay, one bit each.
    uint16 honest;
    uint32 promptTokens;
    uint32 outputTokens;
}

/// @notice What the appeals say of a validated task.
struct Amendment {
    /// `Appealed` or `Ruled`; what follows the next is taken of a ruling only.
    Finality finality;
    /// Seconds since 1970 until which the task is not settled.
    uint32 settleAfter;
    uint8 winner;
    uint16 honest;
    /// The validators of the assignment that found the same, one bit each.
    uint16 voters;
    uint32 promptTokens;
    uint32 outputTokens;
}

/// @notice A validator's word for an outcome that somebody else carries.
struct CarriedAttestation {
    /// The validator's place in the assignment.
    uint8 validator;
    bytes32 reportDigest;
    Signature signature;
}

// ---------------------------------------------------------------- what views return

/// @notice One miner's part of a task.
struct Slot {
    address miner;
    uint8 attempt;
    SlotState state;
    uint40 dueBy;
    bytes32 precommit;
}

/// @notice A validator of a task and what it attested.
struct Ballot {
    address validator;
    bool cast;
    uint8 winner;
    uint16 honest;
    uint32 promptTokens;
    uint32 outputTokens;
}

/// @notice A task, as the view returns it. Of one that waits or has ended there is no round: the last ten are empty.
struct TaskRecord {
    uint64 sessionId;
    TaskState state;
    uint16 version;
    uint8 step;
    uint8 lane;
    /// The multiplier of its price, in millionths.
    uint32 demandPpm;
    uint128 escrowWei;
    uint40 submittedBlock;
    uint40 expireBy;
    uint40 phaseBy;
    address router;
    address oracle;
    /// What stands, once validated.
    Outcome outcome;
    Slot[] slots;
    Ballot[] ballots;
    address[] replaced;
    /// Whether the outcome stands, or while committed will.
    Finality finality;
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Who gets which part of a price, in ten-thousandths, and who has to agree: one storage slot. The treasury
/// gets what is left of all.
struct Shares {
    address treasury;
    /// Of the honest miners together.
    uint16 minersBps;
    /// Of the validators together that attested the outcome.
    uint16 validatorsBps;
    /// Of the router that assigned the task.
    uint16 routerBps;
    /// Of the last oracle that acted on the task.
    uint16 oracleBps;
    /// An outcome or a checkpoint stands when more than this part of those asked agree.
    uint16 quorumBps;
    /// A challenger's part of what its challenge takes from a stake.
    uint16 challengerBps;
}

/// @notice What a fault costs: one storage slot.
struct Slashes {
    /// What an outlier loses.
    uint72 outlierWei;
    /// What a node loses that precommitted and never revealed.
    uint72 unrevealedWei;
    /// What a validator loses that attested what the final outcome contradicts.
    uint72 contradictedWei;
    /// Seconds a node takes no new work after a fault.
    uint32 coolDownS;
}

/// @notice What a node must have staked to be active, by role, and how it comes and goes: two storage slots.
struct Stakes {
    uint80 clientWei;
    uint80 routerWei;
    uint80 minerWei;
    uint80 validatorWei;
    uint80 oracleWei;
    /// Seconds a stake stays slashable after its owner asked for it.
    uint32 unbondingS;
    /// The set of {Roles} that only authorised accounts may have; none where the network is open.
    uint8 closedRoles;
}

/// @notice Batches: one storage slot.
struct Batching {
    /// What a router must have staked above its minimum to post.
    uint96 posterBondWei;
    /// Seconds in which a batch can be challenged.
    uint32 challengeWindowS;
    /// Seconds in which a poster has to show what it is asked for.
    uint32 answerWindowS;
}

/// @notice Appeals and lateness: one storage slot.
struct Appeals {
    /// What an appeal has to put down.
    uint96 bondWei;
    /// The longest time in seconds for which a session's terms may let outcomes be appealed.
    uint32 windowMaxS;
    /// Seconds after a missed deadline in which only oracles reassign; then anyone may.
    uint32 graceS;
}

/// @notice How a model's price follows the demand for it: one storage slot.
struct Demand {
    /// Below this use the multiplier falls.
    uint16 bandLowBps;
    /// Above this use it rises.
    uint16 bandHighBps;
    /// How far it moves in one period, at most.
    uint16 stepBps;
    /// How low it falls.
    uint32 floorBps;
    /// How high it rises.
    uint32 ceilingBps;
    /// Seconds over which use is measured.
    uint32 periodS;
}

/// @notice All numbers of the economy, as a deployment starts with them.
struct Economy {
    Shares shares;
    Slashes slashes;
    Stakes stakes;
    Batching batching;
    Appeals appeals;
    Demand demand;
    /// By level, 0 to 10: the highest weight a candidate may have in a selection, in thousandths. Never falling.
    uint16[11] maxWeights;
}

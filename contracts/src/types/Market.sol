// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The demand for one model in storage: a slot that every task touches, and one that money coming and going does.
struct Market {
    /// The multiplier, in 10^-12.
    uint64 multiplier;
    /// Seconds since 1970 when the period ends.
    uint40 endsAt;
    /// What was paid for in the period, at base prices.
    uint96 workWei;
    /// Tasks that have begun and not ended.
    uint32 unfinished;
    /// Miners that count for the model.
    uint24 minerCount;
    // The second slot: what is in its sessions, as far as the periods that are over say.
    uint256 fundsWei;
}

/// @notice What a model has and what it is going to need.
struct Forecast {
    /// The multiplier of its prices, in millionths.
    uint32 demandPpm;
    /// How much of its capacity was used in the period that runs or ended last, in ten-thousandths.
    uint256 useBps;
    /// The miners that count for it.
    uint32 minerCount;
    /// The miners that deposits and unfinished tasks ask for.
    uint256 requiredMiners;
    uint32 unfinishedTasks;
    uint256 fundsWei;
}

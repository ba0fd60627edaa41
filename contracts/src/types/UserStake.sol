// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What an account has staked for its use of the network.
struct UserStake {
    uint128 amountWei;
    /// What may be used of the pool, as of `grownAt`.
    uint128 grownWei;
    // The second slot, in seconds since 1970.
    uint40 grownAt;
    /// When the stake can be taken back; zero where it was not asked for.
    uint40 unlocksAt;
}

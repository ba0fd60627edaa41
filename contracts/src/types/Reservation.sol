// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A miner that is kept for a session: one slot.
struct Reservation {
    /// What was set aside for it.
    uint128 feeWei;
    /// Seconds since 1970.
    uint40 since;
    uint40 reservedUntil;
}

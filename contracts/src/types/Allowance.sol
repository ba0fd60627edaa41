// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What an owner signs: how much a router may escrow of a session.
struct Allowance {
    address owner;
    uint64 sessionId;
    address router;
    /// Of all tasks together.
    uint96 limitWei;
    /// Of one task.
    uint96 taskLimitWei;
    /// Seconds since 1970.
    uint40 goodUntil;
    /// Any number that the owner has not used.
    uint256 nonce;
}

/// @notice What a router may still spend: two slots.
struct Grant {
    address owner;
    uint40 goodUntil;
    // The second slot.
    uint96 leftWei;
    uint96 taskLimitWei;
}

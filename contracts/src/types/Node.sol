// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a node is. The order is that of `roles` in `src/core/ids.ts`, from 1. A node may be several things at
/// a time: a set of roles is a `uint8` with the bits of {Roles}.
enum Role {
    None,
    Client,
    Router,
    Miner,
    Validator,
    Oracle
}

/// @notice Where a node stands.
/// @custom:variant None It never registered.
/// @custom:variant Active It takes new work.
/// @custom:variant Draining It takes no new work and finishes what it has.
/// @custom:variant Left It asked for its stake, which can still be slashed until the unbonding delay is over.
enum NodeState {
    None,
    Active,
    Draining,
    Left
}

/// @notice Why stake was taken.
/// @custom:variant Outlier The miner revealed a result that the validators did not find honest.
/// @custom:variant Unrevealed The miner precommitted and never revealed.
/// @custom:variant Contradicted The validator attested what the final outcome contradicts.
/// @custom:variant Fraudulent What was posted was proven wrong.
/// @custom:variant Withheld What was posted was not shown when it was asked for.
/// @custom:variant Absent The node did not do what it was drawn for.
enum SlashReason {
    Outlier,
    Unrevealed,
    Contradicted,
    Fraudulent,
    Withheld,
    Absent
}

/// @notice Whether a router serves an account.
/// @custom:variant Unlisted The router did not say; its general rule holds.
/// @custom:variant Served It does.
/// @custom:variant Refused It does not.
enum Access {
    Unlisted,
    Served,
    Refused
}

/// @notice A registered node, as the views return it.
struct NodeRecord {
    address node;
    /// Its number, from 1 in the order of registration; zero where it never registered.
    uint32 number;
    /// A set of {Roles}.
    uint8 roles;
    NodeState state;
    /// 0 to 10, by its reputation.
    uint8 level;
    bytes32 key;
    uint128 stakeWei;
    /// Seconds since 1970 until which it takes no new work after a fault.
    uint40 coolUntilAt;
    /// Seconds since 1970 from which the stake may be withdrawn; zero when that was not asked for.
    uint40 unbondsAt;
}

/// @notice The registry's money. `depositedWei = stakedWei + withdrawnWei + slashedWei` at every block, and the
/// registry holds `stakedWei + unclaimedWei` in tokens.
struct RegistryTotals {
    uint128 depositedWei;
    uint128 stakedWei;
    uint128 withdrawnWei;
    uint128 slashedWei;
    /// What was slashed and not yet taken out: the treasury's part and the rewards of challengers.
    uint128 unclaimedWei;
}

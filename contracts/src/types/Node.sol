// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a node is. The order is that of `roles` in `src/core/ids.ts`, from 1.
enum Role {
    None,
    Client,
    Router,
    Miner,
    Validator,
    Oracle
}

/// @notice Why stake was taken.
/// @custom:variant Outlier The miner revealed a result that the validators did not find honest.
/// @custom:variant Unrevealed The miner precommitted and never revealed.
enum SlashReason {
    Outlier,
    Unrevealed
}

/// @notice A registered node, as the views return it.
struct NodeRecord {
    address node;
    Role role;
    bytes32 key;
    uint128 stakeWei;
    bool active;
    /// Seconds since 1970 from which the stake may be withdrawn; zero when that was not asked for.
    uint40 unbondsAt;
}

/// @notice The registry's money. `depositedWei = stakedWei + withdrawnWei + slashedWei` at every block, and the
/// registry holds `stakedWei + slashedWei` in tokens.
struct RegistryTotals {
    uint128 depositedWei;
    uint128 stakedWei;
    uint128 withdrawnWei;
    uint128 slashedWei;
}

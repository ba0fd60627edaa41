// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../types/Node.sol";

/// @title Rates of the economy
/// @notice How a price is split, what a role must stake and what a fault costs.
library Rates {
    /// @dev The miners' share of a price, in basis points, split equally among the honest.
    uint256 internal constant MINERS_BPS = 8000;
    /// @dev The share of the validators that attested the outcome.
    uint256 internal constant VALIDATORS_BPS = 800;
    /// @dev The share of the router that assigned the task.
    uint256 internal constant ROUTER_BPS = 700;
    /// @dev The share of the last oracle that acted on the task. The treasury gets what is left of all.
    uint256 internal constant ORACLE_BPS = 200;

    /// @dev What an outlier loses.
    uint128 internal constant OUTLIER_SLASH_WEI = 10 ether;
    /// @dev What a miner loses that precommitted and never revealed.
    uint128 internal constant UNREVEALED_SLASH_WEI = 20 ether;

    /// @dev What a node of a role must have staked to be active.
    function minimumStakeWei(Role role) internal pure returns (uint128) {
        if (role == Role.Router) return 500 ether;
        if (role == Role.Miner) return 100 ether;
        if (role == Role.Validator || role == Role.Oracle) return 200 ether;
        return 0;
    }
}

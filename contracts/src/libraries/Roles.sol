// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../types/Node.sol";

/// @title Sets of roles
/// @notice One bit each, in the order of {Role}.
library Roles {
    uint8 internal constant CLIENT = 1;
    uint8 internal constant ROUTER = 2;
    uint8 internal constant MINER = 4;
    uint8 internal constant VALIDATOR = 8;
    uint8 internal constant ORACLE = 16;
    /// @dev Every role there is.
    uint8 internal constant ALL = 31;

    /// @dev The set of one role; empty for `None`.
    function bit(Role role) internal pure returns (uint8) {
        // forge-lint: disable-next-line(unsafe-typecast, incorrect-shift) at most 32, halved; 1 is what moves
        return uint8((1 << uint256(role)) >> 1);
    }

    /// @dev Whether a set has a role.
    function has(uint8 roles, Role role) internal pure returns (bool) {
        return roles & bit(role) != 0;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../types/Node.sol";

/// @title What a draw needs of the registry
interface ActiveNodes {
    /// @notice Whether an account is an active node of a role.
    /// @param account The account.
    /// @param role The role.
    function isActive(address account, Role role) external view returns (bool);
}

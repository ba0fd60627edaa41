// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a module may do to the contract that binds it
/// @notice One bit each; a module has those that it needs and no others.
library Powers {
    /// @dev Take stake in the registry.
    uint8 internal constant SLASH = 1;
    /// @dev Keep a node from new work for a while.
    uint8 internal constant COOL_DOWN = 2;
    /// @dev Set a node's level.
    uint8 internal constant SET_LEVEL = 4;
    /// @dev Set a session's money aside for a task and pay from it.
    uint8 internal constant ESCROW = 8;
    /// @dev Draw from a session for a batch of tasks.
    uint8 internal constant DRAW = 16;
    /// @dev Tell the prices of tasks and count what is spent: the sessions' own helpers.
    uint8 internal constant PRICE = 32;
    /// @dev Set a session's money aside for a reservation and pay from it.
    uint8 internal constant RESERVE = 64;
}

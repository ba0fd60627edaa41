// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What rewards need of the network sessions
interface IdleWork {
    /// @notice The credits of a node in an epoch.
    /// @param epoch The epoch.
    /// @param node The node.
    function creditsOf(uint64 epoch, address node) external view returns (uint64);
}

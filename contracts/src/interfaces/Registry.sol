// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role, SlashReason} from "../types/Node.sol";

/// @title What reputation, rewards and network sessions need of the registry
/// @notice The part of it that they read and, where it has bound them, write.
interface Registry {
    /// @notice Takes stake for a fault; at most what there is. Only bound contracts may.
    /// @param account The node.
    /// @param amountWei How much the fault costs.
    /// @param ref The round it was about.
    /// @param reason The fault.
    /// @param rewardTo Who gets a part of it; zero for nobody.
    /// @param rewardBps That part, in ten-thousandths.
    /// @return takenWei What was taken.
    /// @return rewardWei What of it `rewardTo` can withdraw.
    function slash(
        address account,
        uint128 amountWei,
        bytes32 ref,
        SlashReason reason,
        address rewardTo,
        uint16 rewardBps
    ) external returns (uint128 takenWei, uint128 rewardWei);

    /// @notice Sets a node's level. Only the bound reputation contract may.
    /// @param account The node.
    /// @param level Its level, 0 to 10.
    function setLevel(address account, uint8 level) external;

    /// @notice Whether an account is an active node of a role.
    /// @param account The account.
    /// @param role The role.
    function isActive(address account, Role role) external view returns (bool);

    /// @notice How many nodes of a role are active.
    /// @param role The role.
    function activeCount(Role role) external view returns (uint256);

    /// @notice A node's level, 0 to 10.
    /// @param account The node.
    function levelOf(address account) external view returns (uint8);
}

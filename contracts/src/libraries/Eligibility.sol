// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {Sessions} from "../Sessions.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Role} from "../types/Node.sol";
import {Task} from "../types/Task.sol";
import {Slots} from "./Slots.sol";

/// @title Who may be in a task
library Eligibility {
    using Slots for Task;

    /// @dev Nobody is named twice, and everybody may be given new work in the role.
    function requireNodes(address[] calldata nodes, Role role, NodeRegistry registry) internal view {
        for (uint256 i = 1; i < nodes.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (nodes[i] == nodes[j]) revert TaskQueueEvents.RepeatedNode(nodes[i]);
            }
        }
        if (nodes.length == 0) return;
        registry.requireEligible(nodes, role, 0);
    }

    /// @dev Where the session has a list of dedicated miners, all of these are on it.
    function requireDedicated(Task storage task, address[] calldata miners, Sessions sessions) internal view {
        if (!task.dedicated) return;
        for (uint256 i = 0; i < miners.length; ++i) {
            _requireDedicated(task, miners[i], sessions);
        }
    }

    /// @dev A replacement is an active miner, dedicated where that is asked, and was never in the task.
    function requireReplacement(
        Task storage task,
        bytes32 taskId,
        address miner,
        NodeRegistry registry,
        Sessions sessions
    ) internal view {
        address[] memory only = new address[](1);
        only[0] = miner;
        registry.requireEligible(only, Role.Miner, 0);
        if (task.dedicated) _requireDedicated(task, miner, sessions);
        task.requireUnseen(taskId, miner);
    }

    function _requireDedicated(Task storage task, address miner, Sessions sessions) private view {
        uint64 sessionId = task.sessionId;
        if (!sessions.isDedicated(sessionId, miner)) revert TaskQueueEvents.MinerNotDedicated(sessionId, miner);
    }
}

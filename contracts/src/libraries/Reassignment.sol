// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {SlashReason} from "../types/Node.sol";
import {Slot, SlotState, Task} from "../types/Task.sol";

/// @title What becomes of a late miner's slot
/// @notice It goes to another miner, or is dropped; who precommitted and never revealed is slashed too.
library Reassignment {
    /// @dev Gives a slot to another miner, as its next attempt.
    function replace(Task storage task, Slot storage slot, bytes32 taskId, address replacement) internal {
        address miner = slot.miner;
        uint40 ackBy = uint40(block.timestamp) + task.ackTimeoutS;
        task.replaced.push(miner);
        slot.miner = replacement;
        slot.state = SlotState.Assigned;
        slot.dueBy = ackBy;
        ++slot.attempt;
        emit TaskQueueEvents.MinerReassigned(
            task.sessionId, taskId, miner, replacement, slot.attempt, msg.sender, ackBy
        );
    }

    /// @dev Leaves a slot without a miner: the task goes on with the others.
    function drop(Task storage task, Slot storage slot, bytes32 taskId) internal {
        slot.state = SlotState.Dropped;
        --task.liveCount;
        emit TaskQueueEvents.MinerReassigned(
            task.sessionId, taskId, slot.miner, address(0), slot.attempt, msg.sender, 0
        );
    }

    /// @dev Drops a slot whose miner precommitted and did not reveal, and slashes the miner.
    function dropUnrevealed(Task storage task, Slot storage slot, bytes32 taskId, NodeRegistry registry) internal {
        drop(task, slot, taskId);
        uint128 slashWei = registry.PARAMETERS().slashes().unrevealedWei;
        registry.slash(slot.miner, slashWei, taskId, SlashReason.Unrevealed, address(0), 0);
    }

    /// @dev {dropUnrevealed} for every such slot of the task.
    function dropAllUnrevealed(Task storage task, bytes32 taskId, NodeRegistry registry) internal {
        uint256 count = task.slotCount;
        for (uint256 i = 0; i < count; ++i) {
            Slot storage slot = task.slots[i];
            if (slot.state == SlotState.Precommitted) dropUnrevealed(task, slot, taskId, registry);
        }
    }
}

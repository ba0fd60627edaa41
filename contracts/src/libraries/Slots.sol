// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Slot, SlotState, Task, TaskState} from "../types/Task.sol";

/// @title The slots of a task
/// @notice A slot is one miner's part of a task. There are at most sixteen, so a look through them is cheaper than
/// a mapping that has to be written.
library Slots {
    /// @dev What {find} returns for an account that has no slot.
    uint256 internal constant NONE = type(uint256).max;

    /// @dev The place of a miner's slot.
    function find(Task storage task, address miner) internal view returns (uint256) {
        uint256 count = task.slotCount;
        for (uint256 i = 0; i < count; ++i) {
            if (task.slots[i].miner == miner) return i;
        }
        return NONE;
    }

    /// @dev The slot of a miner of the task.
    function slotOf(Task storage task, bytes32 taskId, address miner) internal view returns (Slot storage) {
        uint256 index = find(task, miner);
        if (index == NONE) revert TaskQueueEvents.NotMinerOfTask(taskId, miner);
        return task.slots[index];
    }

    /// @dev The slot of a miner of the task, which has to be in a state.
    function slotIn(Task storage task, bytes32 taskId, address miner, SlotState state)
        internal
        view
        returns (Slot storage slot)
    {
        slot = slotOf(task, taskId, miner);
        if (slot.state != state) revert TaskQueueEvents.WrongSlotState(taskId, miner, slot.state);
    }

    /// @dev Until when a slot has to do what is next: its own deadline, or the phase's once all have precommitted.
    function dueByOf(Task storage task, bytes32 taskId, Slot storage slot) internal view returns (uint40) {
        TaskState state = task.state;
        SlotState slotState = slot.state;
        if (state == TaskState.Assigned || state == TaskState.Executing) {
            if (slotState == SlotState.Assigned || slotState == SlotState.Acked) return slot.dueBy;
        } else if (state != TaskState.Precommitted) {
            revert TaskQueueEvents.WrongTaskState(taskId, state);
        } else if (slotState == SlotState.Precommitted) {
            return task.phaseBy;
        }
        revert TaskQueueEvents.WrongSlotState(taskId, slot.miner, slotState);
    }

    /// @dev Reverts for a miner that has a slot of the task or had one.
    function requireUnseen(Task storage task, bytes32 taskId, address miner) internal view {
        if (find(task, miner) != NONE) revert TaskQueueEvents.MinerSeenBefore(taskId, miner);
        uint256 count = task.replaced.length;
        for (uint256 i = 0; i < count; ++i) {
            if (task.replaced[i] == miner) revert TaskQueueEvents.MinerSeenBefore(taskId, miner);
        }
    }
}

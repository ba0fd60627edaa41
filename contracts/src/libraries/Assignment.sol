// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Slot, SlotState, Task, TaskState} from "../types/Task.sol";
import {Limits} from "./Limits.sol";

/// @title How a task is given to its nodes
library Assignment {
    /// @dev The beacon is the hash of a block that nobody knew when the task was submitted.
    function requireBeacon(Task storage task, uint64 beaconBlock, bytes32 beacon) internal view {
        uint64 submittedBlock = task.submittedBlock;
        if (beaconBlock <= submittedBlock) revert TaskQueueEvents.BeaconTooOld(beaconBlock, submittedBlock);
        bytes32 actual = blockhash(beaconBlock);
        if (actual == 0 || actual != beacon) revert TaskQueueEvents.BeaconMismatch(beaconBlock, actual, beacon);
    }

    /// @dev From the terms' fewest to k miners, and at most the terms' number of validators; one at least where somebody attests.
    function requireCounts(Task storage task, uint256 minerCount, uint256 validatorCount) internal view {
        (uint256 fewest, uint256 k) = (task.minMiners, task.redundancy);
        if (minerCount < fewest || minerCount > k) {
            revert TaskQueueEvents.MinerCountOutOfBounds(minerCount, fewest, k);
        }
        uint256 minimum = task.level == 0 ? 0 : 1;
        uint256 maximum = task.validators;
        if (validatorCount < minimum || validatorCount > maximum) {
            revert TaskQueueEvents.ValidatorCountOutOfBounds(validatorCount, minimum, maximum);
        }
    }

    /// @dev Writes the miners and validators into a queued task.
    function fill(Task storage task, address[] calldata miners, address[] calldata validators, uint40 ackBy) internal {
        task.state = TaskState.Assigned;
        task.router = msg.sender;
        task.expireBy = _hardDeadline(task);
        // forge-lint: disable-start(unsafe-typecast) both are at most 16
        task.slotCount = task.liveCount = uint8(miners.length);
        task.ballotCount = uint8(validators.length);
        // forge-lint: disable-end(unsafe-typecast)
        for (uint256 i = 0; i < miners.length; ++i) {
            Slot storage slot = task.slots[i];
            slot.miner = miners[i];
            slot.state = SlotState.Assigned;
            slot.dueBy = ackBy;
        }
        for (uint256 i = 0; i < validators.length; ++i) {
            task.ballots[i].validator = validators[i];
        }
    }

    /// @dev Every slot through every attempt, then the reveal and the attestations; twice, because oracles take time.
    function _hardDeadline(Task storage task) private view returns (uint40) {
        uint256 attempts = uint256(Limits.SLOT_ATTEMPTS_MAX) + 1;
        uint256 work = attempts * (uint256(task.ackTimeoutS) + task.executeTimeoutS);
        uint256 rest = uint256(task.revealTimeoutS) + task.validateTimeoutS;
        // forge-lint: disable-next-line(unsafe-typecast) 28 hours after now at most
        return uint40(block.timestamp + 2 * (work + rest));
    }
}

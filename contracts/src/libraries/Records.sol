// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ballot, Slot, Task, TaskRecord} from "../types/Task.sol";

/// @title A task as it is shown
library Records {
    /// @dev The task without the room that its slots and ballots leave free.
    function record(Task storage task) internal view returns (TaskRecord memory shown) {
        shown.sessionId = task.sessionId;
        shown.state = task.state;
        shown.version = task.version;
        shown.demandPpm = task.demandPpm;
        shown.escrowWei = task.escrowWei;
        shown.submittedBlock = task.submittedBlock;
        shown.phaseBy = task.phaseBy;
        shown.expireBy = task.expireBy;
        shown.router = task.router;
        shown.oracle = task.oracle;
        shown.replaced = task.replaced;
        shown.slots = new Slot[](task.slotCount);
        for (uint256 i = 0; i < shown.slots.length; ++i) {
            shown.slots[i] = task.slots[i];
        }
        shown.ballots = new Ballot[](task.ballotCount);
        for (uint256 i = 0; i < shown.ballots.length; ++i) {
            shown.ballots[i] = task.ballots[i];
        }
    }
}

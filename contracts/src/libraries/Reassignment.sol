// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {SlashReason} from "../types/Node.sol";
import {Round, Seat, SlotState, Task} from "../types/Task.sol";
import {Roster} from "./Roster.sol";
import {Seats} from "./Seats.sol";

/// @title What becomes of a late miner's slot
/// @notice It goes to another miner, or is dropped; who precommitted and never revealed is slashed too.
library Reassignment {
    using Roster for Round;
    using Seats for Round;

    /// @dev A late miner's place in a round, and who it goes to.
    struct Change {
        bytes32 taskId;
        uint256 index;
        address miner;
        address replacement;
        uint32 node;
        uint40 ackBy;
    }

    /// @dev Gives a slot to another miner, as its next attempt.
    function replace(Round storage round, Task storage task, Change memory change) internal {
        Seat memory seat = round.seatAt(change.index);
        uint8 taken = round.taken;
        round.gone[taken - 1] = seat.node;
        round.taken = taken + 1;
        ++seat.attempt;
        seat.node = change.node;
        seat.state = SlotState.Assigned;
        // forge-lint: disable-next-line(unsafe-typecast) an hour after now at most
        seat.dueBy = uint32(change.ackBy);
        round.put(change.index, seat);
        emit TaskQueueEvents.MinerReassigned(
            task.sessionId, change.taskId, change.miner, change.replacement, seat.attempt, msg.sender, change.ackBy
        );
    }

    /// @dev Leaves a slot without a miner: the task goes on with the others.
    function drop(Round storage round, Task storage task, bytes32 taskId, uint256 index, address miner) internal {
        Seat memory seat = round.seatAt(index);
        seat.state = SlotState.Dropped;
        round.put(index, seat);
        --round.liveCount;
        emit TaskQueueEvents.MinerReassigned(task.sessionId, taskId, miner, address(0), seat.attempt, msg.sender, 0);
    }

    /// @dev Drops a slot whose miner precommitted and did not reveal, and slashes the miner.
    function dropUnrevealed(
        Round storage round,
        Task storage task,
        bytes32 taskId,
        uint256 index,
        address miner,
        NodeRegistry registry
    ) internal {
        drop(round, task, taskId, index, miner);
        uint128 slashWei = registry.PARAMETERS().slashes().unrevealedWei;
        registry.slash(miner, slashWei, taskId, SlashReason.Unrevealed, address(0), 0);
    }

    /// @dev {dropUnrevealed} for every such slot of the task.
    function dropAllUnrevealed(Round storage round, Task storage task, bytes32 taskId, NodeRegistry registry) internal {
        address[] memory miners = round.minersOf(registry);
        for (uint256 i = 0; i < miners.length; ++i) {
            if (round.seatAt(i).state == SlotState.Precommitted) {
                dropUnrevealed(round, task, taskId, i, miners[i], registry);
            }
        }
    }
}

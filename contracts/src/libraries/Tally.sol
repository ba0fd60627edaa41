// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Ballot, Outcome, SlotState, Task} from "../types/Task.sol";
import {Slots} from "./Slots.sol";

/// @title The ballots of a task
/// @notice Honest sets are bitmaps over slots, so two ballots agree whatever order their miners were named in.
library Tally {
    using Slots for Task;

    /// @dev Casts the sender's ballot and returns its place.
    function cast(
        Task storage task,
        bytes32 taskId,
        address winner,
        address[] calldata honest,
        uint32 promptTokens,
        uint32 outputTokens
    ) internal returns (uint256 index) {
        index = _ballotOf(task, taskId, msg.sender);
        Ballot storage ballot = task.ballots[index];
        if (ballot.cast) revert TaskQueueEvents.AlreadyAttested(taskId, msg.sender);
        (ballot.winner, ballot.honest) = _verdict(task, taskId, winner, honest);
        ballot.cast = true;
        ballot.promptTokens = promptTokens;
        ballot.outputTokens = outputTokens;
        ++task.castCount;
    }

    /// @dev How many ballots say the same as one.
    function votesFor(Task storage task, uint256 index) internal view returns (uint256 votes) {
        Ballot memory wanted = task.ballots[index];
        uint256 count = task.ballotCount;
        for (uint256 i = 0; i < count; ++i) {
            if (same(task.ballots[i], wanted)) ++votes;
        }
    }

    /// @dev The ballot whose outcome has most votes; of equals the first in the order of assignment.
    function leading(Task storage task) internal view returns (uint256 best) {
        uint256 most = 0;
        uint256 count = task.ballotCount;
        for (uint256 i = 0; i < count; ++i) {
            if (!task.ballots[i].cast) continue;
            uint256 votes = votesFor(task, i);
            if (votes <= most) continue;
            most = votes;
            best = i;
        }
    }

    /// @dev Whether two ballots were cast for the same outcome.
    function same(Ballot memory a, Ballot memory b) internal pure returns (bool) {
        return a.cast && b.cast && a.winner == b.winner && a.honest == b.honest && a.promptTokens == b.promptTokens
            && a.outputTokens == b.outputTokens;
    }

    /// @dev What was decided: the deciding ballot's outcome, or at level 0 that whoever revealed is honest and the
    /// first of them wins.
    function outcome(Task storage task) internal view returns (Outcome memory decided) {
        if (task.level != 0) {
            Ballot memory ballot = task.ballots[task.decidingBallot];
            return Outcome({
                winner: ballot.winner,
                honest: ballot.honest,
                promptTokens: ballot.promptTokens,
                outputTokens: ballot.outputTokens
            });
        }
        for (uint256 i = task.slotCount; i > 0; --i) {
            if (task.slots[i - 1].state != SlotState.Revealed) continue;
            // forge-lint: disable-next-line(unsafe-typecast) there are at most 16 slots
            decided.winner = uint8(i - 1);
            decided.honest |= bit(i - 1);
        }
    }

    /// @dev The miners of a set of slots, in the order of the slots.
    function minersIn(Task storage task, uint16 set) internal view returns (address[] memory miners) {
        uint256 size = 0;
        for (uint256 rest = set; rest != 0; rest &= rest - 1) {
            ++size;
        }
        miners = new address[](size);
        uint256 next = 0;
        for (uint256 i = 0; next < size; ++i) {
            if (set & bit(i) != 0) miners[next++] = task.slots[i].miner;
        }
    }

    /// @dev The validators that attested what was decided, in the order of assignment; none at level 0.
    function votersOf(Task storage task) internal view returns (address[] memory voters) {
        if (task.level == 0) return voters;
        uint256 deciding = task.decidingBallot;
        Ballot memory decided = task.ballots[deciding];
        voters = new address[](votesFor(task, deciding));
        uint256 next = 0;
        for (uint256 i = 0; next < voters.length; ++i) {
            Ballot memory ballot = task.ballots[i];
            if (same(ballot, decided)) voters[next++] = ballot.validator;
        }
    }

    /// @dev The bit of a slot in a set.
    function bit(uint256 slot) internal pure returns (uint16) {
        // forge-lint: disable-next-line(unsafe-typecast, incorrect-shift) there are at most 16 slots; 1 is what moves
        return uint16(1 << slot);
    }

    /// @dev The place of a validator's ballot.
    function _ballotOf(Task storage task, bytes32 taskId, address validator) private view returns (uint256) {
        uint256 count = task.ballotCount;
        for (uint256 i = 0; i < count; ++i) {
            if (task.ballots[i].validator == validator) return i;
        }
        revert TaskQueueEvents.NotValidatorOfTask(taskId, validator);
    }

    /// @dev An outcome as a ballot keeps it, from the names. Who is honest has revealed, and the winner is honest.
    function _verdict(Task storage task, bytes32 taskId, address winner, address[] calldata honest)
        private
        view
        returns (uint8 winnerSlot, uint16 set)
    {
        if (honest.length == 0) revert TaskQueueEvents.NobodyHonest(taskId);
        for (uint256 i = 0; i < honest.length; ++i) {
            uint256 index = task.find(honest[i]);
            if (index == Slots.NONE) revert TaskQueueEvents.NotMinerOfTask(taskId, honest[i]);
            if (task.slots[index].state != SlotState.Revealed) {
                revert TaskQueueEvents.MinerNotRevealed(taskId, honest[i]);
            }
            if (set & bit(index) != 0) revert TaskQueueEvents.RepeatedNode(honest[i]);
            set |= bit(index);
        }
        uint256 won = task.find(winner);
        if (won == Slots.NONE || set & bit(won) == 0) revert TaskQueueEvents.WinnerNotHonest(taskId, winner);
        // forge-lint: disable-next-line(unsafe-typecast) there are at most 16 slots
        winnerSlot = uint8(won);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Opinion, Outcome, Round, Seat, SlotState} from "../types/Task.sol";
import {Seats} from "./Seats.sol";

/// @title What validators found
/// @notice An outcome is kept once with the set of those who found it: the first in the round's own word, what does not
/// agree with it beside. Sets are one bit for each slot or validator, so two agree whatever order names came in.
library Opinions {
    using Seats for Round;

    /// @dev Adds validators to those who found an outcome. Returns its place: 0 is the round's own.
    function cast(Round storage round, Outcome memory outcome, uint16 by) internal returns (uint256 place) {
        uint16 voters = round.voters;
        if (voters == 0) {
            (round.winner, round.honest, round.voters) = (outcome.winner, outcome.honest, by);
            (round.promptTokens, round.outputTokens) = (outcome.promptTokens, outcome.outputTokens);
            return 0;
        }
        if (_same(standing(round), outcome)) {
            round.voters = voters | by;
            return 0;
        }
        uint256 count = round.dissentCount;
        while (place < count && !_same(_outcome(round.dissent[place]), outcome)) {
            ++place;
        }
        if (place == count) {
            (uint32 promptTokens, uint32 outputTokens) = (outcome.promptTokens, outcome.outputTokens);
            round.dissent[place] = Opinion(outcome.winner, outcome.honest, by, promptTokens, outputTokens);
            // forge-lint: disable-next-line(unsafe-typecast) at most one for each of 16 validators
            round.dissentCount = uint8(count + 1);
        } else {
            round.dissent[place].voters |= by;
        }
        ++place;
    }

    /// @dev Who has attested.
    function voted(Round storage round) internal view returns (uint16 set) {
        set = round.voters;
        uint256 count = round.dissentCount;
        for (uint256 i = 0; i < count; ++i) {
            set |= round.dissent[i].voters;
        }
    }

    /// @dev How many found the outcome at a place.
    function votesAt(Round storage round, uint256 place) internal view returns (uint256) {
        return size(_votersAt(round, place));
    }

    /// @dev The place of the outcome with most votes; of equals the one of the validator that was assigned first.
    function leading(Round storage round) internal view returns (uint256 best) {
        uint16 most = round.voters;
        uint256 count = round.dissentCount;
        for (uint256 place = 1; place <= count; ++place) {
            uint16 voters = _votersAt(round, place);
            (uint256 votes, uint256 mostVotes) = (size(voters), size(most));
            if (votes < mostVotes || (votes == mostVotes && _lowest(voters) > _lowest(most))) continue;
            (best, most) = (place, voters);
        }
    }

    /// @dev Makes the outcome at a place the round's own; what was there changes places with it.
    function elect(Round storage round, uint256 place) internal {
        if (place == 0) return;
        Opinion memory chosen = round.dissent[place - 1];
        round.dissent[place - 1] =
            Opinion(round.winner, round.honest, round.voters, round.promptTokens, round.outputTokens);
        (round.winner, round.honest, round.voters) = (chosen.winner, chosen.honest, chosen.voters);
        (round.promptTokens, round.outputTokens) = (chosen.promptTokens, chosen.outputTokens);
    }

    /// @dev At level 0 nobody attests: whoever revealed is honest, and the first of them wins.
    function electRevealed(Round storage round) internal {
        Seat[] memory seats = round.load();
        uint16 honest = 0;
        for (uint256 i = seats.length; i > 0; --i) {
            if (seats[i - 1].state != SlotState.Revealed) continue;
            // forge-lint: disable-next-line(unsafe-typecast) there are at most 16 slots
            round.winner = uint8(i - 1);
            honest |= bit(i - 1);
        }
        round.honest = honest;
    }

    /// @dev What the round says.
    function standing(Round storage round) internal view returns (Outcome memory) {
        return Outcome(round.winner, round.honest, round.promptTokens, round.outputTokens);
    }

    /// @dev Reverts unless somebody is honest, all who are have revealed, and the winner is one of them.
    function requireSound(bytes32 taskId, Outcome memory outcome, Seat[] memory seats, address[] memory miners)
        internal
        pure
    {
        uint16 honest = outcome.honest;
        uint256 count = seats.length;
        if (honest == 0) revert TaskQueueEvents.NobodyHonest(taskId);
        if (honest >> count != 0) revert TaskQueueEvents.NoSuchPlace(taskId, count);
        for (uint256 i = 0; i < count; ++i) {
            if (honest & bit(i) == 0 || seats[i].state == SlotState.Revealed) continue;
            revert TaskQueueEvents.MinerNotRevealed(taskId, miners[i]);
        }
        uint256 winner = outcome.winner;
        if (winner < count && honest & bit(winner) != 0) return;
        revert TaskQueueEvents.WinnerNotHonest(taskId, winner < count ? miners[winner] : address(0));
    }

    /// @dev How many are in a set.
    function size(uint16 set) internal pure returns (uint256 count) {
        for (uint256 rest = set; rest != 0; rest &= rest - 1) {
            ++count;
        }
    }

    /// @dev The bit of a place in a set.
    function bit(uint256 place) internal pure returns (uint16) {
        // forge-lint: disable-next-line(unsafe-typecast, incorrect-shift) there are at most 16 places; 1 is what moves
        return uint16(1 << place);
    }

    function _votersAt(Round storage round, uint256 place) private view returns (uint16) {
        return place == 0 ? round.voters : round.dissent[place - 1].voters;
    }

    function _outcome(Opinion storage opinion) private view returns (Outcome memory) {
        return Outcome(opinion.winner, opinion.honest, opinion.promptTokens, opinion.outputTokens);
    }

    function _same(Outcome memory a, Outcome memory b) private pure returns (bool) {
        return a.winner == b.winner && a.honest == b.honest && a.promptTokens == b.promptTokens
            && a.outputTokens == b.outputTokens;
    }

    /// @dev The lowest bit of a set.
    function _lowest(uint16 set) private pure returns (uint256) {
        return uint256(set) & (~uint256(set) + 1);
    }
}

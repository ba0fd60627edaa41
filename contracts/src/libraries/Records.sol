// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {Ballot, Opinion, Round, Seat, Slot, Task, TaskRecord, TaskState} from "../types/Task.sol";
import {Opinions} from "./Opinions.sol";
import {Roster} from "./Roster.sol";
import {Seats} from "./Seats.sol";
import {Settlement} from "./Settlement.sol";

/// @title A task as it is shown
library Records {
    using Opinions for Round;
    using Roster for Round;
    using Seats for Round;

    /// @dev The task, and its round if it has one.
    function record(Task storage task, Round storage round, NodeRegistry registry)
        internal
        view
        returns (TaskRecord memory shown)
    {
        shown.sessionId = task.sessionId;
        shown.state = task.state;
        shown.version = task.version;
        shown.step = task.step;
        shown.lane = task.lane;
        shown.demandPpm = Settlement.demandPpmOf(task);
        shown.escrowWei = task.escrowWei;
        shown.submittedBlock = task.submittedBlock;
        shown.expireBy = task.expireBy;
        if (shown.state < TaskState.Assigned || shown.state > TaskState.Validated) return shown;
        Seat[] memory seats = round.load();
        address[] memory roster = round.allOf(seats, registry);
        shown.phaseBy = round.phaseBy;
        if (shown.state >= TaskState.Committed) shown.finality = round.finality;
        shown.router = roster[roster.length - 2];
        shown.oracle = roster[roster.length - 1];
        shown.outcome = round.standing();
        shown.slots = new Slot[](seats.length);
        for (uint256 i = 0; i < seats.length; ++i) {
            Seat memory seat = seats[i];
            shown.slots[i] = Slot(roster[i], seat.attempt, seat.state, seat.dueBy, round.precommits[i]);
        }
        shown.ballots = _ballots(round, roster);
        uint32[] memory gone = new uint32[](round.taken - 1);
        for (uint256 i = 0; i < gone.length; ++i) {
            gone[i] = round.gone[i];
        }
        shown.replaced = registry.nodesOf(gone);
    }

    function _ballots(Round storage round, address[] memory roster) private view returns (Ballot[] memory ballots) {
        ballots = new Ballot[](round.validatorCount);
        for (uint256 i = 0; i < ballots.length; ++i) {
            ballots[i].validator = roster[round.slotCount + i];
        }
        _mark(ballots, Opinion(round.winner, round.honest, round.voters, round.promptTokens, round.outputTokens));
        for (uint256 i = 0; i < round.dissentCount; ++i) {
            _mark(ballots, round.dissent[i]);
        }
    }

    function _mark(Ballot[] memory ballots, Opinion memory opinion) private pure {
        for (uint256 i = 0; i < ballots.length; ++i) {
            if (opinion.voters & Opinions.bit(i) == 0) continue;
            ballots[i] = Ballot({
                validator: ballots[i].validator,
                cast: true,
                winner: opinion.winner,
                honest: opinion.honest,
                promptTokens: opinion.promptTokens,
                outputTokens: opinion.outputTokens
            });
        }
    }
}

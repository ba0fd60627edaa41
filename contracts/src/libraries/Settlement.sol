// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {Parameters} from "../Parameters.sol";
import {Sessions} from "../Sessions.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {SlashReason} from "../types/Node.sol";
import {Payment, TokenPrices} from "../types/Session.sol";
import {Finality, Outcome, RefundReason, Round, Seat, SlotState, Task, TaskState} from "../types/Task.sol";
import {Limits} from "./Limits.sol";
import {Opinions} from "./Opinions.sol";
import {PriceSplit} from "./PriceSplit.sol";
import {Roster} from "./Roster.sol";

/// @title What a validated task costs, and whom
library Settlement {
    using Opinions for Round;

    /// @dev The price and who gets which part of it. The roster is {Roster.allOf}.
    function bill(
        Task storage task,
        Round storage round,
        address[] memory roster,
        Sessions sessions,
        Parameters parameters
    ) internal view returns (uint128 priceWei, Payment[] memory payments) {
        Outcome memory outcome = round.standing();
        priceWei = _priceOf(task, round, outcome, sessions);
        payments = PriceSplit.split(
            priceWei,
            Roster.pick(roster, 0, outcome.honest),
            Roster.pick(roster, round.slotCount, round.voters),
            roster[roster.length - 2],
            roster[roster.length - 1],
            parameters.shares()
        );
    }

    /// @dev Slashes every miner that revealed and is not honest.
    function slashOutliers(
        Round storage round,
        bytes32 taskId,
        Seat[] memory seats,
        address[] memory roster,
        NodeRegistry registry
    ) internal {
        uint16 honest = round.honest;
        uint128 slashWei = 0;
        for (uint256 i = 0; i < seats.length; ++i) {
            if (honest & Opinions.bit(i) != 0 || seats[i].state != SlotState.Revealed) continue;
            if (slashWei == 0) slashWei = registry.PARAMETERS().slashes().outlierWei;
            registry.slash(roster[i], slashWei, taskId, SlashReason.Outlier, address(0), 0);
        }
    }

    /// @dev Ends a task without pay: its whole escrow goes back.
    function refund(Task storage task, Round storage round, bytes32 taskId, RefundReason reason, Sessions sessions)
        internal
    {
        if (task.state != TaskState.Queued) round.taken = 0;
        task.state = TaskState.Refunded;
        uint128 escrowWei = task.escrowWei;
        sessions.release(task.sessionId, escrowWei, demandPpmOf(task), new Payment[](0));
        emit TaskQueueEvents.TaskRefunded(task.sessionId, taskId, escrowWei, reason);
    }

    /// @dev The multiplier of a task's price, in millionths.
    function demandPpmOf(Task storage task) internal view returns (uint32) {
        return task.demandE5 * Limits.PPM_PER_E5;
    }

    /// @dev Where nobody attested (level 0) nobody has counted tokens, so the price is what was agreed to at most. An
    /// outcome that was ruled may be one that nobody of the task's own validators found.
    function _priceOf(Task storage task, Round storage round, Outcome memory outcome, Sessions sessions)
        private
        view
        returns (uint128)
    {
        if (round.voters == 0 && round.finality != Finality.Ruled) return task.escrowWei;
        TokenPrices memory prices = sessions.tokenPricesOf(task.sessionId, task.version);
        return PriceSplit.price(outcome.promptTokens, outcome.outputTokens, prices, demandPpmOf(task), task.escrowWei);
    }
}

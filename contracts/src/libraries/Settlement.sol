// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {Parameters} from "../Parameters.sol";
import {Sessions} from "../Sessions.sol";
import {SlashReason} from "../types/Node.sol";
import {Payment, TokenPrices} from "../types/Session.sol";
import {Outcome, Slot, SlotState, Task} from "../types/Task.sol";
import {PriceSplit} from "./PriceSplit.sol";
import {Tally} from "./Tally.sol";

/// @title What a validated task costs, and whom
library Settlement {
    using Tally for Task;

    /// @dev The price and who gets which part of it.
    function bill(Task storage task, Outcome memory outcome, Sessions sessions, Parameters parameters)
        internal
        view
        returns (uint128 priceWei, Payment[] memory payments)
    {
        priceWei = _priceOf(task, outcome, sessions);
        payments = PriceSplit.split(
            priceWei, task.minersIn(outcome.honest), task.votersOf(), task.router, task.oracle, parameters.shares()
        );
    }

    /// @dev Slashes every miner that revealed and is not honest.
    function slashOutliers(Task storage task, bytes32 taskId, uint16 honest, NodeRegistry registry) internal {
        uint256 count = task.slotCount;
        uint128 slashWei = 0;
        for (uint256 i = 0; i < count; ++i) {
            Slot storage slot = task.slots[i];
            if (honest & Tally.bit(i) != 0 || slot.state != SlotState.Revealed) continue;
            if (slashWei == 0) slashWei = registry.PARAMETERS().slashes().outlierWei;
            registry.slash(slot.miner, slashWei, taskId, SlashReason.Outlier, address(0), 0);
        }
    }

    /// @dev At level 0 nobody has counted tokens, so the price is what was agreed to at most.
    function _priceOf(Task storage task, Outcome memory outcome, Sessions sessions) private view returns (uint128) {
        if (task.level == 0) return task.escrowWei;
        TokenPrices memory prices = sessions.tokenPricesOf(task.sessionId, task.version);
        return PriceSplit.price(outcome.promptTokens, outcome.outputTokens, prices, task.demandPpm, task.escrowWei);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, OutcomeLeaf, PrecommitLeaf, RevealLeaf, SessionPart} from "../types/Batch.sol";
import {TokenPrices} from "../types/Session.sol";
import {BatchShares} from "./BatchShares.sol";
import {Limits} from "./Limits.sol";
import {PriceSplit} from "./PriceSplit.sol";

/// @title What the leaves of a task must say
/// @notice The same rules as in `src/core/batch/rules.ts`.
library BatchRules {
    /// @dev The session that a position belongs to, and the positions of its first and last task.
    function partOf(BatchHeader calldata header, uint256 position)
        internal
        pure
        returns (SessionPart calldata part, uint256 first, uint256 last)
    {
        uint256 index = 0;
        part = header.sessions[0];
        while (position >= first + part.tasks) {
            first += part.tasks;
            part = header.sessions[++index];
        }
        last = first + part.tasks - 1;
    }

    /// @dev Whether a task was given out as its session's terms want. Who is a node is for the caller to check.
    function isGivenOut(PrecommitLeaf calldata task, SessionPart calldata part) internal pure returns (bool) {
        uint256 miners = task.miners.length;
        uint256 validators = task.validators.length;
        return task.sessionId == part.sessionId && task.maxPriceWei != 0 && task.maxPriceWei <= part.maxTaskPriceWei
            && miners >= part.minMiners && miners <= part.redundancy && task.attempts.length == miners
            && task.precommits.length == miners && validators <= part.validators && (validators != 0 || part.level == 0)
            && _distinct(task.miners) && _distinct(task.validators);
    }

    /// @dev Whether an outcome follows from what was given out and shown, and its price from the session's prices.
    function follows(
        SessionPart calldata part,
        PrecommitLeaf calldata task,
        RevealLeaf calldata shown,
        OutcomeLeaf calldata outcome
    ) internal pure returns (bool) {
        if (outcome.taskId != task.taskId || outcome.step != task.step) return false;
        if (uint256(outcome.priceWei) + outcome.refundWei != task.maxPriceWei) return false;
        uint16 revealed = revealedIn(shown);
        if (part.level == 0) return _followsUnchecked(revealed, task, outcome);
        if (outcome.honest == 0) return _failed(outcome);
        return outcome.honest & ~revealed == 0 && _isIn(outcome.winner, outcome.honest) && isQuorum(task, outcome)
            && outcome.priceWei == _price(part, task, outcome);
    }

    /// @dev The slots that were shown.
    function revealedIn(RevealLeaf calldata shown) internal pure returns (uint16 revealed) {
        for (uint256 i = 0; i < shown.resultRoots.length && i < Limits.REDUNDANCY_MAX; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast, incorrect-shift) at most 16 slots; 1 is what moves
            if (shown.resultRoots[i] != 0) revealed |= uint16(1 << i);
        }
    }

    /// @dev Whether more than half of a task's validators are said to have signed.
    function isQuorum(PrecommitLeaf calldata task, OutcomeLeaf calldata outcome) internal pure returns (bool) {
        uint256 validators = task.validators.length;
        return uint256(outcome.voters) >> validators == 0 && 2 * BatchShares.size(outcome.voters) > validators;
    }

    /// @dev At level 0 nobody has compared or counted: whoever revealed is honest, the first of them wins, and the price
    /// is what was agreed to at most.
    function _followsUnchecked(uint16 revealed, PrecommitLeaf calldata task, OutcomeLeaf calldata outcome)
        private
        pure
        returns (bool)
    {
        if (outcome.honest != revealed) return false;
        if (revealed == 0) return _failed(outcome);
        // The first of a set is its lowest bit.
        return (uint256(revealed) & (~uint256(revealed) + 1)) == uint256(1) << outcome.winner && outcome.voters == 0
            && outcome.promptTokens == 0 && outcome.outputTokens == 0 && outcome.priceWei == task.maxPriceWei;
    }

    /// @dev A task that failed costs nothing and nobody is paid.
    function _failed(OutcomeLeaf calldata outcome) private pure returns (bool) {
        return outcome.winner == 0 && outcome.voters == 0 && outcome.promptTokens == 0 && outcome.outputTokens == 0
            && outcome.priceWei == 0;
    }

    function _price(SessionPart calldata part, PrecommitLeaf calldata task, OutcomeLeaf calldata outcome)
        private
        pure
        returns (uint128)
    {
        return PriceSplit.price(
            outcome.promptTokens,
            outcome.outputTokens,
            TokenPrices(part.promptTokenWei, part.outputTokenWei),
            Limits.PPM,
            task.maxPriceWei
        );
    }

    function _isIn(uint8 slot, uint16 set) private pure returns (bool) {
        return (uint256(set) >> slot) & 1 != 0;
    }

    function _distinct(address[] calldata list) private pure returns (bool) {
        for (uint256 i = 1; i < list.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (list[i] == list[j]) return false;
            }
        }
        return true;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Parameters} from "../Parameters.sol";
import {PoolMode, SettlementMode, Terms} from "../types/Session.sol";
import {Limits} from "./Limits.sol";

/// @title What the terms of a session may be
library TermsRules {
    /// @notice A term is outside its bounds.
    /// @param term The name of the field of `Terms`.
    error TermOutOfBounds(string term, uint256 value, uint256 minimum, uint256 maximum);

    /// @dev Reverts with the first term that is out of bounds.
    function check(Terms calldata terms, Parameters parameters) internal view {
        _within("model", bytes(terms.model).length, 1, Limits.MODEL_ID_BYTES_MAX);
        _within("redundancy", terms.redundancy, 1, Limits.REDUNDANCY_MAX);
        _within("minMiners", terms.minMiners, 1, terms.redundancy);
        _within("maxMiners", terms.maxMiners, terms.redundancy, Limits.DEDICATED_MINERS_MAX);
        _within("level", terms.level, 0, Limits.LEVEL_MAX);
        _within("validators", terms.validators, terms.level == 0 ? 0 : 1, Limits.VALIDATORS_MAX);
        _within("similarityBps", terms.similarityBps, 0, Limits.BPS);
        _within("maxTaskPriceWei", terms.maxTaskPriceWei, 1, type(uint128).max);
        _within("queueTimeoutS", terms.queueTimeoutS, 1, Limits.QUEUE_TIMEOUT_S_MAX);
        _within("ackTimeoutS", terms.ackTimeoutS, 1, Limits.PHASE_TIMEOUT_S_MAX);
        _within("executeTimeoutS", terms.executeTimeoutS, 1, Limits.PHASE_TIMEOUT_S_MAX);
        _within("revealTimeoutS", terms.revealTimeoutS, 1, Limits.PHASE_TIMEOUT_S_MAX);
        _within("validateTimeoutS", terms.validateTimeoutS, 1, Limits.PHASE_TIMEOUT_S_MAX);
        if (terms.appealWindowS != 0) _within("appealWindowS", terms.appealWindowS, 0, _windowMaxS(terms, parameters));
        _within("reservePeriodS", terms.reservePeriodS, 0, Limits.RESERVE_PERIOD_S_MAX);
        _within("reserveFeeWei", terms.reserveFeeWei, 0, terms.maxTaskPriceWei);
        _within("taskLimit", terms.taskLimit, 0, Limits.TASK_LIMIT_MAX);
    }

    /// @dev Reverts where a list of the session does not go with its terms: a session of dedicated miners has enough of
    /// them for a task.
    function checkLists(Terms calldata terms, uint256 routers, uint256 dedicatedMiners) internal pure {
        _within("routers", routers, 1, Limits.SESSION_ROUTERS_MAX);
        uint256 fewest = terms.mode == PoolMode.Dedicated ? terms.minMiners : 0;
        _within("dedicatedMiners", dedicatedMiners, fewest, terms.maxMiners);
    }

    /// @dev Nobody attests at level 0, and what is wrong in a batch is proven: neither is appealed.
    function _windowMaxS(Terms calldata terms, Parameters parameters) private view returns (uint256) {
        if (terms.level == 0 || terms.settlement == SettlementMode.Batched) return 0;
        return parameters.appeals().windowMaxS;
    }

    function _within(string memory term, uint256 value, uint256 minimum, uint256 maximum) private pure {
        if (value < minimum || value > maximum) revert TermOutOfBounds(term, value, minimum, maximum);
    }
}

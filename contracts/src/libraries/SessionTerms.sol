// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Session, TaskRules, Terms, TokenPrices} from "../types/Session.sol";

/// @title The terms of a session in storage
/// @notice What a submission needs is beside the balance; what the tasks of a version run under has slots of its own,
/// which are written once and never again; the rest is in the events.
library SessionTerms {
    /// @dev Writes what submissions need from now on.
    function keep(Session storage session, Terms calldata terms) internal {
        session.routerMaySubmit = terms.routerMaySubmit;
        session.queueTimeoutS = terms.queueTimeoutS;
        session.taskLimit = terms.taskLimit;
        session.maxTaskPriceWei = terms.maxTaskPriceWei;
        session.reserveFeeWei = terms.reserveFeeWei;
    }

    /// @dev What tasks of these terms run under.
    function rulesIn(Terms calldata terms) internal pure returns (TaskRules memory) {
        return TaskRules({
            queueTimeoutS: terms.queueTimeoutS,
            ackTimeoutS: terms.ackTimeoutS,
            executeTimeoutS: terms.executeTimeoutS,
            revealTimeoutS: terms.revealTimeoutS,
            validateTimeoutS: terms.validateTimeoutS,
            appealWindowS: terms.appealWindowS,
            reservePeriodS: terms.reservePeriodS,
            similarityBps: terms.similarityBps,
            redundancy: terms.redundancy,
            minMiners: terms.minMiners,
            maxMiners: terms.maxMiners,
            validators: terms.validators,
            level: terms.level,
            mode: terms.mode,
            settlement: terms.settlement
        });
    }

    /// @dev What tasks of these terms pay per token.
    function pricesIn(Terms calldata terms) internal pure returns (TokenPrices memory) {
        return TokenPrices({promptTokenWei: terms.promptTokenWei, outputTokenWei: terms.outputTokenWei});
    }
}

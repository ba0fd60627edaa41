// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Session, TaskRules, Terms} from "../types/Session.sol";

/// @title The terms of a session in storage
/// @notice What tasks need of them, packed; the rest is in the event.
library SessionTerms {
    /// @dev Writes the terms that are kept into a new session.
    function keep(Session storage session, Terms calldata terms) internal {
        session.routerMaySubmit = terms.routerMaySubmit;
        session.dedicated = terms.dedicatedMiners.length != 0;
        session.redundancy = terms.redundancy;
        session.validators = terms.validators;
        session.level = terms.level;
        session.similarityBps = terms.similarityBps;
        session.maxTaskPriceWei = terms.maxTaskPriceWei;
        session.queueTimeoutS = terms.queueTimeoutS;
        session.ackTimeoutS = terms.ackTimeoutS;
        session.executeTimeoutS = terms.executeTimeoutS;
        session.revealTimeoutS = terms.revealTimeoutS;
        session.validateTimeoutS = terms.validateTimeoutS;
        session.promptTokenWei = terms.promptTokenWei;
        session.outputTokenWei = terms.outputTokenWei;
    }

    /// @dev What one task of the session runs under.
    function rulesFor(Session storage session, uint128 escrowWei) internal view returns (TaskRules memory) {
        return TaskRules({
            escrowWei: escrowWei,
            queueTimeoutS: session.queueTimeoutS,
            ackTimeoutS: session.ackTimeoutS,
            executeTimeoutS: session.executeTimeoutS,
            revealTimeoutS: session.revealTimeoutS,
            validateTimeoutS: session.validateTimeoutS,
            redundancy: session.redundancy,
            validators: session.validators,
            level: session.level,
            dedicated: session.dedicated
        });
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SessionMoney} from "./SessionMoney.sol";
import {SessionTerms} from "./libraries/SessionTerms.sol";
import {Session, TaskRules, Terms, TokenPrices} from "./types/Session.sol";

/// @title The terms of sessions, version by version
/// @notice A version is written once. A task names the one it was submitted under, and runs under it to its end.
abstract contract SessionVersions is SessionMoney {
    using SessionTerms for Session;
    using SessionTerms for Terms;

    mapping(uint64 sessionId => mapping(uint32 version => TaskRules)) internal _rules;
    mapping(uint64 sessionId => mapping(uint32 version => TokenPrices)) private _prices;

    /// @notice What tasks under a version of a session's terms run under.
    /// @param sessionId The session.
    /// @param version The version, from 1.
    function rulesOf(uint64 sessionId, uint32 version) external view returns (TaskRules memory rules) {
        rules = _rules[sessionId][version];
        if (rules.redundancy == 0) revert UnknownVersion(sessionId, version);
    }

    /// @notice What tasks under a version of a session's terms pay per token.
    /// @param sessionId The session.
    /// @param version The version, from 1; of one that never was the prices are nothing.
    function tokenPricesOf(uint64 sessionId, uint32 version) external view returns (TokenPrices memory) {
        return _prices[sessionId][version];
    }

    function _termsAt(uint64 sessionId, uint32 version)
        internal
        view
        returns (TaskRules memory rules, TokenPrices memory prices)
    {
        return (_rules[sessionId][version], _prices[sessionId][version]);
    }

    function _writeVersion(uint64 sessionId, Session storage session, Terms calldata terms)
        internal
        returns (uint32 version)
    {
        version = ++session.version;
        session.keep(terms);
        _rules[sessionId][version] = terms.rulesIn();
        _prices[sessionId][version] = terms.pricesIn();
    }
}

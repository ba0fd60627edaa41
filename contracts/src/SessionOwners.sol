// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SessionMoney} from "./SessionMoney.sol";
import {Session, SessionState} from "./types/Session.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

/// @title Whose sessions are
/// @notice A session changes hands in two steps, so that it cannot be given to an account that nobody holds. Its owner may
/// let it rest.
abstract contract SessionOwners is SessionMoney {
    using EnumerableSet for EnumerableSet.UintSet;

    mapping(address owner => EnumerableSet.UintSet sessionIds) private _owned;

    /// @notice Offers a session to another account, which owns it once it accepts. Only the owner may, at any time before
    /// the session is closed.
    /// @param sessionId The session.
    /// @param to The account; zero takes the offer back.
    /// @param effectId The sender's id of this call; a second use reverts.
    function offerSession(uint64 sessionId, address to, bytes32 effectId) external {
        Session storage session = _unclosed(sessionId);
        if (session.owner != msg.sender) revert NotSessionOwner(sessionId, msg.sender);
        _markEffectOnce(effectId);
        session.pendingOwner = to;
        emit SessionOffered(sessionId, to);
    }

    /// @notice Takes over a session that was offered to the sender, with its money and its tasks.
    /// @param sessionId The session.
    /// @param effectId The sender's id of this call.
    function acceptSession(uint64 sessionId, bytes32 effectId) external {
        Session storage session = _unclosed(sessionId);
        if (session.pendingOwner != msg.sender) revert NotPendingOwner(sessionId, msg.sender);
        _markEffect(effectId);
        address from = session.owner;
        session.pendingOwner = address(0);
        _owned[from].remove(sessionId);
        _own(session, sessionId, msg.sender);
        emit SessionTransferred(sessionId, from, msg.sender);
    }

    /// @notice Lets a session rest: it takes no new tasks, those it has go on, its money stays. Only the owner may.
    /// @param sessionId The session.
    /// @param effectId The sender's id of this call; a second use reverts.
    function deactivate(uint64 sessionId, bytes32 effectId) external {
        Session storage session = _ownedLive(sessionId);
        if (session.state != SessionState.Open) revert WrongSessionState(sessionId, session.state);
        _markEffectOnce(effectId);
        session.state = SessionState.Inactive;
        emit SessionDeactivated(sessionId);
    }

    /// @notice Lets a session that rests take tasks again. Only the owner may.
    /// @param sessionId The session.
    /// @param effectId The sender's id of this call; a second use reverts.
    function reactivate(uint64 sessionId, bytes32 effectId) external {
        Session storage session = _ownedLive(sessionId);
        if (session.state != SessionState.Inactive) revert WrongSessionState(sessionId, session.state);
        _markEffectOnce(effectId);
        session.state = SessionState.Open;
        emit SessionReactivated(sessionId);
    }

    /// @notice How many sessions an account owns, the closed ones included.
    /// @param owner The account.
    function sessionCountOf(address owner) external view returns (uint256) {
        return _owned[owner].length();
    }

    /// @notice Up to `count` ids of an account's sessions, in no special order; fewer, or none, at the end.
    /// @param owner The account.
    /// @param from The place of the first, from 0.
    /// @param count How many at most.
    function sessionsOfPage(address owner, uint256 from, uint256 count) external view returns (uint256[] memory) {
        return _owned[owner].values(from, from + count);
    }

    function _own(Session storage session, uint64 sessionId, address owner) internal {
        session.owner = owner;
        _owned[owner].add(sessionId);
    }

    function _unclosed(uint64 sessionId) private view returns (Session storage session) {
        session = _known(sessionId);
        if (session.state == SessionState.Closed) revert SessionNotOpen(sessionId, SessionState.Closed);
    }
}

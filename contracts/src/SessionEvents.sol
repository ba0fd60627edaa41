// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SessionState, Terms} from "./types/Session.sol";

/// @title What the sessions say
/// @notice Their events and errors.
interface SessionEvents {
    /// @notice A session began, with version 1 of its terms and its two lists.
    event SessionOpened(
        uint64 indexed sessionId, address indexed client, Terms terms, address[] routers, address[] dedicatedMiners
    );
    /// @notice A session has other terms for the tasks that are submitted from now on.
    event SessionUpdated(uint64 indexed sessionId, uint32 version, Terms terms);
    /// @notice A session's owner offered it to another account; to zero where it took the offer back.
    event SessionOffered(uint64 indexed sessionId, address indexed to);
    /// @notice A session has another owner.
    event SessionTransferred(uint64 indexed sessionId, address indexed from, address indexed to);
    /// @notice A session takes no new tasks for now.
    event SessionDeactivated(uint64 indexed sessionId);
    /// @notice A session takes tasks again.
    event SessionReactivated(uint64 indexed sessionId);
    /// @notice A session has one more router.
    event SessionRouterAdded(uint64 indexed sessionId, address indexed router);
    /// @notice A session has one router less.
    event SessionRouterRemoved(uint64 indexed sessionId, address indexed router);
    /// @notice A session has one more dedicated miner.
    event SessionMinerAdded(uint64 indexed sessionId, address indexed miner);
    /// @notice A session has one dedicated miner less.
    event SessionMinerRemoved(uint64 indexed sessionId, address indexed miner);
    /// @notice A session received money.
    event SessionDeposited(uint64 indexed sessionId, address indexed from, uint128 amountWei);
    /// @notice A session takes no more tasks and closes with the last of those it has.
    event SessionDraining(uint64 indexed sessionId);
    /// @notice A session ended and its owner got the rest back.
    event SessionClosed(uint64 indexed sessionId, uint128 refundedWei);
    /// @notice A node took what it had earned, to another account if it liked.
    event EarningsWithdrawn(address indexed account, address indexed to, uint128 amountWei);

    /// @notice A deposit is more than nothing.
    error EmptyDeposit();
    /// @notice Only authorised accounts may be clients here.
    error NotAuthorised(address account);
    /// @notice Only registered routers can be listed.
    error NotARouter(address account);
    /// @notice An account is on a list once.
    error AlreadyListed(uint64 sessionId, address account);
    /// @notice The account is not on the list.
    error NotListed(uint64 sessionId, address account);
    /// @notice A list of the session would get longer or shorter than it may be.
    error ListOutOfBounds(uint64 sessionId, uint256 count, uint256 minimum, uint256 maximum);
    /// @notice The session was not offered to this account.
    error NotPendingOwner(uint64 sessionId, address account);
    /// @notice The session is in another state.
    error WrongSessionState(uint64 sessionId, SessionState state);
    /// @notice A session is for one model; another model is another session.
    error ModelFixed(uint64 sessionId);
    /// @notice The terms never had this version.
    error UnknownVersion(uint64 sessionId, uint32 version);
    /// @notice The session has submitted as many tasks as its terms allow.
    error TaskLimitReached(uint64 sessionId, uint32 taskLimit);
    /// @notice The session's terms want its tasks settled one by one.
    error NotBatched(uint64 sessionId);
    /// @notice More was to be set aside than so many tasks may cost.
    error ReservedTooMuch(uint64 sessionId, uint128 amountWei);
    /// @notice There is no such session.
    error UnknownSession(uint64 sessionId);
    /// @notice The session is draining or closed.
    error SessionNotOpen(uint64 sessionId, SessionState state);
    /// @notice Only the session's owner may do this.
    error NotSessionOwner(uint64 sessionId, address account);
    /// @notice Only the owner may submit, and a listed router where the terms allow it.
    error NotSubmitter(uint64 sessionId, address account);
    /// @notice A task needs a price to escrow.
    error ZeroPrice(uint64 sessionId);
    /// @notice The session's balance does not cover the task.
    error InsufficientBalance(uint128 availableWei, uint128 requiredWei);
    /// @notice The account has earned nothing that it has not withdrawn.
    error NothingEarned(address account);
}

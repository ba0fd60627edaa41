// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {Modules} from "./Modules.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {Parameters} from "./Parameters.sol";
import {Powers} from "./libraries/Powers.sol";
import {SessionTerms} from "./libraries/SessionTerms.sol";
import {TermsRules} from "./libraries/TermsRules.sol";
import {Role} from "./types/Node.sol";
import {Payment, Session, SessionState, SessionTotals, TaskRules, Terms} from "./types/Session.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title The clients' money
/// @notice Sessions with their terms, balance and escrow, and what nodes have earned. Only the task queue can move
/// money out of a balance; only its owner gets the rest back.
contract Sessions is EffectLog, Modules {
    using SafeERC20 for IERC20;
    using SessionTerms for Session;

    /// @notice A session began.
    event SessionOpened(uint64 indexed sessionId, address indexed client, Terms terms);
    /// @notice A session received money.
    event SessionDeposited(uint64 indexed sessionId, address indexed from, uint128 amountWei);
    /// @notice A session takes no more tasks and closes with the last of those it has.
    event SessionDraining(uint64 indexed sessionId);
    /// @notice A session ended and its owner got the rest back.
    event SessionClosed(uint64 indexed sessionId, uint128 refundedWei);
    /// @notice A node took what it had earned.
    event EarningsWithdrawn(address indexed account, uint128 amountWei);

    /// @notice A deposit is more than nothing.
    error EmptyDeposit();
    /// @notice Only authorised accounts may be clients here.
    error NotAuthorised(address account);
    /// @notice Only registered routers can be listed.
    error NotARouter(address account);
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

    /// @dev What the totals are kept as, in pairs that change together: one storage slot each.
    struct Books {
        uint128 balanceWei;
        uint128 escrowedWei;
        uint128 depositedWei;
        uint128 refundedWei;
        uint128 paidWei;
        uint128 withdrawnWei;
    }

    /// @dev How an account is listed in a session, as bits.
    uint8 private constant LISTED_ROUTER = 1;
    uint8 private constant LISTED_MINER = 2;

    /// @notice The token that is deposited.
    IERC20 public immutable COR;
    /// @notice Who is a router.
    NodeRegistry public immutable REGISTRY;
    /// @notice The pause.
    Parameters public immutable PARAMETERS;

    /// @notice How many sessions were ever opened; also the id of the newest.
    uint64 public sessionCount;

    Books private _books;
    mapping(uint64 sessionId => Session) private _sessions;
    mapping(uint64 sessionId => mapping(address account => uint8 bits)) private _listed;
    mapping(address account => uint128 amountWei) private _earnings;

    /// @param cor The token that is deposited.
    /// @param registry Who is a router.
    constructor(IERC20 cor, NodeRegistry registry) {
        COR = cor;
        REGISTRY = registry;
        PARAMETERS = registry.PARAMETERS();
    }

    /// @notice Opens a session and pulls its first deposit by `transferFrom`.
    /// @param terms Its rules, which never change.
    /// @param depositWei More than nothing.
    /// @param effectId The sender's id of this call; a second use reverts.
    /// @return sessionId Its id, from 1.
    function open(Terms calldata terms, uint128 depositWei, bytes32 effectId) external returns (uint64 sessionId) {
        if (depositWei == 0) revert EmptyDeposit();
        if (!REGISTRY.isAuthorised(msg.sender, Role.Client)) revert NotAuthorised(msg.sender);
        TermsRules.check(terms);
        _markEffectOnce(effectId);
        sessionId = ++sessionCount;
        Session storage session = _sessions[sessionId];
        session.owner = msg.sender;
        session.state = SessionState.Open;
        session.keep(terms);
        _list(sessionId, terms);
        emit SessionOpened(sessionId, msg.sender, terms);
        _deposit(sessionId, depositWei);
    }

    /// @notice Adds money to an open session. Anyone may; it is the owner's from then on.
    /// @param sessionId The session.
    /// @param amountWei More than nothing.
    /// @param effectId The sender's id of this call; a second use reverts.
    function deposit(uint64 sessionId, uint128 amountWei, bytes32 effectId) external {
        _depositOnce(sessionId, amountWei, effectId);
    }

    /// @notice {deposit} with the approval signed instead of sent. A permit that someone else has brought already
    /// does no harm: what counts is the allowance.
    /// @param sessionId The session.
    /// @param amountWei More than nothing; also what is permitted.
    /// @param deadline Seconds since 1970 until which the permit is good.
    /// @param v Of the signature.
    /// @param r Of the signature.
    /// @param s Of the signature.
    /// @param effectId The sender's id of this call; a second use reverts.
    function depositWithPermit(
        uint64 sessionId,
        uint128 amountWei,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s,
        bytes32 effectId
    ) external {
        try IERC20Permit(address(COR)).permit(msg.sender, address(this), amountWei, deadline, v, r, s) {} catch {}
        _depositOnce(sessionId, amountWei, effectId);
    }

    /// @notice Ends a session: at once and with the refund when no task is unfinished, else it drains and the end of
    /// its last task closes it. Only the owner may.
    /// @param sessionId The session.
    /// @param effectId The sender's id of this call.
    function close(uint64 sessionId, bytes32 effectId) external {
        Session storage session = _open(sessionId);
        if (session.owner != msg.sender) revert NotSessionOwner(sessionId, msg.sender);
        _markEffect(effectId);
        session.state = SessionState.Draining;
        if (session.escrowedWei != 0) emit SessionDraining(sessionId);
        _closeIfDrained(session, sessionId);
    }

    /// @notice Takes all that the sender has earned.
    /// @param effectId The sender's id of this call; a second use reverts.
    function withdrawEarnings(bytes32 effectId) external {
        _markEffectOnce(effectId);
        uint128 amountWei = _earnings[msg.sender];
        if (amountWei == 0) revert NothingEarned(msg.sender);
        _earnings[msg.sender] = 0;
        _books.withdrawnWei += amountWei;
        emit EarningsWithdrawn(msg.sender, amountWei);
        COR.safeTransfer(msg.sender, amountWei);
    }

    /// @notice Sets money of a session aside for a task. Only the queue may.
    /// @param sessionId The session.
    /// @param submitter Who submits the task: the owner, or a listed router where the terms allow it.
    /// @param maxPriceWei The most the submitter wants to pay; the terms' own maximum applies too.
    /// @return rules What was set aside, and the terms the task runs under.
    function escrow(uint64 sessionId, address submitter, uint128 maxPriceWei)
        external
        returns (TaskRules memory rules)
    {
        _requirePower(Powers.ESCROW);
        Session storage session = _open(sessionId);
        if (submitter != session.owner && !(session.routerMaySubmit && isRouter(sessionId, submitter))) {
            revert NotSubmitter(sessionId, submitter);
        }
        uint128 escrowWei = maxPriceWei < session.maxTaskPriceWei ? maxPriceWei : session.maxTaskPriceWei;
        uint128 balanceWei = session.balanceWei;
        if (escrowWei == 0) revert ZeroPrice(sessionId);
        if (escrowWei > balanceWei) revert InsufficientBalance(balanceWei, escrowWei);
        session.balanceWei = balanceWei - escrowWei;
        session.escrowedWei += escrowWei;
        _books.balanceWei -= escrowWei;
        _books.escrowedWei += escrowWei;
        rules = session.rulesFor(escrowWei);
    }

    /// @notice Ends a task's escrow: credits the payments and returns the rest to the session. Only the queue may.
    /// @param sessionId The session.
    /// @param escrowWei What was set aside for the task.
    /// @param payments Who gets what, together at most the escrow; none for a refund.
    /// @return returnedWei What went back to the session.
    function release(uint64 sessionId, uint128 escrowWei, Payment[] calldata payments)
        external
        returns (uint128 returnedWei)
    {
        _requirePower(Powers.ESCROW);
        uint128 paidWei = 0;
        for (uint256 i = 0; i < payments.length; ++i) {
            _earnings[payments[i].to] += payments[i].amountWei;
            paidWei += payments[i].amountWei;
        }
        returnedWei = escrowWei - paidWei;
        Session storage session = _sessions[sessionId];
        session.escrowedWei -= escrowWei;
        session.balanceWei += returnedWei;
        _books.escrowedWei -= escrowWei;
        _books.balanceWei += returnedWei;
        if (paidWei != 0) _books.paidWei += paidWei;
        _closeIfDrained(session, sessionId);
    }

    /// @notice A session as it is stored; the state is `None` if there is no such session.
    /// @param sessionId The session.
    function sessionOf(uint64 sessionId) external view returns (Session memory) {
        return _sessions[sessionId];
    }

    /// @notice What a session pays per token, in wei.
    /// @param sessionId The session.
    function tokenPricesOf(uint64 sessionId) external view returns (uint128 promptTokenWei, uint128 outputTokenWei) {
        Session storage session = _sessions[sessionId];
        return (session.promptTokenWei, session.outputTokenWei);
    }

    /// @notice Whether an account owns a session or is one of its routers.
    /// @param sessionId The session.
    /// @param account The account.
    function isOwnerOrRouter(uint64 sessionId, address account) external view returns (bool) {
        return _sessions[sessionId].owner == account || isRouter(sessionId, account);
    }

    /// @notice Whether a session lets a miner work for it.
    /// @param sessionId The session.
    /// @param miner The miner.
    function mayMine(uint64 sessionId, address miner) external view returns (bool) {
        return !_sessions[sessionId].dedicated || _listed[sessionId][miner] & LISTED_MINER != 0;
    }

    /// @notice What an account has earned and not withdrawn, in wei.
    /// @param account The account.
    function earningsOf(address account) external view returns (uint128) {
        return _earnings[account];
    }

    /// @notice The sessions' money.
    function totals() external view returns (SessionTotals memory) {
        Books memory books = _books;
        return SessionTotals({
            depositedWei: books.depositedWei,
            balanceWei: books.balanceWei,
            escrowedWei: books.escrowedWei,
            paidWei: books.paidWei,
            refundedWei: books.refundedWei,
            unclaimedWei: books.paidWei - books.withdrawnWei
        });
    }

    /// @notice Whether an account is one of a session's routers.
    /// @param sessionId The session.
    /// @param account The account.
    function isRouter(uint64 sessionId, address account) public view returns (bool) {
        return _listed[sessionId][account] & LISTED_ROUTER != 0;
    }

    function _list(uint64 sessionId, Terms calldata terms) private {
        mapping(address => uint8) storage listed = _listed[sessionId];
        for (uint256 i = 0; i < terms.routers.length; ++i) {
            address router = terms.routers[i];
            if (!REGISTRY.hasRole(router, Role.Router)) revert NotARouter(router);
            listed[router] |= LISTED_ROUTER;
        }
        for (uint256 i = 0; i < terms.dedicatedMiners.length; ++i) {
            listed[terms.dedicatedMiners[i]] |= LISTED_MINER;
        }
    }

    function _depositOnce(uint64 sessionId, uint128 amountWei, bytes32 effectId) private {
        if (amountWei == 0) revert EmptyDeposit();
        _markEffectOnce(effectId);
        _deposit(sessionId, amountWei);
    }

    function _deposit(uint64 sessionId, uint128 amountWei) private {
        PARAMETERS.requireEntriesOpen();
        _open(sessionId).balanceWei += amountWei;
        _books.balanceWei += amountWei;
        _books.depositedWei += amountWei;
        emit SessionDeposited(sessionId, msg.sender, amountWei);
        COR.safeTransferFrom(msg.sender, address(this), amountWei);
    }

    function _closeIfDrained(Session storage session, uint64 sessionId) private {
        if (session.state != SessionState.Draining || session.escrowedWei != 0) return;
        uint128 refundedWei = session.balanceWei;
        session.state = SessionState.Closed;
        session.balanceWei = 0;
        _books.balanceWei -= refundedWei;
        _books.refundedWei += refundedWei;
        emit SessionClosed(sessionId, refundedWei);
        COR.safeTransfer(session.owner, refundedWei);
    }

    function _open(uint64 sessionId) private view returns (Session storage session) {
        session = _sessions[sessionId];
        SessionState state = session.state;
        if (state == SessionState.None) revert UnknownSession(sessionId);
        if (state != SessionState.Open) revert SessionNotOpen(sessionId, state);
    }
}

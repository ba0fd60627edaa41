// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {Modules} from "./Modules.sol";
import {Parameters} from "./Parameters.sol";
import {Pricing} from "./Pricing.sol";
import {SessionEvents} from "./SessionEvents.sol";
import {Limits} from "./libraries/Limits.sol";
import {Powers} from "./libraries/Powers.sol";
import {Payment, Permit, Session, SessionState, SessionTotals} from "./types/Session.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Where the clients' money is
/// @notice Balances and escrows of sessions and what accounts have earned, with the ways in and out.
abstract contract SessionMoney is EffectLog, Modules, SessionEvents {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev What the totals are kept as, in pairs that change together: one storage slot each.
    struct Books {
        uint128 balanceWei;
        uint128 escrowedWei;
        uint128 depositedWei;
        uint128 refundedWei;
        uint128 paidWei;
        uint128 withdrawnWei;
    }

    /// @notice The token that is deposited.
    IERC20 public immutable COR;
    /// @notice The numbers of the economy, and the pause.
    Parameters public immutable PARAMETERS;
    /// @notice The demand for each model.
    Pricing public immutable PRICING;

    mapping(uint64 sessionId => Session) internal _sessions;
    Books private _books;
    // What was ever earned and taken: both only grow, so no settlement pays for a slot that a withdrawal has cleared.
    mapping(address account => uint128 amountWei) private _earned;
    mapping(address account => uint128 amountWei) private _withdrawn;

    /// @param cor The token that is deposited.
    /// @param parameters The numbers of the economy, and the pause.
    /// @param pricing The demand for each model.
    constructor(IERC20 cor, Parameters parameters, Pricing pricing) {
        COR = cor;
        PARAMETERS = parameters;
        PRICING = pricing;
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
    /// @param permit The signed approval of just this amount.
    /// @param effectId The sender's id of this call; a second use reverts.
    function depositWithPermit(uint64 sessionId, uint128 amountWei, Permit calldata permit, bytes32 effectId) external {
        _permit(amountWei, permit);
        _depositOnce(sessionId, amountWei, effectId);
    }

    /// @notice Ends a session: at once and with the refund when no task is unfinished, else it drains and the end of
    /// its last task closes it. Only the owner may.
    /// @param sessionId The session.
    /// @param effectId The sender's id of this call.
    function close(uint64 sessionId, bytes32 effectId) external {
        Session storage session = _ownedLive(sessionId);
        _markEffect(effectId);
        session.state = SessionState.Draining;
        if (session.escrowedWei != 0) emit SessionDraining(sessionId);
        _closeIfDrained(session, sessionId);
    }

    /// @notice Takes all that the sender has earned.
    /// @param effectId The sender's id of this call; a second use reverts.
    function withdrawEarnings(bytes32 effectId) external {
        _withdraw(msg.sender, effectId);
    }

    /// @notice {withdrawEarnings} to another account: a node's key need not be where its money is.
    /// @param to Who receives the tokens; zero is refused by the token.
    /// @param effectId The sender's id of this call; a second use reverts.
    function withdrawEarningsTo(address to, bytes32 effectId) external {
        _withdraw(to, effectId);
    }

    /// @notice Ends what was set aside for a batch: hands over what the session pays, and gives it the rest back. Only
    /// the batches may, which then pay those who earned it.
    /// @param sessionId The session.
    /// @param reservedWei What was set aside.
    /// @param drawnWei What the session pays of it; nothing for a void batch.
    function settleBatch(uint64 sessionId, uint128 reservedWei, uint128 drawnWei) external {
        _requirePower(Powers.DRAW);
        uint128 returnedWei = reservedWei - drawnWei;
        Session storage session = _sessions[sessionId];
        session.escrowedWei -= uint256(reservedWei).toUint96();
        session.balanceWei += uint256(returnedWei).toUint96();
        _books.escrowedWei -= reservedWei;
        _books.balanceWei += returnedWei;
        if (drawnWei != 0) {
            _books.paidWei += drawnWei;
            _books.withdrawnWei += drawnWei;
        }
        _closeIfDrained(session, sessionId);
        if (drawnWei != 0) COR.safeTransfer(msg.sender, drawnWei);
    }

    /// @notice What an account has earned and not withdrawn, in wei.
    /// @param account The account.
    function earningsOf(address account) external view returns (uint128) {
        return _earned[account] - _withdrawn[account];
    }

    /// @notice What an account has ever earned, in wei: never falls.
    /// @param account The account.
    function earnedBy(address account) external view returns (uint128) {
        return _earned[account];
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

    function _setAside(Session storage session, uint128 amountWei) internal {
        uint96 balanceWei = session.balanceWei;
        if (amountWei > balanceWei) revert InsufficientBalance(balanceWei, amountWei);
        // forge-lint: disable-next-line(unsafe-typecast) at most the balance, which fits
        uint96 asideWei = uint96(amountWei);
        session.balanceWei = balanceWei - asideWei;
        session.escrowedWei += asideWei;
        _books.balanceWei -= amountWei;
        _books.escrowedWei += amountWei;
    }

    /// @dev Ends an escrow: pays what was earned of it and gives the rest back.
    function _release(uint64 sessionId, uint128 escrowWei, uint32 demandPpm, Payment[] calldata payments)
        internal
        returns (uint128 returnedWei)
    {
        uint128 paidWei = 0;
        for (uint256 i = 0; i < payments.length; ++i) {
            _credit(payments[i].to, payments[i].amountWei);
            paidWei += payments[i].amountWei;
        }
        PRICING.ended(_sessions[sessionId].model, paidWei == 0 ? 0 : (uint256(paidWei) * Limits.PPM) / demandPpm);
        return _endEscrow(sessionId, escrowWei, paidWei);
    }

    function _credit(address account, uint128 amountWei) internal {
        _earned[account] += amountWei;
    }

    /// @dev Gives back what is left of an escrow once its payments are credited.
    function _endEscrow(uint64 sessionId, uint128 escrowWei, uint128 paidWei) internal returns (uint128 returnedWei) {
        returnedWei = escrowWei - paidWei;
        Session storage session = _sessions[sessionId];
        session.escrowedWei -= uint256(escrowWei).toUint96();
        session.balanceWei += uint256(returnedWei).toUint96();
        _books.escrowedWei -= escrowWei;
        _books.balanceWei += returnedWei;
        if (paidWei != 0) _books.paidWei += paidWei;
        _closeIfDrained(session, sessionId);
    }

    /// @dev Somebody else may have brought the permit before, so what it did is seen by the allowance alone.
    function _permit(uint128 amountWei, Permit calldata permit) internal {
        IERC20Permit token = IERC20Permit(address(COR));
        // solhint-disable no-empty-blocks
        try token.permit(msg.sender, address(this), amountWei, permit.deadline, permit.v, permit.r, permit.s) {}
            catch {}
        // solhint-enable no-empty-blocks
    }

    function _withdraw(address to, bytes32 effectId) private {
        _markEffectOnce(effectId);
        uint128 amountWei = _earned[msg.sender] - _withdrawn[msg.sender];
        if (amountWei == 0) revert NothingEarned(msg.sender);
        _withdrawn[msg.sender] += amountWei;
        _books.withdrawnWei += amountWei;
        emit EarningsWithdrawn(msg.sender, to, amountWei);
        COR.safeTransfer(to, amountWei);
    }

    function _depositOnce(uint64 sessionId, uint128 amountWei, bytes32 effectId) private {
        if (amountWei == 0) revert EmptyDeposit();
        _markEffectOnce(effectId);
        _deposit(sessionId, amountWei);
    }

    function _deposit(uint64 sessionId, uint128 amountWei) internal {
        PARAMETERS.requireEntriesOpen();
        Session storage session = _live(sessionId);
        session.balanceWei += uint256(amountWei).toUint96();
        _books.balanceWei += amountWei;
        _books.depositedWei += amountWei;
        emit SessionDeposited(sessionId, msg.sender, amountWei);
        PRICING.funded(session.model, amountWei, 0);
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
        PRICING.funded(session.model, 0, refundedWei);
        COR.safeTransfer(session.owner, refundedWei);
    }

    /// @dev A session that takes tasks.
    function _open(uint64 sessionId) internal view returns (Session storage session) {
        session = _live(sessionId);
        if (session.state != SessionState.Open) revert SessionNotOpen(sessionId, session.state);
    }

    /// @dev A session that has not come to its end, whether or not it takes tasks now.
    function _live(uint64 sessionId) internal view returns (Session storage session) {
        session = _known(sessionId);
        SessionState state = session.state;
        if (state == SessionState.Draining || state == SessionState.Closed) revert SessionNotOpen(sessionId, state);
    }

    function _ownedLive(uint64 sessionId) internal view returns (Session storage session) {
        session = _live(sessionId);
        if (session.owner != msg.sender) revert NotSessionOwner(sessionId, msg.sender);
    }

    function _known(uint64 sessionId) internal view returns (Session storage session) {
        session = _sessions[sessionId];
        if (session.state == SessionState.None) revert UnknownSession(sessionId);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {Sessions} from "./Sessions.sol";
import {Role} from "./types/Node.sol";
import {Reservation} from "./types/Reservation.sol";
import {PoolMode, SessionRecord, TaskRules} from "./types/Session.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

/// @title Miners that are kept for a session
/// @notice A session invites miners of the open pool, and those that want to join are paid the terms' fee for being there
/// for one period. Both sides agree: nobody is reserved that did not join, and nobody is paid that was not invited. Whoever
/// schedules the session's tasks draws from its reserved miners first; the contract allows any other all the same, so that
/// a silent pool holds nothing up.
contract Reservations is EffectLog {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @notice A miner may join a session's pool, once, while the session's terms are of this version.
    event MinerInvited(uint64 indexed sessionId, address indexed miner, uint32 version);
    /// @notice An invitation was taken back.
    event InvitationWithdrawn(uint64 indexed sessionId, address indexed miner);
    /// @notice A miner is reserved, until a time in seconds since 1970.
    event MinerReserved(uint64 indexed sessionId, address indexed miner, uint128 feeWei, uint40 reservedUntil);
    /// @notice A reservation ended, and the miner earned its part of the fee.
    event ReservationEnded(uint64 indexed sessionId, address indexed miner, uint128 paidWei);

    /// @notice Only the session's owner, and its routers where they may submit, invite and dismiss.
    error NotInviter(uint64 sessionId, address account);
    /// @notice The session reserves nobody: its terms name no period, or let only dedicated miners work.
    error NothingToReserve(uint64 sessionId);
    /// @notice The miner was not invited under the terms that hold now.
    error NotInvited(uint64 sessionId, address miner);
    /// @notice The miner is reserved already.
    error AlreadyReserved(uint64 sessionId, address miner);
    /// @notice The miner is not reserved.
    error NotReserved(uint64 sessionId, address miner);
    /// @notice The session's pool is as large as its terms allow.
    error PoolFull(uint64 sessionId, uint256 maximum);
    /// @notice The account is no active miner.
    error NotAMiner(address account);
    /// @notice The reservation lasts longer.
    error StillReserved(uint64 sessionId, address miner, uint40 reservedUntil);

    /// @notice The sessions whose money it is.
    Sessions public immutable SESSIONS;

    mapping(uint64 sessionId => mapping(address miner => uint32 version)) private _invited;
    mapping(uint64 sessionId => mapping(address miner => Reservation)) private _reservations;
    mapping(uint64 sessionId => EnumerableSet.AddressSet) private _pools;

    /// @param sessions The sessions whose money it is.
    constructor(Sessions sessions) {
        SESSIONS = sessions;
    }

    /// @notice Invites a miner, for one reservation under the terms that hold now. The session's owner may, and its routers
    /// where they may submit in its name: who may spend its money on tasks may spend it on this.
    /// @param sessionId The session.
    /// @param miner The miner.
    /// @param effectId The sender's id of this call; a second use reverts.
    function invite(uint64 sessionId, address miner, bytes32 effectId) external {
        uint32 version = _requireInviter(sessionId).version;
        _markEffectOnce(effectId);
        _invited[sessionId][miner] = version;
        emit MinerInvited(sessionId, miner, version);
    }

    /// @notice Takes an invitation back that the miner has not followed.
    /// @param sessionId The session.
    /// @param miner The miner.
    /// @param effectId The sender's id of this call.
    function withdrawInvitation(uint64 sessionId, address miner, bytes32 effectId) external {
        _requireInviter(sessionId);
        if (_invited[sessionId][miner] == 0) revert NotInvited(sessionId, miner);
        _markEffect(effectId);
        delete _invited[sessionId][miner];
        emit InvitationWithdrawn(sessionId, miner);
    }

    /// @notice Joins the pool of a session that has invited the sender, for one period. The fee is set aside at once.
    /// @param sessionId The session.
    /// @param effectId The sender's id of this call; a second use reverts.
    function join(uint64 sessionId, bytes32 effectId) external {
        SessionRecord memory session = SESSIONS.sessionOf(sessionId);
        uint32 invitedVersion = _invited[sessionId][msg.sender];
        if (invitedVersion == 0 || invitedVersion != session.version) revert NotInvited(sessionId, msg.sender);
        TaskRules memory rules = SESSIONS.rulesOf(sessionId, session.version);
        if (rules.reservePeriodS == 0 || rules.mode == PoolMode.Dedicated) revert NothingToReserve(sessionId);
        if (!SESSIONS.REGISTRY().isActive(msg.sender, Role.Miner)) revert NotAMiner(msg.sender);
        if (!_pools[sessionId].add(msg.sender)) revert AlreadyReserved(sessionId, msg.sender);
        if (_pools[sessionId].length() > rules.maxMiners) revert PoolFull(sessionId, rules.maxMiners);
        _markEffectOnce(effectId);
        delete _invited[sessionId][msg.sender];
        uint128 feeWei = SESSIONS.holdFee(sessionId);
        uint40 reservedUntil = uint40(block.timestamp) + rules.reservePeriodS;
        _reservations[sessionId][msg.sender] =
            Reservation({feeWei: feeWei, since: uint40(block.timestamp), reservedUntil: reservedUntil});
        emit MinerReserved(sessionId, msg.sender, feeWei, reservedUntil);
    }

    /// @notice Ends a reservation whose time is over: the miner earns the fee if it is still active, else nothing. Anyone
    /// may.
    /// @param sessionId The session.
    /// @param miner The reserved miner.
    /// @param effectId The sender's id of this call.
    function endReservation(uint64 sessionId, address miner, bytes32 effectId) external {
        Reservation memory reserved = _reserved(sessionId, miner);
        if (block.timestamp < reserved.reservedUntil) revert StillReserved(sessionId, miner, reserved.reservedUntil);
        bool active = SESSIONS.REGISTRY().isActive(miner, Role.Miner);
        _end(sessionId, miner, reserved.feeWei, active ? reserved.feeWei : 0, effectId);
    }

    /// @notice Lets a miner go before its time; it earns the part of the fee for the time it was there. Whoever may invite
    /// may, and the owner also when the session is draining.
    /// @param sessionId The session.
    /// @param miner The reserved miner.
    /// @param effectId The sender's id of this call.
    function dismiss(uint64 sessionId, address miner, bytes32 effectId) external {
        _requireInviter(sessionId);
        Reservation memory reserved = _reserved(sessionId, miner);
        _end(sessionId, miner, reserved.feeWei, _partOf(reserved), effectId);
    }

    /// @notice Goes before the time is over, and earns nothing.
    /// @param sessionId The session.
    /// @param effectId The sender's id of this call.
    function leavePool(uint64 sessionId, bytes32 effectId) external {
        Reservation memory reserved = _reserved(sessionId, msg.sender);
        if (block.timestamp >= reserved.reservedUntil) revert NotReserved(sessionId, msg.sender);
        _end(sessionId, msg.sender, reserved.feeWei, 0, effectId);
    }

    /// @notice How many miners are in a session's pool.
    /// @param sessionId The session.
    function reservedCount(uint64 sessionId) external view returns (uint256) {
        return _pools[sessionId].length();
    }

    /// @notice Up to `count` miners of a session's pool; fewer, or none, at the end.
    /// @param sessionId The session.
    /// @param from The place of the first, from 0.
    /// @param count How many at most.
    function reservedPage(uint64 sessionId, uint256 from, uint256 count) external view returns (address[] memory) {
        return _pools[sessionId].values(from, from + count);
    }

    /// @notice A miner's reservation; until zero where there is none.
    /// @param sessionId The session.
    /// @param miner The miner.
    function reservationOf(uint64 sessionId, address miner) external view returns (Reservation memory) {
        return _reservations[sessionId][miner];
    }

    /// @notice The version of the terms under which a miner is invited; zero where it is not.
    /// @param sessionId The session.
    /// @param miner The miner.
    function invitationOf(uint64 sessionId, address miner) external view returns (uint32) {
        return _invited[sessionId][miner];
    }

    function _end(uint64 sessionId, address miner, uint128 feeWei, uint128 paidWei, bytes32 effectId) private {
        _markEffect(effectId);
        delete _reservations[sessionId][miner];
        _pools[sessionId].remove(miner);
        emit ReservationEnded(sessionId, miner, paidWei);
        SESSIONS.payFee(sessionId, feeWei, miner, paidWei);
    }

    /// @dev What a miner has earned of its fee by now.
    function _partOf(Reservation memory reserved) private view returns (uint128) {
        uint256 there = block.timestamp - reserved.since;
        uint256 whole = reserved.reservedUntil - reserved.since;
        if (there >= whole) return reserved.feeWei;
        // forge-lint: disable-next-line(unsafe-typecast) less than the fee, which fits
        return uint128((uint256(reserved.feeWei) * there) / whole);
    }

    function _reserved(uint64 sessionId, address miner) private view returns (Reservation memory reserved) {
        reserved = _reservations[sessionId][miner];
        if (reserved.reservedUntil == 0) revert NotReserved(sessionId, miner);
    }

    function _requireInviter(uint64 sessionId) private view returns (SessionRecord memory session) {
        session = SESSIONS.sessionOf(sessionId);
        bool mayRoute = session.routerMaySubmit && SESSIONS.isRouter(sessionId, msg.sender);
        if (session.owner != msg.sender && !mayRoute) revert NotInviter(sessionId, msg.sender);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/types/Node.sol";
import {Reservation} from "../../src/types/Reservation.sol";
import {PoolMode, SessionRecord, SessionState, TaskRules} from "../../src/types/Session.sol";
import {vm} from "../base/Vm.sol";
import {AllowingHandler} from "./AllowingHandler.sol";

/// @title Sessions that reserve miners, and miners that come uninvited or too early
abstract contract ReservingHandler is AllowingHandler {
    mapping(uint64 sessionId => mapping(address miner => uint32 version)) private _invitedAt;
    mapping(uint64 sessionId => mapping(address miner => Reservation)) private _reserved;
    mapping(uint64 sessionId => uint256 count) private _poolCount;
    /// @dev Who was invited last.
    uint64 private _lastInvited;
    address private _lastMiner;

    function somebodyInvites(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0) return;
        SessionRecord memory session = sessions.sessionOf(id);
        address by = _inviter(seed >> 8, id, session.owner);
        address miner = _miner(seed >> 16);
        if (seed & (7 << 32) != 0) {
            bytes memory call = abi.encodeCall(reservations.invite, (id, miner, effect()));
            _do(by, address(reservations), call, _mayInvite(id, session, by), "invited");
            if (!_mayInvite(id, session, by)) return;
            _invitedAt[id][miner] = session.version;
            (_lastInvited, _lastMiner) = (id, miner);
        } else {
            if (_lastInvited != 0 && seed & (1 << 40) != 0) {
                (id, miner) = (_lastInvited, _lastMiner);
                session = sessions.sessionOf(id);
            }
            bool allowed = _mayInvite(id, session, by) && _invitedAt[id][miner] != 0;
            bytes memory call = abi.encodeCall(reservations.withdrawInvitation, (id, miner, effect()));
            _do(by, address(reservations), call, allowed, "uninvited");
            if (allowed) _invitedAt[id][miner] = 0;
        }
    }

    function minerJoins(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0) return;
        address miner = _miner(seed >> 8);
        if (_lastInvited != 0 && seed & (3 << 32) != 0) (id, miner) = (_lastInvited, _lastMiner);
        SessionRecord memory session = sessions.sessionOf(id);
        TaskRules memory rules = sessions.rulesOf(id, session.version);
        uint32 invited = _invitedAt[id][miner];
        bool allowed = invited != 0 && invited == session.version && rules.reservePeriodS != 0
            && rules.mode == PoolMode.Ephemeral && registry.isActive(miner, Role.Miner)
            && _reserved[id][miner].reservedUntil == 0 && _poolCount[id] < rules.maxMiners
            && session.state == SessionState.Open && session.reserveFeeWei <= session.balanceWei;
        _do(miner, address(reservations), abi.encodeCall(reservations.join, (id, effect())), allowed, "joined");
        if (!allowed) return;
        delete _invitedAt[id][miner];
        ++_poolCount[id];
        feesHeldWei += session.reserveFeeWei;
        _reserved[id][miner] =
            Reservation(session.reserveFeeWei, uint40(block.timestamp), uint40(block.timestamp) + rules.reservePeriodS);
    }

    function anyoneEndsAReservation(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id != 0) _endReservation(id, _reservedOf(id, seed >> 8));
    }

    function _endReservation(uint64 id, address miner) internal {
        Reservation memory reserved = _reserved[id][miner];
        bool allowed = reserved.reservedUntil != 0 && block.timestamp >= reserved.reservedUntil;
        bool active = registry.isActive(miner, Role.Miner);
        bytes memory call = abi.encodeCall(reservations.endReservation, (id, miner, effect()));
        _do(STRANGER, address(reservations), call, allowed, active ? bytes32("served") : bytes32("absent"));
        if (allowed) _ended(id, miner, active ? reserved.feeWei : 0);
    }

    function somebodyDismisses(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0) return;
        SessionRecord memory session = sessions.sessionOf(id);
        (address by, address miner) = (_inviter(seed >> 8, id, session.owner), _reservedOf(id, seed >> 16));
        if (seed & (3 << 64) != 0) return;
        Reservation memory reserved = _reserved[id][miner];
        bool allowed = _mayInvite(id, session, by) && reserved.reservedUntil != 0;
        _do(by, address(reservations), abi.encodeCall(reservations.dismiss, (id, miner, effect())), allowed, "let go");
        if (!allowed) return;
        uint256 there = block.timestamp - reserved.since;
        uint256 whole = reserved.reservedUntil - reserved.since;
        _ended(id, miner, there >= whole ? reserved.feeWei : (reserved.feeWei * there) / whole);
    }

    function minerLeavesThePool(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        address miner = _reservedOf(id, seed >> 8);
        bool allowed = block.timestamp < _reserved[id][miner].reservedUntil;
        if (allowed && seed & (1 << 32) != 0) return;
        bytes memory call = abi.encodeCall(reservations.leavePool, (id, effect()));
        _do(miner, address(reservations), call, allowed, "left the pool");
        if (allowed) _ended(id, miner, 0);
    }

    /// @dev A miner that rests is paid for no reservation that ends meanwhile.
    function minerRestsOrWorks(uint256 number) external conserves {
        uint256 seed = _mix(number);
        vm.prank(_miner(seed));
        registry.setActive(seed & (3 << 8) != 0, effect());
    }

    /// @notice Whoever is reserved by the contract is by what happened, for the fee that was set aside.
    function assertReservations() external view {
        uint256 heldWei = 0;
        for (uint64 id = 1; id <= sessions.sessionCount(); ++id) {
            for (uint256 i = 0; i < 4; ++i) {
                Reservation memory real = reservations.reservationOf(id, miners[i]);
                assertEq(keccak256(abi.encode(real)), keccak256(abi.encode(_reserved[id][miners[i]])), "a reservation");
                heldWei += real.feeWei;
            }
            assertEq(reservations.reservedCount(id), _poolCount[id], "a pool");
        }
        assertEq(heldWei, feesHeldWei, "all fees");
    }

    function _ended(uint64 id, address miner, uint256 paidWei) private {
        Reservation memory reserved = _reserved[id][miner];
        assertTrue(paidWei <= reserved.feeWei, "never more than the fee");
        feesHeldWei -= reserved.feeWei;
        --_poolCount[id];
        delete _reserved[id][miner];
        _earn(id, miner, paidWei);
    }

    function _mayInvite(uint64 id, SessionRecord memory session, address by) private view returns (bool) {
        return session.owner == by || (session.routerMaySubmit && sessions.isRouter(id, by));
    }

    /// @dev Of a session of the pool its user, who is not its owner.
    function _inviter(uint256 seed, uint64 id, address owner) private view returns (address) {
        uint256 what = within(seed, 0, 7);
        if (what == 0) return STRANGER;
        if (what > 4) return _pick(routers, seed >> 8);
        address user = stakeToUse.userOf(id);
        return user == address(0) ? owner : user;
    }

    /// @dev Rather one that is reserved.
    function _reservedOf(uint64 id, uint256 seed) private view returns (address miner) {
        for (uint256 i = 0; i < 4; ++i) {
            miner = miners[within(seed + i, 0, 3)];
            if (_reserved[id][miner].reservedUntil != 0) return miner;
        }
    }

    /// @dev Few, so that they meet.
    function _miner(uint256 seed) internal view returns (address) {
        return miners[within(seed, 0, 3)];
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PoolMode, SessionRecord, SessionState, SessionTotals, Terms} from "../../src/types/Session.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @title What everybody needs who moves money in and out of sessions at random
/// @notice Every action says beforehand whether it must succeed, by a count of its own of all that was done before: one
/// that is refused and should not be is as much a defect as one that works and should not.
abstract contract PaymentActing is NetworkTest {
    /// @dev Sessions ever opened, and of those that have not ended those of the owners and those of the pool.
    uint256 private constant SESSIONS_MAX = 24;
    uint256 private constant LIVE_MAX = 4;
    /// @dev Tasks that have not ended.
    uint256 internal constant TASKS_MAX = 6;

    /// @notice Who opens sessions with own money.
    address[] internal _owners;
    /// @notice Who uses the pool.
    address[] internal _users;

    bytes32[] internal _tasks;
    mapping(bytes32 taskId => uint256 escrowWei) internal _escrowOf;
    mapping(bytes32 taskId => uint64 sessionId) internal _taskSession;
    /// @notice What is set aside for tasks, and for reservations.
    uint256 public tasksHeldWei;
    uint256 public feesHeldWei;
    /// @notice What a session's tasks have cost it.
    mapping(uint64 sessionId => uint256 paidWei) public paidBy;
    /// @notice What an account has earned, by what those who pay it were told.
    mapping(address account => uint256 earnedWei) internal _earned;
    uint256 internal _earnedWei;

    /// @notice The sessions that the pool pays for.
    uint64[] internal _poolSessions;
    /// @notice What the pool was given, in all.
    uint256 public fundedWei;
    /// @notice What the users have staked and not taken back.
    uint256 public stakesWei;

    /// @notice How often each kind of thing happened, for the test to see that it did.
    mapping(bytes32 what => uint256 count) public happened;

    /// @dev After every single action, whatever it was.
    modifier conserves() {
        _;
        assertPayments();
    }

    /// @notice What is true of all the money at every moment.
    function assertPayments() public view {
        assertTotalsConserved();
        SessionTotals memory totals = sessions.totals();
        assertEq(totals.escrowedWei, tasksHeldWei + feesHeldWei, "escrow is of tasks and reservations");
        assertEq(totals.paidWei, _earnedWei, "what was paid was earned");
        assertEq(stakeToUse.stakedWei(), stakesWei, "stakes for use are what was put in and not taken");
        assertEq(cor.balanceOf(address(stakeToUse)), stakesWei + stakeToUse.poolWei(), "and they are all there");
        uint256 poolWei = stakeToUse.poolWei();
        for (uint256 i = 0; i < _poolSessions.length; ++i) {
            SessionRecord memory session = sessions.sessionOf(_poolSessions[i]);
            poolWei += session.balanceWei + session.escrowedWei + paidBy[_poolSessions[i]];
        }
        assertEq(poolWei, fundedWei, "the pool's money is in the pool, in its sessions, or paid for work");
    }

    // ---------------------------------------------------------------- doing

    /// @dev Makes a call that must end as was foreseen.
    function _do(address sender, address target, bytes memory call, bool allowed, bytes32 what) internal {
        vm.prank(sender);
        (bool done,) = target.call(call);
        assertEq(done ? 1 : 0, allowed ? 1 : 0, string(abi.encodePacked(what)));
        ++happened[allowed ? what : bytes32("refused")];
    }

    /// @dev Whatever has no right to be, from anybody.
    function _vain(address sender, address target, bytes memory call) internal {
        _do(sender, target, call, false, "in vain");
    }

    function _earn(uint64 sessionId, address account, uint256 amountWei) internal {
        _earned[account] += amountWei;
        _earnedWei += amountWei;
        paidBy[sessionId] += amountWei;
    }

    // ---------------------------------------------------------------- choosing

    /// @dev The fuzzer likes small and extreme numbers; every choice here wants bits of its own.
    function _mix(uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(number)));
    }

    /// @dev Rather one that has not ended.
    function _anySession(uint256 seed) internal view returns (uint64 id) {
        uint64 count = sessions.sessionCount();
        if (count == 0) return 0;
        for (uint256 i = 0; i < 3; ++i) {
            id = uint64(within(seed >> (3 * i), 1, count));
            if (sessions.sessionOf(id).state != SessionState.Closed) return id;
        }
    }

    /// @dev A session of the pool; any where there is none.
    function _anyPoolSession(uint256 seed) internal view returns (uint64) {
        uint256 count = _poolSessions.length;
        return count == 0 ? _anySession(seed) : _poolSessions[within(seed, 0, count - 1)];
    }

    /// @dev Whether there is room for one more session.
    function _mayOpen(bool byPool) internal view returns (bool) {
        uint256 live = 0;
        uint64 count = sessions.sessionCount();
        for (uint64 id = 1; id <= count; ++id) {
            bool isPools = stakeToUse.userOf(id) != address(0);
            if (isPools == byPool && sessions.sessionOf(id).state != SessionState.Closed) ++live;
        }
        return count < SESSIONS_MAX && live < LIVE_MAX;
    }

    function _pick(address[] memory from, uint256 seed) internal pure returns (address) {
        return from[within(seed, 0, from.length - 1)];
    }

    function _isLive(SessionState state) internal pure returns (bool) {
        return state == SessionState.Open || state == SessionState.Inactive;
    }

    /// @dev An amount at a bound, one past it, or anywhere up to twice of it.
    function _around(uint256 boundWei, uint256 seed) internal pure returns (uint128) {
        uint256 what = within(seed, 0, 3);
        // forge-lint: disable-next-line(unsafe-typecast) amounts of $COR
        return uint128(what == 0 ? boundWei : what == 1 ? boundWei + 1 : within(seed >> 8, 0, boundWei * 2));
    }

    /// @dev One miner, whose word is enough.
    function _terms(uint256 seed) internal pure returns (Terms memory terms) {
        terms = defaultTerms();
        (terms.redundancy, terms.level, terms.validators) = (1, 0, 0);
        terms.maxMiners = uint8(within(seed, 1, 3));
        terms.routerMaySubmit = seed & (1 << 8) != 0;
        terms.maxTaskPriceWei = uint128(within(seed >> 9, 1 ether, MAX_PRICE));
        terms.reservePeriodS = seed & (7 << 100) == 0 ? 0 : 4 hours;
        terms.reserveFeeWei = uint128(within(seed >> 104, 0, 1 ether));
        terms.mode = PoolMode.Ephemeral;
    }
}

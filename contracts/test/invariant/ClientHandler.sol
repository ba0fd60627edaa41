// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/types/Node.sol";
import {Reservation} from "../../src/types/Reservation.sol";
import {PoolMode, SessionRecord, SessionState, TaskRules, Terms} from "../../src/types/Session.sol";
import {TaskRecord, TaskState} from "../../src/types/Task.sol";
import {vm} from "../base/Vm.sol";
import {Acting} from "./Acting.sol";

/// @title The clients of a network, acting at random
/// @notice And what their reservations cost, counted on the side.
abstract contract ClientHandler is Acting {
    uint256 private constant SESSIONS_MAX = 4;

    /// @notice What is set aside for reservations.
    uint256 public feesHeldWei;
    /// @notice What reservations have cost.
    uint256 public feesPaidWei;
    // ---------------------------------------------------------------- clients

    function clientOpens(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (sessions.sessionCount() == SESSIONS_MAX) return;
        Terms memory terms = defaultTerms();
        terms.redundancy = uint8(within(seed, 1, 3));
        terms.level = uint8(within(seed >> 8, 0, 3) == 0 ? 0 : 1);
        terms.validators = uint8(within(seed >> 16, terms.level, 3));
        terms.routerMaySubmit = seed & (1 << 24) != 0;
        (terms.reservePeriodS, terms.reserveFeeWei) = (300, uint128(within(seed >> 40, 0, 1 ether)));
        if (seed & (3 << 25) == 0) openDedicated(terms, first(miners, 3));
        else openSession(terms);
    }

    function anyoneDeposits(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (sessions.sessionOf(id).state != SessionState.Open) return;
        vm.prank(CLIENT);
        sessions.deposit(id, uint128(within(seed >> 8, 1, 50 ether)), effect());
    }

    /// @dev Other terms for the tasks to come, of which those under way must notice nothing.
    function clientUpdates(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        SessionRecord memory session = sessions.sessionOf(id);
        if (session.state != SessionState.Open) return;
        Terms memory terms = defaultTerms();
        terms.redundancy = uint8(within(seed >> 8, 1, 3));
        terms.minMiners = uint8(within(seed >> 16, 1, terms.redundancy));
        terms.outputTokenWei = uint128(within(seed >> 24, 0, 1 ether));
        terms.maxTaskPriceWei = uint128(within(seed >> 90, 1, MAX_PRICE));
        terms.routerMaySubmit = session.routerMaySubmit;
        terms.reservePeriodS = seed & (1 << 200) == 0 ? 0 : 300;
        terms.reserveFeeWei = uint128(within(seed >> 201, 0, terms.maxTaskPriceWei));
        if (session.dedicatedCount >= terms.minMiners) terms.mode = PoolMode(within(seed >> 80, 0, 1));
        update(id, terms);
    }

    /// @dev Routers come and go, sessions rest and wake.
    function clientChangesItsMind(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        SessionRecord memory session = sessions.sessionOf(id);
        SessionState state = session.state;
        if (state != SessionState.Open && state != SessionState.Inactive) return;
        vm.prank(CLIENT);
        if (state == SessionState.Inactive) sessions.reactivate(id, effect());
        else if (seed & (3 << 64) == 0) sessions.deactivate(id, effect());
        else if (session.routerCount == 2) sessions.removeRouter(id, routers[1], effect());
        else sessions.addRouter(id, routers[1], effect());
    }

    /// @dev Miners are counted for the model and struck, as the registry says.
    function strangerCountsMiners(uint256 number) external conserves {
        uint256 seed = _mix(number);
        bytes32 model = keccak256(bytes(MODEL));
        address miner = miners[within(seed, 0, miners.length - 1)];
        if (pricing.modelNumberOf(model) == 0) return;
        if (!registry.serves(miner, model)) {
            string[] memory models = new string[](1);
            models[0] = MODEL;
            vm.prank(miner);
            registry.serveModels(models, effect());
        }
        bool works = registry.isActive(miner, Role.Miner);
        if (pricing.isCounted(model, miner) == works) return;
        if (works) pricing.countMiner(model, miner, effect());
        else pricing.strikeMiner(model, miner, effect());
    }

    /// @dev A miner is invited and joins, or its time is up, or it is let go.
    function minersAreReserved(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0) return;
        SessionRecord memory session = sessions.sessionOf(id);
        address miner = miners[within(seed >> 8, 0, miners.length - 1)];
        if (reservations.reservationOf(id, miner).reservedUntil != 0) return _endReservation(id, miner, session, seed);
        TaskRules memory rules = sessions.rulesOf(id, session.version);
        if (session.state != SessionState.Open || session.balanceWei < session.reserveFeeWei) return;
        if (rules.mode == PoolMode.Dedicated || rules.reservePeriodS == 0) return;
        if (!registry.isActive(miner, Role.Miner)) return;
        vm.prank(CLIENT);
        reservations.invite(id, miner, effect());
        vm.prank(miner);
        reservations.join(id, effect());
        feesHeldWei += session.reserveFeeWei;
    }

    function _endReservation(uint64 id, address miner, SessionRecord memory session, uint256 seed) private {
        Reservation memory reserved = reservations.reservationOf(id, miner);
        uint256 before = sessions.totals().paidWei;
        if (block.timestamp >= reserved.reservedUntil) {
            reservations.endReservation(id, miner, effect());
        } else {
            if (seed & (3 << 64) != 0) return;
            vm.prank(session.owner);
            reservations.dismiss(id, miner, effect());
        }
        feesHeldWei -= reserved.feeWei;
        feesPaidWei += sessions.totals().paidWei - before;
    }

    /// @dev Time ends every reservation.
    function _endReservations() internal {
        vm.warp(block.timestamp + 1 days);
        for (uint64 id = 1; id <= sessions.sessionCount(); ++id) {
            for (uint256 i = 0; i < miners.length; ++i) {
                if (reservations.reservationOf(id, miners[i]).reservedUntil == 0) continue;
                _endReservation(id, miners[i], sessions.sessionOf(id), 0);
            }
        }
    }

    function clientSubmits(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        SessionRecord memory session = sessions.sessionOf(id);
        if (session.state != SessionState.Open || _tasks.length == TASKS_MAX || session.balanceWei == 0) return;
        uint256 most = session.balanceWei < MAX_PRICE ? session.balanceWei : MAX_PRICE;
        address by = session.routerMaySubmit && seed & 256 != 0 ? _router(id, seed >> 16) : CLIENT;
        _tasks.push(submitAs(by, id, effect(), uint128(within(seed >> 24, 1, most))));
    }

    /// @dev A task that comes after some of its session that were not refunded.
    function clientSubmitsAStep(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        SessionRecord memory session = sessions.sessionOf(id);
        if (session.state != SessionState.Open || _tasks.length == TASKS_MAX || session.balanceWei == 0) return;
        bytes32[] memory parents = new bytes32[](_tasks.length);
        uint256 count = 0;
        for (uint256 i = 0; i < _tasks.length && count < 8; ++i) {
            TaskRecord memory task = queue.taskOf(_tasks[i]);
            if (task.sessionId != id || task.state == TaskState.Refunded || seed & (1 << (16 + i)) == 0) continue;
            parents[count++] = _tasks[i];
        }
        if (count == 0) return;
        bytes32[] memory some = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            some[i] = parents[i];
        }
        uint256 most = session.balanceWei < MAX_PRICE ? session.balanceWei : MAX_PRICE;
        _tasks.push(submitAfterAs(CLIENT, id, effect(), uint128(within(seed >> 40, 1, most)), some));
    }

    function clientCancels(uint256 number) external conserves {
        uint256 seed = _mix(number);
        // Seldom, or few tasks would see the end of their round.
        if (seed & (15 << 128) != 0) return;
        (bytes32 taskId,) = _taskIn(seed, TaskState.Queued, TaskState.Executing);
        if (taskId == 0) return;
        vm.prank(seed & 256 == 0 ? CLIENT : routers[0]);
        queue.cancel(taskId, effect());
        _note(taskId, 0);
    }

    function clientCloses(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (seed & (7 << 128) != 0) return;
        uint64 id = _anySession(seed);
        if (sessions.sessionOf(id).state != SessionState.Open) return;
        vm.prank(CLIENT);
        sessions.close(id, effect());
    }

    // ---------------------------------------------------------------- choosing

    function _router(uint64 sessionId, uint256 seed) internal view returns (address) {
        return sessions.routersPage(sessionId, within(seed, 0, sessions.sessionOf(sessionId).routerCount - 1), 1)[0];
    }
}

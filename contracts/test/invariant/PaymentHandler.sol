// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/types/Node.sol";
import {Payment, SessionRecord, SessionState, Terms} from "../../src/types/Session.sol";
import {TaskRecord, TaskState} from "../../src/types/Task.sol";
import {vm} from "../base/Vm.sol";
import {ReservingHandler} from "./ReservingHandler.sol";

/// @title Everybody who pays or is paid, acting at random
/// @notice Owners with their own money, users of the pool, routers that spend by allowance, miners that are reserved; each
/// honest or not. Tasks are short here: how they are worked on is another suite's.
contract PaymentHandler is ReservingHandler {
    function setUp() public override {
        super.setUp();
        _ownerKeys[STRANGER] = uint256(keccak256("stranger"));
        for (uint256 i = 0; i < 2; ++i) {
            string memory name = i == 0 ? "client" : "another client";
            _owners.push(account(name));
            _ownerKeys[_owners[i]] = uint256(keccak256(bytes(name)));
            fund(_owners[i], 1_000_000 ether);
        }
        for (uint256 i = 0; i < 3; ++i) {
            _users.push(account(string.concat("user", vm.toString(i))));
            fund(_users[i], 20_000_000 ether);
            vm.prank(_users[i]);
            cor.approve(address(stakeToUse), type(uint256).max);
        }
        fund(TREASURY, 1_000_000 ether);
        vm.prank(TREASURY);
        cor.approve(address(stakeToUse), type(uint256).max);
    }

    function timePasses(uint256 number) external {
        uint256 seed = _mix(number);
        vm.roll(block.number + 1 + within(seed, 0, 3));
        uint256 sleep = within(seed >> 16, 0, 31);
        if (sleep == 0) pass(8 days);
        else if (sleep < 8) pass(within(seed >> 24, 1, 1 days));
        else pass(within(seed >> 24, 1, 200));
    }

    // ---------------------------------------------------------------- owners

    function ownerOpens(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (!_mayOpen(false)) return;
        address[] memory listed = first(routers, within(seed >> 8, 1, 2));
        bytes memory call = abi.encodeCall(
            sessions.open, (_terms(seed >> 16), listed, nobody(), uint128(within(seed >> 200, 1, 30 ether)), effect())
        );
        _do(_pick(_owners, seed), address(sessions), call, true, "opened");
    }

    /// @dev Other terms, under which earlier invitations are worth nothing.
    function ownerUpdates(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0) return;
        SessionRecord memory session = sessions.sessionOf(id);
        address by = _pick(_owners, seed >> 8);
        if (seed & (3 << 208) != 0) return;
        bool allowed = session.owner == by && _isLive(session.state);
        bytes memory call = abi.encodeCall(sessions.update, (id, _terms(seed >> 16), effect()));
        _do(by, address(sessions), call, allowed, "updated");
    }

    /// @dev A session changes hands, and what its earlier owner has allowed is worth nothing.
    function ownerHandsOver(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0 || seed & (3 << 32) != 0) return;
        SessionRecord memory session = sessions.sessionOf(id);
        (address by, address to) = (_pick(_owners, seed >> 8), _pick(_owners, seed >> 16));
        bool allowed = session.owner == by && session.state != SessionState.Closed;
        _do(by, address(sessions), abi.encodeCall(sessions.offerSession, (id, to, effect())), allowed, "offered");
        if (allowed) _do(to, address(sessions), abi.encodeCall(sessions.acceptSession, (id, effect())), true, "taken");
    }

    function anyoneDeposits(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0) return;
        uint128 amountWei = uint128(within(seed >> 16, 0, 20 ether));
        bool allowed = amountWei != 0 && _isLive(sessions.sessionOf(id).state);
        bytes memory call = abi.encodeCall(sessions.deposit, (id, amountWei, effect()));
        _do(_pick(_owners, seed >> 8), address(sessions), call, allowed, "deposited");
        // Whoever pays into a session of the pool gives it to the pool.
        if (allowed && stakeToUse.userOf(id) != address(0)) fundedWei += amountWei;
    }

    function ownerCloses(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        if (id == 0 || seed & (7 << 32) != 0) return;
        SessionRecord memory session = sessions.sessionOf(id);
        address by = _pick(_owners, seed >> 8);
        bool allowed = session.owner == by && _isLive(session.state);
        _do(by, address(sessions), abi.encodeCall(sessions.close, (id, effect())), allowed, "closed");
    }

    // ---------------------------------------------------------------- tasks

    /// @dev A task is done in one go, or left to itself.
    function minersServe(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (_tasks.length == 0) return;
        uint256 index = within(seed, 0, _tasks.length - 1);
        bytes32 taskId = _tasks[index];
        TaskRecord memory task = queue.taskOf(taskId);
        address miner = _miner(seed >> 8);
        if (task.state != TaskState.Queued || !registry.isActive(miner, Role.Miner)) return;
        assignAs(sessions.routersPage(task.sessionId, 0, 1)[0], taskId, only(miner), nobody());
        if (seed & (3 << 16) == 0) return;
        bytes32 hash = _precommitOf(task.sessionId, taskId, miner);
        vm.prank(miner);
        queue.precommit(taskId, hash, effect());
        reveal(taskId, miner);
        uint256 before = sessions.totals().paidWei;
        settle(taskId);
        _taskEnded(index, sessions.totals().paidWei - before);
    }

    function _precommitOf(uint64 id, bytes32 taskId, address miner) private view returns (bytes32) {
        (bytes32 root, bytes32 salt) = (rootOf(miner), saltOf(miner));
        return keccak256(abi.encode(block.chainid, queue, id, taskId, uint256(0), uint256(0), miner, root, salt));
    }

    /// @dev Time ends a task, or the one who pays for it does.
    function taskIsGivenUp(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (_tasks.length == 0) return;
        uint256 index = within(seed, 0, _tasks.length - 1);
        TaskRecord memory task = queue.taskOf(_tasks[index]);
        bool late = block.timestamp > task.expireBy;
        _do(STRANGER, address(queue), abi.encodeCall(queue.expire, (_tasks[index], effect())), late, "expired");
        if (late) _taskEnded(index, 0);
    }

    function earnersWithdraw(uint256 number) external conserves {
        _withdrawEarnings(_pick(miners, _mix(number)));
    }

    function _withdrawEarnings(address account_) private {
        uint128 owedWei = sessions.earningsOf(account_);
        bytes memory call = abi.encodeCall(sessions.withdrawEarnings, (effect()));
        _do(account_, address(sessions), call, owedWei != 0, "withdrawn");
    }

    function _taskEnded(uint256 index, uint256 paidWei) private {
        bytes32 taskId = _tasks[index];
        assertTrue(paidWei <= _escrowOf[taskId], "never more than was set aside");
        tasksHeldWei -= _escrowOf[taskId];
        _earn(_taskSession[taskId], address(this), paidWei);
        _tasks[index] = _tasks[_tasks.length - 1];
        _tasks.pop();
    }

    // ---------------------------------------------------------------- attackers

    /// @dev What only modules may, and only once; none of it moves anything.
    function attackerMeddles(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anySession(seed);
        address by = within(seed >> 8, 0, 1) == 0 ? STRANGER : _pick(routers, seed >> 16);
        Payment[] memory none = new Payment[](0);
        _vain(by, address(allowances), abi.encodeCall(allowances.spend, (id, by, by, 0)));
        _vain(by, address(sessions), abi.encodeCall(sessions.holdFee, (id)));
        _vain(by, address(sessions), abi.encodeCall(sessions.payFee, (id, 0, by, 0)));
        _vain(by, address(sessions), abi.encodeCall(sessions.release, (id, 0, 1_000_000, none)));
        _vain(by, address(sessions), abi.encodeCall(sessions.settleBatch, (id, 0, 0)));
        _vain(by, address(stakeToUse), abi.encodeCall(stakeToUse.requestUnstake, (effect())));
        _vain(by, address(stakeToUse), abi.encodeCall(stakeToUse.withdrawStake, (effect())));
        _vain(by, address(stakeToUse), abi.encodeCall(stakeToUse.topUp, (id, 0, effect())));
        _vain(by, address(stakeToUse), abi.encodeCall(stakeToUse.submit, (id, "x", "x", 1, 1 ether, effect())));
    }

    // ---------------------------------------------------------------- the end of everything

    /// @notice With entries paused and every node gone, time alone lets everybody out.
    function everybodyLeaves() external {
        pauseEntries();
        pass(8 days);
        while (_tasks.length != 0) {
            queue.expire(_tasks[0], effect());
            _taskEnded(0, 0);
        }
        for (uint64 id = 1; id <= sessions.sessionCount(); ++id) {
            for (uint256 i = 0; i < 4; ++i) {
                if (reservations.reservationOf(id, miners[i]).reservedUntil != 0) _endReservation(id, miners[i]);
            }
            SessionRecord memory session = sessions.sessionOf(id);
            if (session.owner == address(stakeToUse) || !_isLive(session.state)) continue;
            vm.prank(session.owner);
            sessions.close(id, effect());
        }
        _usersLeave();
        for (uint256 i = 0; i < miners.length; ++i) {
            _withdrawEarnings(miners[i]);
        }
        assertPayments();
    }

    /// @dev Whoever has a stake gets it; whose session is left, a stranger closes.
    function _usersLeave() private {
        for (uint256 i = 0; i < _users.length; ++i) {
            vm.prank(_users[i]);
            try stakeToUse.requestUnstake(effect()) {} catch {}
        }
        pass(7 days);
        for (uint256 i = 0; i < _users.length; ++i) {
            if (_staked[_users[i]] != 0) _withdrawStake(_users[i]);
        }
        for (uint64 id = 1; id <= sessions.sessionCount(); ++id) {
            if (stakeToUse.userOf(id) == address(0) || !_isLive(sessions.sessionOf(id).state)) continue;
            _closePoolSession(id, STRANGER);
        }
    }
}

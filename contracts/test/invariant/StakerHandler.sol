// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SessionRecord, SessionState, Terms} from "../../src/types/Session.sol";
import {UserStake} from "../../src/types/UserStake.sol";
import {vm} from "../base/Vm.sol";
import {PaymentActing} from "./PaymentActing.sol";

/// @title Those who stake for their use of the network, and who fills the pool
abstract contract StakerHandler is PaymentActing {
    struct Use {
        uint256 usedAt;
        uint256 amountWei;
    }

    mapping(address user => uint256 amountWei) internal _staked;
    /// @dev The most that a user ever had staked.
    mapping(address user => uint256 amountWei) private _mostStaked;
    mapping(address user => Use[]) private _uses;

    function treasuryFunds(uint256 number) external conserves {
        uint128 amountWei = uint128(within(_mix(number), 0, 20 ether));
        bytes32 id = effect();
        bytes memory call = abi.encodeCall(stakeToUse.fundPool, (amountWei, id));
        _do(TREASURY, address(stakeToUse), call, amountWei != 0, "funded");
        fundedWei += amountWei;
        _vain(TREASURY, address(stakeToUse), call);
    }

    function userStakes(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address user = _pick(_users, seed);
        // Who has asked for its stake seldom takes that back.
        (UserStake memory stake,) = stakeToUse.stakeOf(user);
        if (stake.unlocksAt != 0 && seed & (3 << 100) != 0) return;
        uint128 amountWei = uint128(within(seed >> 8, 0, 20_000 ether));
        bytes memory call = abi.encodeCall(stakeToUse.stake, (amountWei, effect()));
        _do(user, address(stakeToUse), call, amountWei != 0, "staked");
        _staked[user] += amountWei;
        stakesWei += amountWei;
        if (_staked[user] > _mostStaked[user]) _mostStaked[user] = _staked[user];
    }

    function userUnstakes(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address user = _pick(_users, seed);
        (UserStake memory stake,) = stakeToUse.stakeOf(user);
        bool active = stake.amountWei != 0 && stake.unlocksAt == 0;
        if (active && seed & (3 << 8) != 0) return;
        _do(user, address(stakeToUse), abi.encodeCall(stakeToUse.requestUnstake, (effect())), active, "asked");
        if (active) assertUnusable(user);
    }

    /// @dev Often too early, else as soon as it may.
    function userWithdraws(uint256 number) external conserves {
        uint256 seed = _mix(number);
        address user = _pick(_users, seed);
        (UserStake memory stake,) = stakeToUse.stakeOf(user);
        if (seed & (1 << 8) != 0 && block.timestamp < stake.unlocksAt) vm.warp(stake.unlocksAt);
        _withdrawStake(user);
    }

    function _withdrawStake(address user) internal {
        (UserStake memory stake,) = stakeToUse.stakeOf(user);
        bool due = stake.unlocksAt != 0 && block.timestamp >= stake.unlocksAt;
        uint256 before = cor.balanceOf(user);
        _do(user, address(stakeToUse), abi.encodeCall(stakeToUse.withdrawStake, (effect())), due, "unstaked");
        if (!due) return;
        assertEq(cor.balanceOf(user) - before, _staked[user], "a stake comes back whole");
        stakesWei -= _staked[user];
        _staked[user] = 0;
    }

    function userOpens(uint256 number) external conserves {
        uint256 seed = _mix(number);
        if (!_mayOpen(true)) return;
        address user = _pick(_users, seed);
        (uint128 amountWei, bool allowed) = _want(user, seed >> 8);
        Terms memory terms = _terms(seed >> 32);
        bytes memory call = abi.encodeCall(stakeToUse.open, (terms, first(routers, 1), nobody(), amountWei, effect()));
        _do(user, address(stakeToUse), call, allowed && amountWei != 0, "opened by the pool");
        if (!allowed || amountWei == 0) return;
        _used(user, amountWei);
        _poolSessions.push(sessions.sessionCount());
        SessionRecord memory session = sessions.sessionOf(sessions.sessionCount());
        assertFalse(session.routerMaySubmit, "what a user may use is not its router's");
        assertEq(stakeToUse.userOf(sessions.sessionCount()), user, "whose session it is");
    }

    function userTopsUp(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anyPoolSession(seed);
        address user = _userFor(id, seed >> 8);
        (uint128 amountWei, bool allowed) = _want(user, seed >> 16);
        allowed = allowed && amountWei != 0 && id != 0 && stakeToUse.userOf(id) == user
            && _isLive(sessions.sessionOf(id).state);
        _do(user, address(stakeToUse), abi.encodeCall(stakeToUse.topUp, (id, amountWei, effect())), allowed, "topped");
        if (allowed) _used(user, amountWei);
    }

    function userSubmits(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = _anyPoolSession(seed);
        if (id == 0 || _tasks.length >= TASKS_MAX) return;
        address user = _userFor(id, seed >> 8);
        SessionRecord memory session = sessions.sessionOf(id);
        uint128 priceWei = _around(session.balanceWei, seed >> 16);
        uint256 heldWei = priceWei < session.maxTaskPriceWei ? priceWei : session.maxTaskPriceWei;
        (UserStake memory stake,) = stakeToUse.stakeOf(user);
        bool allowed = stakeToUse.userOf(id) == user && stake.amountWei != 0 && stake.unlocksAt == 0
            && session.state == SessionState.Open && heldWei != 0 && heldWei <= session.balanceWei;
        bytes32 request = effect();
        bytes memory call = abi.encodeCall(stakeToUse.submit, (id, request, PROMPT, 64, priceWei, effect()));
        _do(user, address(stakeToUse), call, allowed, "submitted by the pool");
        if (allowed) _began(queue.taskIdOf(id, request), id, heldWei);
    }

    /// @dev A user ends its session; a stranger can, once the user's stake is gone.
    function poolSessionCloses(uint256 number) external conserves {
        uint256 seed = _mix(number);
        uint64 id = seed & (3 << 64) == 0 ? _anySession(seed) : _anyPoolSession(seed);
        if (id == 0) return;
        address user = stakeToUse.userOf(id);
        address by = seed & 256 == 0 ? user : STRANGER;
        if (by == user && seed & (3 << 16) != 0) return;
        _closePoolSession(id, by);
    }

    function _closePoolSession(uint64 id, address by) internal {
        address user = stakeToUse.userOf(id);
        bool allowed = user != address(0) && (by == user || _staked[user] == 0) && _isLive(sessions.sessionOf(id).state);
        uint256 before = cor.balanceOf(by);
        _do(by, address(stakeToUse), abi.encodeCall(stakeToUse.close, (id, effect())), allowed, "closed by the pool");
        assertEq(cor.balanceOf(by), before, "nobody takes the pool's money for itself");
    }

    /// @dev Mostly the user of the session, else another one.
    function _userFor(uint64 id, uint256 seed) private view returns (address) {
        address user = stakeToUse.userOf(id);
        return user == address(0) || seed & 3 == 0 ? _pick(_users, seed >> 2) : user;
    }

    // ---------------------------------------------------------------- what may be used

    /// @dev What a user might ask of the pool, and whether it gets it.
    function _want(address user, uint256 seed) private view returns (uint128 amountWei, bool allowed) {
        (UserStake memory stake, uint128 usableWei) = stakeToUse.stakeOf(user);
        uint256 poolWei = stakeToUse.poolWei();
        assertTrue(usableWei <= _dayOf(stake.amountWei), "never more than a day's use");
        assertEq(stake.amountWei, _staked[user], "a stake is what its owner put in");
        amountWei = _around(usableWei < poolWei || seed & 1 == 0 ? usableWei : poolWei, seed >> 1);
        allowed = stake.amountWei != 0 && stake.unlocksAt == 0 && amountWei <= usableWei && amountWei <= poolWei;
    }

    /// @dev However calls are spread: in no day more than two days' use of the most that was staked.
    function _used(address user, uint256 amountWei) private {
        Use[] storage uses = _uses[user];
        uses.push(Use(block.timestamp, amountWei));
        uint256 sum = 0;
        for (uint256 i = uses.length; i > 0 && uses[i - 1].usedAt + 1 days > block.timestamp; --i) {
            sum += uses[i - 1].amountWei;
        }
        assertTrue(sum <= 2 * _dayOf(_mostStaked[user]), "a window lets two days' use through");
    }

    function assertUnusable(address user) internal view {
        (, uint128 usableWei) = stakeToUse.stakeOf(user);
        assertEq(usableWei, 0, "nothing may be used for a stake that is asked for");
    }

    function _dayOf(uint256 stakedWei) private pure returns (uint256) {
        return (stakedWei * 5) / 10_000;
    }

    function _began(bytes32 taskId, uint64 sessionId, uint256 heldWei) internal {
        _tasks.push(taskId);
        (_escrowOf[taskId], _taskSession[taskId]) = (heldWei, sessionId);
        tasksHeldWei += heldWei;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SessionEvents} from "../../src/SessionEvents.sol";
import {StakeToUse} from "../../src/StakeToUse.sol";
import {SessionState} from "../../src/types/Session.sol";
import {TaskState} from "../../src/types/Task.sol";
import {UserStake} from "../../src/types/UserStake.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice A stake of 20,000 $COR lets its owner use 10 a day.
contract StakeToUseTest is NetworkTest {
    uint128 private constant USER_STAKE = 20_000 ether;
    address private immutable USER = account("user");

    function setUp() public override {
        super.setUp();
        fund(USER, USER_STAKE);
        fund(TREASURY, 100 ether);
        vm.prank(USER);
        cor.approve(address(stakeToUse), type(uint256).max);
        vm.prank(TREASURY);
        cor.approve(address(stakeToUse), type(uint256).max);
        vm.expectEmit(address(stakeToUse));
        emit StakeToUse.PoolFunded(TREASURY, 100 ether);
        vm.prank(TREASURY);
        stakeToUse.fundPool(100 ether, effect());
        vm.expectEmit(address(stakeToUse));
        emit StakeToUse.UserStaked(USER, USER_STAKE);
        _stake(USER_STAKE);
    }

    function test_whatMayBeUsedGrowsForADay() external {
        assertEq(_usable(), 0, "nothing at first");
        pass(12 hours);
        assertEq(_usable(), 5 ether, "half a day");
        pass(12 hours);
        assertEq(_usable(), 10 ether, "a day");
        pass(365 days);
        assertEq(_usable(), 10 ether, "and no more");
        assertEq(stakeToUse.stakedWei(), USER_STAKE, "staked");
        assertEq(stakeToUse.poolWei(), 100 ether, "the pool");
    }

    function test_aTaskIsPaidByThePool() external {
        pass(1 days);
        uint64 id = _open(8 ether);
        assertEq(stakeToUse.userOf(id), USER, "the user's");
        assertEq(sessions.sessionOf(id).owner, address(stakeToUse), "but the pool's money");
        assertEq(_usable(), 2 ether, "used");
        vm.prank(USER);
        bytes32 taskId = stakeToUse.submit(id, REQUEST, PROMPT, 64, 8 ether, effect());
        assertEq(taskId, queue.taskIdOf(id, REQUEST), "submitted");
        assertState(taskId, TaskState.Queued);
        vm.prank(USER);
        stakeToUse.topUp(id, 2 ether, effect());
        assertEq(sessions.sessionOf(id).balanceWei, 2 ether, "topped up");
        assertMoneyConserved();
    }

    function test_whatIsLeftReturnsToThePoolAndNotToTheUser() external {
        pass(1 days);
        uint64 id = _open(8 ether);
        uint256 before = cor.balanceOf(USER);
        vm.prank(USER);
        stakeToUse.close(id, effect());
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Closed), "closed");
        assertEq(stakeToUse.poolWei(), 100 ether, "all of it is back");
        assertEq(cor.balanceOf(USER), before, "the user has nothing of it");
        assertEq(_usable(), 2 ether, "what was used is used");
    }

    function test_nobodyUsesMoreThanItsStakeLets() external {
        pass(1 days);
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.UseExceeded.selector, 10 ether, 10 ether + 1));
        _open(10 ether + 1);
        uint64 id = _open(10 ether);
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.UseExceeded.selector, 0, 1));
        vm.prank(USER);
        stakeToUse.topUp(id, 1, effect());
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.NotStaked.selector, STRANGER));
        vm.prank(STRANGER);
        stakeToUse.open(defaultTerms(), routers, nobody(), 1, effect());
    }

    function test_stakesAreNeverSpent() external {
        uint64 id = 0;
        for (uint256 day = 0; day < 10; ++day) {
            pass(1 days);
            if (id == 0) id = _open(10 ether);
            else _topUp(id, 10 ether);
        }
        assertEq(stakeToUse.poolWei(), 0, "the pool is empty");
        pass(1 days);
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.PoolExhausted.selector, 0, 1));
        _topUp(id, 1);
        assertEq(cor.balanceOf(address(stakeToUse)), USER_STAKE, "and the stake is whole");
        _leave();
        assertEq(cor.balanceOf(USER), USER_STAKE, "in hand");
    }

    function test_aStakeIsTakenBackAfterADelayAndUsesNothingMeanwhile() external {
        pass(1 days);
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.StakeLocked.selector, USER, 0));
        vm.prank(USER);
        stakeToUse.withdrawStake(effect());
        uint40 unlocksAt = uint40(block.timestamp) + 7 days;
        vm.expectEmit(address(stakeToUse));
        emit StakeToUse.UserUnstakeRequested(USER, unlocksAt);
        vm.prank(USER);
        stakeToUse.requestUnstake(effect());
        assertEq(_usable(), 0, "nothing may be used");
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.NotStaked.selector, USER));
        _open(1);
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.NotStaked.selector, USER));
        vm.prank(USER);
        stakeToUse.requestUnstake(effect());
        pass(7 days - 1);
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.StakeLocked.selector, USER, unlocksAt));
        vm.prank(USER);
        stakeToUse.withdrawStake(effect());
        pass(1);
        vm.expectEmit(address(stakeToUse));
        emit StakeToUse.UserStakeWithdrawn(USER, USER_STAKE);
        vm.prank(USER);
        stakeToUse.withdrawStake(effect());
        assertEq(stakeToUse.stakedWei(), 0, "gone");
        (UserStake memory user,) = stakeToUse.stakeOf(USER);
        assertEq(user.amountWei, 0, "gone");
    }

    function test_stakingAgainTakesTheRequestBackAndBeginsAtNothing() external {
        pass(1 days);
        vm.prank(USER);
        stakeToUse.requestUnstake(effect());
        fund(USER, 1 ether);
        pass(3 days);
        _stake(1 ether);
        assertEq(_usable(), 0, "at nothing");
    }

    function test_aSessionIsItsUsersAlone() external {
        pass(1 days);
        uint64 id = _open(1 ether);
        bytes memory refusal = abi.encodeWithSelector(StakeToUse.NotUserOfSession.selector, id, STRANGER);
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        stakeToUse.submit(id, REQUEST, PROMPT, 64, 1 ether, effect());
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        stakeToUse.topUp(id, 1, effect());
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        stakeToUse.close(id, effect());
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.NotUserOfSession.selector, 99, USER));
        vm.prank(USER);
        stakeToUse.close(99, effect());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSessionOwner.selector, id, USER));
        vm.prank(USER);
        sessions.close(id, effect());
        vm.prank(USER);
        stakeToUse.requestUnstake(effect());
        vm.expectRevert(abi.encodeWithSelector(StakeToUse.NotStaked.selector, USER));
        vm.prank(USER);
        stakeToUse.submit(id, REQUEST, PROMPT, 64, 1 ether, effect());
        pass(7 days);
        vm.prank(USER);
        stakeToUse.withdrawStake(effect());
        vm.prank(STRANGER);
        stakeToUse.close(id, effect());
        assertEq(stakeToUse.poolWei(), 100 ether, "whoever has left takes nothing along");
    }

    function test_nothingIsNothingToAdd() external {
        vm.expectRevert(StakeToUse.EmptyAmount.selector);
        stakeToUse.fundPool(0, effect());
        vm.expectRevert(StakeToUse.EmptyAmount.selector);
        stakeToUse.stake(0, effect());
    }

    function _leave() private {
        vm.prank(USER);
        stakeToUse.requestUnstake(effect());
        pass(7 days);
        vm.prank(USER);
        stakeToUse.withdrawStake(effect());
    }

    function _usable() private view returns (uint128 usableWei) {
        (, usableWei) = stakeToUse.stakeOf(USER);
    }

    function _stake(uint128 amountWei) private {
        vm.prank(USER);
        stakeToUse.stake(amountWei, effect());
    }

    function _topUp(uint64 id, uint128 amountWei) private {
        vm.prank(USER);
        stakeToUse.topUp(id, amountWei, effect());
    }

    function _open(uint128 depositWei) private returns (uint64) {
        vm.prank(USER);
        return stakeToUse.open(defaultTerms(), routers, nobody(), depositWei, effect());
    }
}

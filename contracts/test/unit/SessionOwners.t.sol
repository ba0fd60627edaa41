// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {Permit, SessionRecord, SessionState} from "../../src/types/Session.sol";
import {TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract SessionOwnersTest is NetworkTest {
    uint64 private _id;

    function setUp() public override {
        super.setUp();
        _id = openSession();
    }

    // ---------------------------------------------------------------- transfer

    function test_aSessionChangesHandsInTwoSteps() external {
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionOffered(_id, STRANGER);
        _offer(CLIENT, STRANGER);
        assertEq(sessions.sessionOf(_id).owner, CLIENT, "not yet");
        assertEq(sessions.sessionOf(_id).pendingOwner, STRANGER, "offered");
        vm.expectEmit(address(sessions));
        emit EffectLog.EffectApplied(STRANGER, "accept");
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionTransferred(_id, CLIENT, STRANGER);
        vm.prank(STRANGER);
        sessions.acceptSession(_id, "accept");
        assertEq(sessions.sessionOf(_id).owner, STRANGER, "the new owner");
        assertEq(sessions.sessionOf(_id).pendingOwner, address(0), "no offer is left");
        assertEq(sessions.sessionCountOf(CLIENT), 0, "no more the client's");
        assertEq(sessions.sessionsOfPage(STRANGER, 0, 9)[0], _id, "the stranger's");

        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSessionOwner.selector, _id, CLIENT));
        _close(CLIENT);
        _close(STRANGER);
        assertEq(cor.balanceOf(STRANGER), DEPOSIT, "the money went along");
        assertMoneyConserved();
    }

    function test_onlyWhoItIsOfferedToTakesASession() external {
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotPendingOwner.selector, _id, STRANGER));
        _accept(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSessionOwner.selector, _id, routers[0]));
        _offer(routers[0], routers[0]);
        _offer(CLIENT, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotPendingOwner.selector, _id, CLIENT));
        _accept(CLIENT);
        _offer(CLIENT, address(0));
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotPendingOwner.selector, _id, STRANGER));
        _accept(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.UnknownSession.selector, 9));
        vm.prank(STRANGER);
        sessions.acceptSession(9, effect());
    }

    function test_anOfferIsAcceptedOnce() external {
        _offer(CLIENT, STRANGER);
        _accept(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotPendingOwner.selector, _id, STRANGER));
        _accept(STRANGER);
    }

    function test_anOwnerMayOfferItToItself() external {
        _offer(CLIENT, CLIENT);
        _accept(CLIENT);
        assertEq(sessions.sessionCountOf(CLIENT), 1, "still its");
    }

    function test_aDrainingSessionIsTransferredAndAClosedOneIsNot() external {
        bytes32 taskId = submit(_id);
        _close(CLIENT);
        _offer(CLIENT, STRANGER);
        _accept(STRANGER);
        vm.prank(STRANGER);
        queue.cancel(taskId, effect());
        assertEq(cor.balanceOf(STRANGER), DEPOSIT, "refunded to the new owner");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, _id, SessionState.Closed));
        _offer(STRANGER, CLIENT);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, _id, SessionState.Closed));
        _accept(STRANGER);
    }

    // ---------------------------------------------------------------- rest

    function test_aSessionRestsAndWakes() external {
        bytes32 taskId = submit(_id);
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionDeactivated(_id);
        vm.prank(CLIENT);
        sessions.deactivate(_id, effect());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, _id, SessionState.Inactive));
        submit(_id, "another");
        vm.prank(CLIENT);
        sessions.deposit(_id, 1 ether, effect());
        update(_id, defaultTerms());
        assign(taskId, 3, 2);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.WrongSessionState.selector, _id, SessionState.Inactive));
        vm.prank(CLIENT);
        sessions.deactivate(_id, effect());

        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionReactivated(_id);
        vm.prank(CLIENT);
        sessions.reactivate(_id, effect());
        submit(_id, "another");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.WrongSessionState.selector, _id, SessionState.Open));
        vm.prank(CLIENT);
        sessions.reactivate(_id, effect());
        assertMoneyConserved();
    }

    function test_onlyTheOwnerPutsASessionToRest() external {
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSessionOwner.selector, _id, STRANGER));
        vm.prank(STRANGER);
        sessions.deactivate(_id, effect());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSessionOwner.selector, _id, STRANGER));
        vm.prank(STRANGER);
        sessions.reactivate(_id, effect());
        _close(CLIENT);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, _id, SessionState.Closed));
        vm.prank(CLIENT);
        sessions.deactivate(_id, effect());
    }

    function test_aSessionAtRestIsClosedAtOnce() external {
        vm.prank(CLIENT);
        sessions.deactivate(_id, effect());
        uint256 before = cor.balanceOf(CLIENT);
        _close(CLIENT);
        assertEq(cor.balanceOf(CLIENT), before + DEPOSIT, "refunded");
    }

    /// @dev Whoever is dead: the owner and the clock end every session from every state of its tasks.
    function test_aSessionIsClosedFromEveryState() external {
        for (uint256 state = uint256(TaskState.Queued); state < uint256(TaskState.Settled); ++state) {
            _id = openSession();
            bytes32 taskId = taskIn(TaskState(state), _id, 3, 2);
            if (state % 2 == 0) {
                vm.prank(CLIENT);
                sessions.deactivate(_id, effect());
            }
            _close(CLIENT);
            pass(10 days);
            vm.roll(block.number + 1000);
            while (queue.taskOf(taskId).state < TaskState.Settled) _step(taskId, queue.taskOf(taskId).state);
            assertEq(uint256(sessions.sessionOf(_id).state), uint256(SessionState.Closed), "closed");
            assertEq(sessions.sessionOf(_id).balanceWei, 0, "nothing is left");
            assertMoneyConserved();
        }
    }

    function _step(bytes32 taskId, TaskState state) private {
        if (state == TaskState.Validated) return settle(taskId);
        pass(1 days);
        vm.prank(STRANGER);
        if (state == TaskState.Committed) queue.resolve(taskId, effect());
        else queue.expire(taskId, effect());
    }

    // ---------------------------------------------------------------- pages

    function test_sessionsAreReadInPages() external {
        openSession();
        fund(STRANGER, DEPOSIT);
        vm.prank(STRANGER);
        sessions.open(defaultTerms(), routers, nobody(), DEPOSIT, effect());
        SessionRecord[] memory page = sessions.sessionsPage(2, 9);
        assertEq(page.length, 2, "two are left");
        assertEq(page[0].owner, CLIENT, "the second");
        assertEq(page[1].owner, STRANGER, "the third");
        assertEq(sessions.sessionsPage(1, 2).length, 2, "no more than asked for");
        assertEq(sessions.sessionsPage(0, 2).length, 0, "ids begin at 1");
        assertEq(sessions.sessionsPage(4, 2).length, 0, "past the end");
        assertEq(sessions.sessionCountOf(CLIENT), 2, "two of the client");
        assertEq(sessions.sessionsOfPage(CLIENT, 1, 9)[0], 2, "the second of them");
        assertEq(sessions.sessionsOfPage(CLIENT, 2, 9).length, 0, "no third");
    }

    // ---------------------------------------------------------------- opening with a permit

    function test_aPermitOpensInOneTransaction() external {
        Permit memory permit = permitOf("saver", DEPOSIT);
        address saver = account("saver");
        vm.prank(HOLDER);
        cor.transferOnce(saver, DEPOSIT, effect());
        vm.prank(saver);
        uint64 id = sessions.openWithPermit(defaultTerms(), routers, nobody(), DEPOSIT, permit, "open");
        assertEq(sessions.sessionOf(id).owner, saver, "owner");
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT, "balance");
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, saver, bytes32("open")));
        vm.prank(saver);
        sessions.openWithPermit(defaultTerms(), routers, nobody(), DEPOSIT, permit, "open");
        assertMoneyConserved();
    }

    function test_aPermitThatSomebodyBroughtBeforeOpensAllTheSame() external {
        Permit memory permit = permitOf("saver", DEPOSIT);
        address saver = account("saver");
        vm.prank(HOLDER);
        cor.transferOnce(saver, DEPOSIT, effect());
        vm.prank(STRANGER);
        cor.permit(saver, address(sessions), DEPOSIT, permit.deadline, permit.v, permit.r, permit.s);
        vm.prank(saver);
        uint64 id = sessions.openWithPermit(defaultTerms(), routers, nobody(), DEPOSIT, permit, effect());
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT, "balance");
    }

    // ---------------------------------------------------------------- earnings elsewhere

    function test_earningsGoWhereTheirOwnerWants() external {
        taskIn(TaskState.Settled, _id, 3, 2);
        uint128 earned = sessions.earningsOf(miners[0]);
        vm.expectEmit(address(sessions));
        emit SessionEvents.EarningsWithdrawn(miners[0], STRANGER, earned);
        vm.prank(miners[0]);
        sessions.withdrawEarningsTo(STRANGER, effect());
        assertEq(cor.balanceOf(STRANGER), earned, "elsewhere");
        assertEq(sessions.earnedBy(miners[0]), earned, "what was ever earned stays");
        assertEq(sessions.earningsOf(miners[0]), 0, "nothing is left");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NothingEarned.selector, miners[0]));
        vm.prank(miners[0]);
        sessions.withdrawEarningsTo(STRANGER, effect());
        assertMoneyConserved();
    }

    function _offer(address by, address to) private {
        vm.prank(by);
        sessions.offerSession(_id, to, effect());
    }

    function _accept(address by) private {
        vm.prank(by);
        sessions.acceptSession(_id, effect());
    }

    function _close(address by) private {
        vm.prank(by);
        sessions.close(_id, effect());
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Allowances} from "../../src/Allowances.sol";
import {EffectLog} from "../../src/EffectLog.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {Escrow, Payment, Permit, SessionRecord, SessionState, Share, Terms} from "../../src/types/Session.sol";
import {TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

contract SessionsTest is NetworkTest {
    // ---------------------------------------------------------------- open

    function test_openingKeepsTermsAndDeposit() external {
        Terms memory terms = defaultTerms();
        vm.expectEmit(address(sessions));
        emit EffectLog.EffectApplied(CLIENT, "open");
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionOpened(1, CLIENT, terms, routers, nobody());
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionDeposited(1, CLIENT, DEPOSIT);
        vm.prank(CLIENT);
        assertEq(sessions.open(terms, routers, nobody(), DEPOSIT, "open"), 1, "the first id");

        SessionRecord memory session = sessions.sessionOf(1);
        assertEq(session.owner, CLIENT, "owner");
        assertEq(uint256(session.state), uint256(SessionState.Open), "open");
        assertEq(session.version, 1, "the first version");
        assertTrue(session.routerMaySubmit, "routers submit");
        assertEq(session.balanceWei, DEPOSIT, "balance");
        assertEq(session.maxTaskPriceWei, MAX_PRICE, "highest price");
        assertEq(session.reserveFeeWei, 0, "no fee");
        assertEq(session.taskCount + session.taskLimit, 0, "no tasks, no limit");
        assertEq(session.routerCount, 2, "routers");
        assertEq(session.dedicatedCount, 0, "dedicated miners");
        assertEq(sessions.sessionCount(), 1, "count");
        assertMoneyConserved();
    }

    function test_listsAreKept() external {
        uint64 id = openDedicated(defaultTerms(), pair(miners[1], miners[2]));
        assertTrue(sessions.isDedicated(id, miners[1]), "listed miner");
        assertFalse(sessions.isDedicated(id, miners[0]), "other miner");
        assertFalse(sessions.isDedicated(id, routers[0]), "a router is no miner");
        assertEq(sessions.firstUndedicated(id, pair(miners[2], miners[1])), address(0), "all listed");
        assertEq(sessions.firstUndedicated(id, first(miners, 2)), miners[0], "the first that is not");
        assertTrue(sessions.isRouter(id, routers[1]), "listed router");
        assertFalse(sessions.isRouter(id, miners[1]), "a miner is no router");
        assertTrue(sessions.isOwnerOrRouter(id, CLIENT), "owner");
        assertTrue(sessions.isOwnerOrRouter(id, routers[0]), "router");
        assertFalse(sessions.isOwnerOrRouter(id, STRANGER), "stranger");
    }

    function test_anEmptyDepositOpensNothing() external {
        vm.expectRevert(SessionEvents.EmptyDeposit.selector);
        sessions.open(defaultTerms(), routers, nobody(), 0, effect());
    }

    function test_aDepositThatIsNotThereOpensNothing() external {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(sessions), 0, DEPOSIT)
        );
        vm.prank(STRANGER);
        sessions.open(defaultTerms(), routers, nobody(), DEPOSIT, effect());
        assertEq(sessions.sessionCount(), 0, "no session");
    }

    function test_onlyRegisteredRoutersCanBeListed() external {
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotARouter.selector, miners[0]));
        openSession(defaultTerms(), pair(routers[0], miners[0]), nobody());
    }

    function test_anEffectOpensOnce() external {
        vm.prank(CLIENT);
        sessions.open(defaultTerms(), routers, nobody(), DEPOSIT, "open");
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, CLIENT, bytes32("open")));
        vm.prank(CLIENT);
        sessions.open(defaultTerms(), routers, nobody(), DEPOSIT, "open");
    }

    // ---------------------------------------------------------------- deposit

    function test_anyoneMayTopUp() external {
        uint64 id = openSession();
        fund(STRANGER, 5 ether);
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionDeposited(id, STRANGER, 5 ether);
        _deposit(STRANGER, id, 5 ether);
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT + 5 ether, "balance");
        assertMoneyConserved();
    }

    function test_depositsNeedAmountAndSession() external {
        uint64 id = openSession();
        vm.expectRevert(SessionEvents.EmptyDeposit.selector);
        _deposit(CLIENT, id, 0);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.UnknownSession.selector, id + 1));
        _deposit(CLIENT, id + 1, 1);
        _close(id);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, id, SessionState.Closed));
        _deposit(CLIENT, id, 1);
    }

    function test_anEffectDepositsOnce() external {
        uint64 id = openSession();
        vm.prank(CLIENT);
        sessions.deposit(id, 1 ether, "top-up");
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, CLIENT, bytes32("top-up")));
        vm.prank(CLIENT);
        sessions.deposit(id, 1 ether, "top-up");
    }

    function test_aPermitReplacesTheApproval() external {
        uint64 id = openSession();
        Permit memory permit = permitOf("client", 4 ether);
        vm.prank(CLIENT);
        sessions.depositWithPermit(id, 4 ether, permit, effect());
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT + 4 ether, "balance");
        assertEq(cor.nonces(CLIENT), 1, "the permit was used");
        assertMoneyConserved();
    }

    function test_aPermitThatSomebodyBroughtBeforeDoesNoHarm() external {
        uint64 id = openSession();
        Permit memory permit = permitOf("client", 4 ether);
        cor.permit(CLIENT, address(sessions), 4 ether, permit.deadline, permit.v, permit.r, permit.s);
        vm.prank(CLIENT);
        sessions.depositWithPermit(id, 4 ether, permit, effect());
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT + 4 ether, "balance");
    }

    function test_aBadPermitDepositsNothing() external {
        uint64 id = openSession();
        vm.prank(CLIENT);
        cor.approve(address(sessions), 0);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(sessions), 0, 1 ether)
        );
        vm.prank(CLIENT);
        sessions.depositWithPermit(id, 1 ether, Permit(type(uint256).max, 27, "r", "s"), effect());
    }

    // ---------------------------------------------------------------- close

    function test_anIdleSessionClosesAtOnce() external {
        uint64 id = openSession();
        uint256 before = cor.balanceOf(CLIENT);
        vm.expectEmit(address(sessions));
        emit EffectLog.EffectApplied(CLIENT, "close");
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionClosed(id, DEPOSIT);
        vm.prank(CLIENT);
        sessions.close(id, "close");
        assertEq(cor.balanceOf(CLIENT), before + DEPOSIT, "refunded");
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Closed), "closed");
        assertMoneyConserved();
    }

    function test_aBusySessionDrainsAndClosesWithItsLastTask() external {
        uint64 id = openSession();
        bytes32 settling = taskIn(TaskState.Validated, id, 3, 2);
        bytes32 cancelled = submit(id);
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionDraining(id);
        _close(id);
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Draining), "draining");

        vm.expectRevert(abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, id, SessionState.Draining));
        submit(id, "another");

        settle(settling);
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Draining), "one task is left");
        uint256 rest = sessions.sessionOf(id).balanceWei + MAX_PRICE;
        uint256 before = cor.balanceOf(CLIENT);
        vm.expectEmit(address(sessions));
        emit SessionEvents.SessionClosed(id, uint128(rest));
        vm.prank(CLIENT);
        queue.cancel(cancelled, effect());
        assertEq(cor.balanceOf(CLIENT), before + rest, "refunded");
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Closed), "closed");
        assertMoneyConserved();
    }

    function test_onlyTheOwnerClosesAndOnce() external {
        uint64 id = openSession();
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSessionOwner.selector, id, STRANGER));
        vm.prank(STRANGER);
        sessions.close(id, effect());
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.UnknownSession.selector, 99));
        _close(99);
        _close(id);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, id, SessionState.Closed));
        _close(id);
    }

    // ---------------------------------------------------------------- escrow and release

    function test_escrowIsTheLowerOfBothPrices() external {
        uint64 id = openSession();
        vm.prank(address(queue));
        Escrow memory held = sessions.escrow(id, CLIENT, 3 ether);
        assertEq(held.escrowWei, 3 ether, "the submitter's");
        assertEq(held.version, 1, "version");
        assertEq(held.demandPpm, 1_000_000, "demand");
        assertEq(held.queueTimeoutS, 60, "time-out");
        vm.prank(address(queue));
        assertEq(sessions.escrow(id, CLIENT, type(uint128).max).escrowWei, MAX_PRICE, "the session's");
        assertEq(sessions.sessionOf(id).escrowedWei, MAX_PRICE + 3 ether, "escrowed");
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT - MAX_PRICE - 3 ether, "balance");
        assertMoneyConserved();
    }

    function test_escrowNeedsABalance() external {
        Terms memory terms = defaultTerms();
        terms.maxTaskPriceWei = type(uint128).max;
        uint64 id = openSession(terms);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.InsufficientBalance.selector, DEPOSIT, DEPOSIT + 1));
        vm.prank(address(queue));
        sessions.escrow(id, CLIENT, DEPOSIT + 1);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.ZeroPrice.selector, id));
        vm.prank(address(queue));
        sessions.escrow(id, CLIENT, 0);
        vm.prank(address(queue));
        sessions.escrow(id, CLIENT, DEPOSIT);
        assertEq(sessions.sessionOf(id).balanceWei, 0, "to the last wei");
    }

    function test_onlyThoseWhoMaySpendSubmit() external {
        Terms memory terms = defaultTerms();
        terms.routerMaySubmit = false;
        uint64 id = openSession(terms);
        vm.expectRevert(abi.encodeWithSelector(Allowances.NotAllowed.selector, id, routers[0]));
        vm.prank(address(queue));
        sessions.escrow(id, routers[0], 1);

        id = openSession();
        vm.prank(address(queue));
        sessions.escrow(id, routers[0], 1);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NotSubmitter.selector, id, STRANGER));
        vm.prank(address(queue));
        sessions.escrow(id, STRANGER, 1);
    }

    function test_releasePaysAndReturnsTheRest() external {
        uint64 id = openSession();
        Payment[] memory payments = new Payment[](2);
        payments[0] = Payment({to: miners[0], role: Share.Miner, amountWei: 3 ether});
        payments[1] = Payment({to: miners[0], role: Share.Router, amountWei: 1 ether});
        vm.prank(address(queue));
        sessions.escrow(id, CLIENT, 5 ether);
        vm.prank(address(queue));
        assertEq(sessions.release(id, 5 ether, 1_000_000, payments), 1 ether, "returned");
        assertEq(sessions.earningsOf(miners[0]), 4 ether, "earned");
        assertEq(sessions.totals().paidWei, 4 ether, "paid");
        assertEq(sessions.totals().unclaimedWei, 4 ether, "unclaimed");
        assertMoneyConserved();
    }

    // ---------------------------------------------------------------- earnings

    function test_earningsAreTakenOnce() external {
        taskIn(TaskState.Settled);
        uint128 earned = sessions.earningsOf(miners[0]);
        assertTrue(earned > 0, "earned something");
        vm.expectEmit(address(sessions));
        emit SessionEvents.EarningsWithdrawn(miners[0], miners[0], earned);
        vm.prank(miners[0]);
        sessions.withdrawEarnings("pay day");
        assertEq(cor.balanceOf(miners[0]), earned, "in hand");
        assertEq(sessions.earningsOf(miners[0]), 0, "nothing left");
        assertMoneyConserved();

        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, miners[0], bytes32("pay day")));
        vm.prank(miners[0]);
        sessions.withdrawEarnings("pay day");
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.NothingEarned.selector, miners[0]));
        vm.prank(miners[0]);
        sessions.withdrawEarnings(effect());
    }

    // ---------------------------------------------------------------- the calls

    function _deposit(address from, uint64 id, uint128 amountWei) private {
        vm.prank(from);
        sessions.deposit(id, amountWei, effect());
    }

    function _close(uint64 id) private {
        vm.prank(CLIENT);
        sessions.close(id, effect());
    }
}

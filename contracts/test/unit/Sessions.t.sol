// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {Sessions} from "../../src/Sessions.sol";
import {Payment, Session, SessionState, Share, TaskRules, Terms} from "../../src/types/Session.sol";
import {TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

contract SessionsTest is NetworkTest {
    bytes32 private constant PERMIT_TYPE =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    // ---------------------------------------------------------------- open

    function test_openingKeepsTermsAndDeposit() external {
        Terms memory terms = defaultTerms();
        vm.expectEmit(address(sessions));
        emit EffectLog.EffectApplied(CLIENT, "open");
        vm.expectEmit(address(sessions));
        emit Sessions.SessionOpened(1, CLIENT, terms);
        vm.expectEmit(address(sessions));
        emit Sessions.SessionDeposited(1, CLIENT, DEPOSIT);
        vm.prank(CLIENT);
        assertEq(sessions.open(terms, DEPOSIT, "open"), 1, "the first id");

        Session memory session = sessions.sessionOf(1);
        assertEq(session.owner, CLIENT, "owner");
        assertEq(uint256(session.state), uint256(SessionState.Open), "open");
        assertEq(session.redundancy, 3, "redundancy");
        assertEq(session.validators, 2, "validators");
        assertEq(session.level, 1, "level");
        assertEq(session.similarityBps, 8000, "similarity");
        assertTrue(session.routerMaySubmit, "routers submit");
        assertFalse(session.dedicated, "not dedicated");
        assertEq(session.balanceWei, DEPOSIT, "balance");
        assertEq(session.maxTaskPriceWei, MAX_PRICE, "highest price");
        assertEq(session.queueTimeoutS, 60, "queue");
        assertEq(session.ackTimeoutS, 5, "ack");
        assertEq(session.executeTimeoutS, 30, "execute");
        assertEq(session.revealTimeoutS, 10, "reveal");
        assertEq(session.validateTimeoutS, 20, "validate");
        (uint128 promptTokenWei, uint128 outputTokenWei) = sessions.tokenPricesOf(1);
        assertEq(promptTokenWei, PROMPT_TOKEN, "prompt token");
        assertEq(outputTokenWei, OUTPUT_TOKEN, "output token");
        assertEq(sessions.sessionCount(), 1, "count");
        assertMoneyConserved();
    }

    function test_listsAreKept() external {
        Terms memory terms = defaultTerms();
        terms.dedicatedMiners = pair(miners[1], miners[2]);
        uint64 id = openSession(terms);
        assertTrue(sessions.sessionOf(id).dedicated, "dedicated");
        assertTrue(sessions.mayMine(id, miners[1]), "listed miner");
        assertFalse(sessions.mayMine(id, miners[0]), "other miner");
        assertFalse(sessions.mayMine(id, routers[0]), "a router is no miner");
        assertTrue(sessions.isRouter(id, routers[1]), "listed router");
        assertFalse(sessions.isRouter(id, miners[1]), "a miner is no router");
        assertTrue(sessions.isOwnerOrRouter(id, CLIENT), "owner");
        assertTrue(sessions.isOwnerOrRouter(id, routers[0]), "router");
        assertFalse(sessions.isOwnerOrRouter(id, STRANGER), "stranger");
    }

    function test_withoutAListAnyMinerMayWork() external {
        uint64 id = openSession();
        assertTrue(sessions.mayMine(id, miners[0]), "anyone");
    }

    function test_anEmptyDepositOpensNothing() external {
        vm.expectRevert(Sessions.EmptyDeposit.selector);
        sessions.open(defaultTerms(), 0, effect());
    }

    function test_aDepositThatIsNotThereOpensNothing() external {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(sessions), 0, DEPOSIT)
        );
        vm.prank(STRANGER);
        sessions.open(defaultTerms(), DEPOSIT, effect());
        assertEq(sessions.sessionCount(), 0, "no session");
    }

    function test_onlyRegisteredRoutersCanBeListed() external {
        Terms memory terms = defaultTerms();
        terms.routers = pair(routers[0], miners[0]);
        vm.expectRevert(abi.encodeWithSelector(Sessions.NotARouter.selector, miners[0]));
        openSession(terms);
    }

    function test_anEffectOpensOnce() external {
        vm.prank(CLIENT);
        sessions.open(defaultTerms(), DEPOSIT, "open");
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, CLIENT, bytes32("open")));
        vm.prank(CLIENT);
        sessions.open(defaultTerms(), DEPOSIT, "open");
    }

    // ---------------------------------------------------------------- deposit

    function test_anyoneMayTopUp() external {
        uint64 id = openSession();
        fund(STRANGER, 5 ether);
        vm.expectEmit(address(sessions));
        emit Sessions.SessionDeposited(id, STRANGER, 5 ether);
        _deposit(STRANGER, id, 5 ether);
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT + 5 ether, "balance");
        assertMoneyConserved();
    }

    function test_depositsNeedAmountAndSession() external {
        uint64 id = openSession();
        vm.expectRevert(Sessions.EmptyDeposit.selector);
        _deposit(CLIENT, id, 0);
        vm.expectRevert(abi.encodeWithSelector(Sessions.UnknownSession.selector, id + 1));
        _deposit(CLIENT, id + 1, 1);
        _close(id);
        vm.expectRevert(abi.encodeWithSelector(Sessions.SessionNotOpen.selector, id, SessionState.Closed));
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
        (uint8 v, bytes32 r, bytes32 s) = _permit(4 ether);
        vm.prank(CLIENT);
        sessions.depositWithPermit(id, 4 ether, type(uint256).max, v, r, s, effect());
        assertEq(sessions.sessionOf(id).balanceWei, DEPOSIT + 4 ether, "balance");
        assertEq(cor.nonces(CLIENT), 1, "the permit was used");
        assertMoneyConserved();
    }

    function test_aPermitThatSomebodyBroughtBeforeDoesNoHarm() external {
        uint64 id = openSession();
        (uint8 v, bytes32 r, bytes32 s) = _permit(4 ether);
        cor.permit(CLIENT, address(sessions), 4 ether, type(uint256).max, v, r, s);
        vm.prank(CLIENT);
        sessions.depositWithPermit(id, 4 ether, type(uint256).max, v, r, s, effect());
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
        sessions.depositWithPermit(id, 1 ether, type(uint256).max, 27, "r", "s", effect());
    }

    function _permit(uint256 amountWei) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 words = keccak256(
            abi.encode(PERMIT_TYPE, CLIENT, address(sessions), amountWei, cor.nonces(CLIENT), type(uint256).max)
        );
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", cor.DOMAIN_SEPARATOR(), words));
        return vm.sign(uint256(keccak256("client")), digest);
    }

    // ---------------------------------------------------------------- close

    function test_anIdleSessionClosesAtOnce() external {
        uint64 id = openSession();
        uint256 before = cor.balanceOf(CLIENT);
        vm.expectEmit(address(sessions));
        emit EffectLog.EffectApplied(CLIENT, "close");
        vm.expectEmit(address(sessions));
        emit Sessions.SessionClosed(id, DEPOSIT);
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
        emit Sessions.SessionDraining(id);
        _close(id);
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Draining), "draining");

        vm.expectRevert(abi.encodeWithSelector(Sessions.SessionNotOpen.selector, id, SessionState.Draining));
        submit(id, "another");

        settle(settling);
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Draining), "one task is left");
        uint256 rest = sessions.sessionOf(id).balanceWei + MAX_PRICE;
        uint256 before = cor.balanceOf(CLIENT);
        vm.expectEmit(address(sessions));
        emit Sessions.SessionClosed(id, uint128(rest));
        vm.prank(CLIENT);
        queue.cancel(cancelled, effect());
        assertEq(cor.balanceOf(CLIENT), before + rest, "refunded");
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Closed), "closed");
        assertMoneyConserved();
    }

    function test_onlyTheOwnerClosesAndOnce() external {
        uint64 id = openSession();
        vm.expectRevert(abi.encodeWithSelector(Sessions.NotSessionOwner.selector, id, STRANGER));
        vm.prank(STRANGER);
        sessions.close(id, effect());
        vm.expectRevert(abi.encodeWithSelector(Sessions.UnknownSession.selector, 99));
        _close(99);
        _close(id);
        vm.expectRevert(abi.encodeWithSelector(Sessions.SessionNotOpen.selector, id, SessionState.Closed));
        _close(id);
    }

    // ---------------------------------------------------------------- escrow and release

    function test_escrowIsTheLowerOfBothPrices() external {
        uint64 id = openSession();
        vm.prank(address(queue));
        TaskRules memory rules = sessions.escrow(id, CLIENT, 3 ether);
        assertEq(rules.escrowWei, 3 ether, "the submitter's");
        assertEq(rules.redundancy, 3, "redundancy");
        assertEq(rules.validateTimeoutS, 20, "timeouts");
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
        vm.expectRevert(abi.encodeWithSelector(Sessions.InsufficientBalance.selector, DEPOSIT, DEPOSIT + 1));
        vm.prank(address(queue));
        sessions.escrow(id, CLIENT, DEPOSIT + 1);
        vm.expectRevert(abi.encodeWithSelector(Sessions.ZeroPrice.selector, id));
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
        vm.expectRevert(abi.encodeWithSelector(Sessions.NotSubmitter.selector, id, routers[0]));
        vm.prank(address(queue));
        sessions.escrow(id, routers[0], 1);

        id = openSession();
        vm.prank(address(queue));
        sessions.escrow(id, routers[0], 1);
        vm.expectRevert(abi.encodeWithSelector(Sessions.NotSubmitter.selector, id, STRANGER));
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
        assertEq(sessions.release(id, 5 ether, payments), 1 ether, "returned");
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
        emit Sessions.EarningsWithdrawn(miners[0], earned);
        vm.prank(miners[0]);
        sessions.withdrawEarnings("pay day");
        assertEq(cor.balanceOf(miners[0]), earned, "in hand");
        assertEq(sessions.earningsOf(miners[0]), 0, "nothing left");
        assertMoneyConserved();

        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, miners[0], bytes32("pay day")));
        vm.prank(miners[0]);
        sessions.withdrawEarnings("pay day");
        vm.expectRevert(abi.encodeWithSelector(Sessions.NothingEarned.selector, miners[0]));
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

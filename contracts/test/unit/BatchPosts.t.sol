// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchEvents} from "../../src/BatchEvents.sol";
import {EffectLog} from "../../src/EffectLog.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {BatchState, SessionShare} from "../../src/types/Batch.sol";
import {Role} from "../../src/types/Node.sol";
import {SettlementMode, Terms} from "../../src/types/Session.sol";
import {Plan} from "../base/BatchPlans.sol";
import {BatchTest} from "../base/BatchTest.sol";
import {vm} from "../base/Vm.sol";

contract BatchPostsTest is BatchTest {
    uint64 private _session;

    function setUp() public override {
        super.setUp();
        _session = openBatched();
    }

    // ---------------------------------------------------------------- who may post what and when

    function test_onlyActiveRoutersThatASessionListsPost() external {
        SessionShare[] memory shares = one(_session, 1);
        shares[0].reservedWei = 1 ether;
        _refusesPost(miners[0], shares, abi.encodeWithSelector(BatchEvents.NotActiveRouter.selector, miners[0]));
        address other = account("other router");
        join(other, Role.Router, STAKE);
        bond(other, 100 ether);
        _refusesPost(other, shares, abi.encodeWithSelector(SessionEvents.NotSubmitter.selector, _session, other));
        Terms memory terms = defaultTerms();
        terms.settlement = SettlementMode.Batched;
        terms.routerMaySubmit = false;
        update(_session, terms);
        _refusesPost(
            routers[0], shares, abi.encodeWithSelector(SessionEvents.NotSubmitter.selector, _session, routers[0])
        );
    }

    function test_onlySessionsThatWantBatchesAreDrawnFrom() external {
        uint64 perTask = openSession();
        SessionShare[] memory shares = one(perTask, 1);
        shares[0].reservedWei = 1 ether;
        _refusesPost(routers[0], shares, abi.encodeWithSelector(SessionEvents.NotBatched.selector, perTask));
    }

    function test_whatIsSetAsideIsBounded() external {
        SessionShare[] memory shares = one(_session, 2);
        _refusesPost(routers[0], shares, abi.encodeWithSelector(SessionEvents.ZeroPrice.selector, _session));
        shares[0].reservedWei = 2 * MAX_PRICE + 1;
        _refusesPost(
            routers[0],
            shares,
            abi.encodeWithSelector(SessionEvents.ReservedTooMuch.selector, _session, 2 * MAX_PRICE + 1)
        );
        shares[0].reservedWei = 2 * MAX_PRICE;
        _post(routers[0], shares);
        shares[0].tasks = 1000;
        shares[0].reservedWei = DEPOSIT;
        _refusesPost(
            routers[0],
            shares,
            abi.encodeWithSelector(SessionEvents.InsufficientBalance.selector, DEPOSIT - 2 * MAX_PRICE, DEPOSIT)
        );
    }

    function test_noBatchIsBegunTwice() external {
        SessionShare[] memory shares = one(_session, 1);
        shares[0].reservedWei = 1;
        _post(routers[0], shares);
        vm.prank(routers[0]);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongNumber.selector, 0, 1));
        batches.postPrecommits(0, "root", "manifest", shares, "again");
    }

    function test_aTaskLimitCountsTasksOfBatches() external {
        Terms memory terms = defaultTerms();
        terms.settlement = SettlementMode.Batched;
        terms.taskLimit = 3;
        update(_session, terms);
        SessionShare[] memory shares = one(_session, 4);
        shares[0].reservedWei = 1 ether;
        _refusesPost(routers[0], shares, abi.encodeWithSelector(SessionEvents.TaskLimitReached.selector, _session, 3));
        shares[0].tasks = 3;
        _post(routers[0], shares);
    }

    function test_aBatchHasOneTo1024TasksOf1To16Sessions() external {
        _refusesPost(
            routers[0], new SessionShare[](0), abi.encodeWithSelector(BatchEvents.CountOutOfBounds.selector, 0, 16)
        );
        _refusesPost(
            routers[0], new SessionShare[](17), abi.encodeWithSelector(BatchEvents.CountOutOfBounds.selector, 17, 16)
        );
        SessionShare[] memory shares = one(_session, 0);
        _refusesPost(routers[0], shares, abi.encodeWithSelector(BatchEvents.CountOutOfBounds.selector, 0, 1024));
        shares[0].tasks = 1025;
        shares[0].reservedWei = 1 ether;
        _refusesPost(routers[0], shares, abi.encodeWithSelector(BatchEvents.CountOutOfBounds.selector, 1025, 1024));
        shares[0].tasks = 1024;
        _post(routers[0], shares);
        SessionShare[] memory many = new SessionShare[](16);
        for (uint256 i = 0; i < 16; ++i) {
            many[i] = SessionShare(_session, 1, 1 ether);
        }
        _post(routers[0], many);
    }

    function test_eachBatchHoldsAPartOfABond() external {
        SessionShare[] memory shares = one(_session, 1);
        shares[0].reservedWei = 1;
        for (uint256 i = 0; i < 10; ++i) {
            _post(routers[0], shares);
        }
        _refusesPost(routers[0], shares, abi.encodeWithSelector(BatchEvents.BondTooLow.selector, 0, 100 ether));
        vm.prank(routers[0]);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.BondTooLow.selector, 0, 1));
        batches.withdrawBond(1, effect());
    }

    function test_aBondComesAndGoes() external {
        vm.prank(routers[0]);
        vm.expectRevert(BatchEvents.EmptyBond.selector);
        batches.depositBond(0, effect());
        vm.prank(routers[0]);
        vm.expectRevert(BatchEvents.EmptyBond.selector);
        batches.withdrawBond(0, effect());
        uint256 before = cor.balanceOf(routers[0]);
        vm.prank(routers[0]);
        batches.withdrawBond(1000 ether, "once");
        assertEq(cor.balanceOf(routers[0]) - before, 1000 ether, "back");
        vm.prank(routers[0]);
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, routers[0], bytes32("once")));
        batches.withdrawBond(1, "once");
        assertBatchMoney();
    }

    function test_rootsComeInOrderFromThePosterEachInALaterBlock() external {
        Plan memory b = plan(_session, 2);
        precommitAll(b);
        vm.roll(block.number - 1);
        vm.prank(b.poster);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.SameBlock.selector, b.id));
        batches.postReveals(b.id, b.header, "root", "manifest", effect());
        vm.roll(block.number + 1);
        vm.prank(routers[1]);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.NotPoster.selector, b.id, routers[1]));
        batches.postReveals(b.id, b.header, "root", "manifest", effect());
        vm.prank(b.poster);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongBatchState.selector, b.id, BatchState.Precommitted));
        batches.postOutcomes(b.id, b.header, "root", "root", 1, b.drawnWei, "manifest", effect());
        b.header.tasks += 1;
        vm.prank(b.poster);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.WrongHeader.selector, b.id));
        batches.postReveals(b.id, b.header, "root", "manifest", effect());
        b.header.tasks -= 1;
        revealAll(b);
        vm.roll(block.number - 1);
        vm.prank(b.poster);
        vm.expectRevert(abi.encodeWithSelector(BatchEvents.SameBlock.selector, b.id));
        batches.postOutcomes(b.id, b.header, "root", "root", 1, b.drawnWei, "manifest", effect());
    }

    function test_whatIsDrawnIsBoundedByWhatWasSetAside() external {
        Plan memory b = plan(_session, 2);
        precommitAll(b);
        revealAll(b);
        uint128 reservedWei = b.shares[0].reservedWei;
        b.drawnWei[0] = reservedWei + 1;
        _refusesOutcomes(
            b, 1, abi.encodeWithSelector(BatchEvents.DrawnTooMuch.selector, _session, reservedWei + 1, reservedWei)
        );
        b.drawnWei[0] = reservedWei;
        _refusesOutcomes(b, 0, abi.encodeWithSelector(BatchEvents.CountOutOfBounds.selector, 0, 65_536));
        _refusesOutcomes(b, 65_537, abi.encodeWithSelector(BatchEvents.CountOutOfBounds.selector, 65_537, 65_536));
        b.drawnWei[0] = 0;
        _refusesOutcomes(b, 1, abi.encodeWithSelector(BatchEvents.CountOutOfBounds.selector, 1, 65_536));
        b.drawnWei = new uint128[](2);
        _refusesOutcomes(b, 0, abi.encodeWithSelector(BatchEvents.CountOutOfBounds.selector, 2, 1));
    }

    function test_aLineHasAtMost64BatchesThatCanBeChallenged() external {
        bond(routers[0], 10_000 ether);
        Plan memory first;
        for (uint256 i = 0; i < 64; ++i) {
            Plan memory b = posted(_session, 1);
            if (i == 0) first = b;
        }
        Plan memory more = plan(_session, 1);
        precommitAll(more);
        revealAll(more);
        pay(more);
        _refusesOutcomes(more, more.paymentCount, abi.encodeWithSelector(BatchEvents.CountOutOfBounds.selector, 65, 64));
        finaliseAfterWindow(first);
        postAll(more);
        assertTrue(batches.stands(more.id, more.header), "in the place of the first");
    }

    // ---------------------------------------------------------------- short ways

    function _post(address by, SessionShare[] memory shares) private {
        bytes32 id = effect();
        uint32 number = batches.lineOf(by).begun;
        vm.prank(by);
        batches.postPrecommits(number, "root", "manifest", shares, id);
    }

    function _refusesPost(address by, SessionShare[] memory shares, bytes memory refusal) private {
        bytes32 id = effect();
        uint32 number = batches.lineOf(by).begun;
        vm.prank(by);
        vm.expectRevert(refusal);
        batches.postPrecommits(number, "root", "manifest", shares, id);
    }

    function _refusesOutcomes(Plan memory b, uint32 payments, bytes memory refusal) private {
        bytes32 id = effect();
        vm.prank(b.poster);
        vm.expectRevert(refusal);
        batches.postOutcomes(b.id, b.header, "root", "root", payments, b.drawnWei, "manifest", id);
    }
}

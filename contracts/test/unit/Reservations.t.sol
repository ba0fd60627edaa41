// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Modules} from "../../src/Modules.sol";
import {Reservations} from "../../src/Reservations.sol";
import {SessionEvents} from "../../src/SessionEvents.sol";
import {Powers} from "../../src/libraries/Powers.sol";
import {PoolMode, SessionState, Terms} from "../../src/types/Session.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract ReservationsTest is NetworkTest {
    uint64 private _id;

    function setUp() public override {
        super.setUp();
        _id = openSession(_terms());
    }

    function test_anInvitedMinerJoinsAndIsPaidForItsTime() external {
        vm.expectEmit(address(reservations));
        emit Reservations.MinerInvited(_id, miners[0], 1);
        _invite(CLIENT, miners[0]);
        assertEq(reservations.invitationOf(_id, miners[0]), 1, "invited");
        uint40 until = uint40(block.timestamp) + 600;
        vm.expectEmit(address(reservations));
        emit Reservations.MinerReserved(_id, miners[0], 2 ether, until);
        _join(miners[0]);
        assertEq(reservations.reservedCount(_id), 1, "in the pool");
        assertEq(reservations.reservedPage(_id, 0, 9)[0], miners[0], "by its name");
        assertEq(reservations.reservationOf(_id, miners[0]).reservedUntil, until, "until");
        assertEq(reservations.invitationOf(_id, miners[0]), 0, "an invitation is for once");
        assertEq(sessions.sessionOf(_id).escrowedWei, 2 ether, "set aside");
        assertMoneyConserved();

        pass(599);
        vm.expectRevert(abi.encodeWithSelector(Reservations.StillReserved.selector, _id, miners[0], until));
        _endIt(miners[0]);
        pass(1);
        vm.expectEmit(address(reservations));
        emit Reservations.ReservationEnded(_id, miners[0], 2 ether);
        _endIt(miners[0]);
        assertEq(sessions.earningsOf(miners[0]), 2 ether, "paid");
        assertEq(sessions.sessionOf(_id).balanceWei, DEPOSIT - 2 ether, "by the session");
        assertEq(reservations.reservedCount(_id), 0, "gone");
        assertMoneyConserved();
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotReserved.selector, _id, miners[0]));
        _endIt(miners[0]);
    }

    function test_nobodyDrainsASessionByReserving() external {
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotInvited.selector, _id, miners[0]));
        _join(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotInviter.selector, _id, miners[0]));
        _invite(miners[0], miners[0]);
        _invite(routers[0], miners[0]);
        _join(miners[0]);
        pass(600);
        _endIt(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotInvited.selector, _id, miners[0]));
        _join(miners[0]);
    }

    function test_aRouterInvitesOnlyWhereItMaySpend() external {
        Terms memory terms = _terms();
        terms.routerMaySubmit = false;
        update(_id, terms);
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotInviter.selector, _id, routers[0]));
        _invite(routers[0], miners[0]);
    }

    function test_thePoolIsBounded() external {
        for (uint256 i = 0; i < 4; ++i) {
            _invite(CLIENT, miners[i]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            _join(miners[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(Reservations.PoolFull.selector, _id, 3));
        _join(miners[3]);
        _invite(CLIENT, miners[0]);
        vm.expectRevert(abi.encodeWithSelector(Reservations.AlreadyReserved.selector, _id, miners[0]));
        _join(miners[0]);
    }

    function test_anInvitationHoldsForItsTermsOnly() external {
        _invite(CLIENT, miners[0]);
        update(_id, _terms());
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotInvited.selector, _id, miners[0]));
        _join(miners[0]);
        _invite(CLIENT, miners[0]);
        vm.expectEmit(address(reservations));
        emit Reservations.InvitationWithdrawn(_id, miners[0]);
        vm.prank(CLIENT);
        reservations.withdrawInvitation(_id, miners[0], effect());
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotInvited.selector, _id, miners[0]));
        vm.prank(CLIENT);
        reservations.withdrawInvitation(_id, miners[0], effect());
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotInviter.selector, _id, STRANGER));
        vm.prank(STRANGER);
        reservations.withdrawInvitation(_id, miners[0], effect());
    }

    function test_onlyWhereTermsReserve() external {
        Terms memory terms = _terms();
        terms.reservePeriodS = 0;
        update(_id, terms);
        _invite(CLIENT, miners[0]);
        vm.expectRevert(abi.encodeWithSelector(Reservations.NothingToReserve.selector, _id));
        _join(miners[0]);
        _id = openDedicated(_terms(), first(miners, 3));
        _invite(CLIENT, miners[0]);
        vm.expectRevert(abi.encodeWithSelector(Reservations.NothingToReserve.selector, _id));
        _join(miners[0]);
    }

    function test_onlyActiveMinersJoinAndTheBalanceHasToCoverIt() external {
        _invite(CLIENT, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotAMiner.selector, STRANGER));
        _join(STRANGER);
        vm.prank(address(queue));
        sessions.escrow(_id, CLIENT, MAX_PRICE);
        for (uint256 i = 0; i < 98; ++i) {
            vm.prank(address(queue));
            sessions.escrow(_id, CLIENT, MAX_PRICE);
        }
        vm.prank(address(queue));
        sessions.escrow(_id, CLIENT, 9 ether);
        _invite(CLIENT, miners[0]);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.InsufficientBalance.selector, 1 ether, 2 ether));
        _join(miners[0]);
    }

    function test_whoIsNotThereAtTheEndEarnsNothing() external {
        _reserve(miners[0]);
        vm.prank(miners[0]);
        registry.setActive(false, effect());
        pass(600);
        _endIt(miners[0]);
        assertEq(sessions.earningsOf(miners[0]), 0, "nothing");
        assertEq(sessions.sessionOf(_id).balanceWei, DEPOSIT, "all is back");
    }

    function test_whoIsDismissedIsPaidForItsTimeAndWhoLeavesIsNot() external {
        _reserve(miners[0]);
        _reserve(miners[1]);
        pass(150);
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotInviter.selector, _id, STRANGER));
        vm.prank(STRANGER);
        reservations.dismiss(_id, miners[0], effect());
        vm.prank(CLIENT);
        reservations.dismiss(_id, miners[0], effect());
        assertEq(sessions.earningsOf(miners[0]), 0.5 ether, "a quarter");
        vm.prank(miners[1]);
        reservations.leavePool(_id, effect());
        assertEq(sessions.earningsOf(miners[1]), 0, "nothing");
        assertMoneyConserved();

        _reserve(miners[2]);
        pass(1000);
        vm.expectRevert(abi.encodeWithSelector(Reservations.NotReserved.selector, _id, miners[2]));
        vm.prank(miners[2]);
        reservations.leavePool(_id, effect());
        vm.prank(routers[0]);
        reservations.dismiss(_id, miners[2], effect());
        assertEq(sessions.earningsOf(miners[2]), 2 ether, "never more than the fee");
    }

    function test_aReservedMinerHoldsUpNoClosing() external {
        _reserve(miners[0]);
        vm.prank(CLIENT);
        sessions.close(_id, effect());
        assertEq(uint256(sessions.sessionOf(_id).state), uint256(SessionState.Draining), "the fee is set aside");
        _invite(CLIENT, miners[1]);
        vm.expectRevert(abi.encodeWithSelector(SessionEvents.SessionNotOpen.selector, _id, SessionState.Draining));
        _join(miners[1]);
        pass(600);
        _endIt(miners[0]);
        assertEq(uint256(sessions.sessionOf(_id).state), uint256(SessionState.Closed), "time ends it");
        assertMoneyConserved();
    }

    function test_onlyTheReservationsMoveFees() external {
        bytes memory refusal = abi.encodeWithSelector(Modules.MissingPower.selector, STRANGER, Powers.RESERVE);
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        sessions.holdFee(_id);
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        sessions.payFee(_id, 1, STRANGER, 1);
    }

    function _terms() private pure returns (Terms memory terms) {
        terms = defaultTerms();
        (terms.reservePeriodS, terms.reserveFeeWei, terms.maxMiners) = (600, 2 ether, 3);
        terms.mode = PoolMode.Ephemeral;
    }

    function _invite(address by, address miner) private {
        vm.prank(by);
        reservations.invite(_id, miner, effect());
    }

    function _join(address miner) private {
        vm.prank(miner);
        reservations.join(_id, effect());
    }

    function _reserve(address miner) private {
        _invite(CLIENT, miner);
        _join(miner);
    }

    function _endIt(address miner) private {
        vm.prank(STRANGER);
        reservations.endReservation(_id, miner, effect());
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sessions} from "../../src/Sessions.sol";
import {SessionState, SessionTotals} from "../../src/types/Session.sol";
import {Test} from "../base/Test.sol";
import {PaymentHandler} from "./PaymentHandler.sol";

/// @notice What is true of allowances, reservations and stakes for use after any sequence of actions of anybody.
/// forge-config: default.invariant.runs = 256
/// forge-config: default.invariant.depth = 500
contract PaymentsInvariantTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    PaymentHandler private _all;
    Sessions private _sessions;

    function setUp() external {
        _all = new PaymentHandler();
        _all.setUp();
        _sessions = _all.sessions();
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[27] memory actions = [
            _all.timePasses.selector,
            _all.treasuryFunds.selector,
            _all.userStakes.selector,
            _all.userUnstakes.selector,
            _all.userWithdraws.selector,
            _all.userOpens.selector,
            _all.userTopsUp.selector,
            _all.userSubmits.selector,
            _all.poolSessionCloses.selector,
            _all.ownerSigns.selector,
            _all.anyoneBrings.selector,
            _all.ownerRevokes.selector,
            _all.routerSubmits.selector,
            _all.somebodyInvites.selector,
            _all.minerJoins.selector,
            _all.anyoneEndsAReservation.selector,
            _all.somebodyDismisses.selector,
            _all.minerLeavesThePool.selector,
            _all.minerRestsOrWorks.selector,
            _all.ownerOpens.selector,
            _all.ownerUpdates.selector,
            _all.ownerHandsOver.selector,
            _all.anyoneDeposits.selector,
            _all.ownerCloses.selector,
            _all.minersServe.selector,
            _all.taskIsGivenUp.selector,
            _all.earnersWithdraw.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(_all), selectors: new bytes4[](28)});
        for (uint256 i = 0; i < 27; ++i) {
            targets[0].selectors[i] = actions[i];
        }
        targets[0].selectors[27] = _all.attackerMeddles.selector;
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_all);
    }

    /// @dev Handlers that are never let act would make every invariant true.
    function test_everybodyActs() external {
        bytes4[] memory actions = targetSelectors()[0].selectors;
        for (uint256 i = 0; i < 4000; ++i) {
            uint256 number = uint256(keccak256(abi.encode("action", i)));
            (bool ok,) = address(_all).call(abi.encodeWithSelector(actions[number % 28], number));
            assertTrue(ok, "every action works");
        }
        bytes32[24] memory what = [
            bytes32("funded"),
            "staked",
            "asked",
            "unstaked",
            "opened by the pool",
            "topped",
            "submitted by the pool",
            "closed by the pool",
            "brought",
            "revoked",
            "nonce revoked",
            "allowed",
            "trusted",
            "invited",
            "uninvited",
            "joined",
            "served",
            "let go",
            "left the pool",
            "updated",
            "taken",
            "closed",
            "withdrawn",
            "refused"
        ];
        for (uint256 i = 0; i < what.length; ++i) {
            assertTrue(_all.happened(what[i]) > 0, string(abi.encodePacked(what[i])));
        }
        _all.assertGrants();
        _all.assertReservations();
    }

    /// @dev The handler checks the money after every single action; here all that it counted is compared.
    function invariant_whatIsAllowedReservedAndStakedIsWhatWasDone() external view {
        _all.assertPayments();
        _all.assertGrants();
        _all.assertReservations();
    }

    /// @dev Whatever happened, time alone lets everybody out.
    function afterInvariant() external {
        _all.everybodyLeaves();
        for (uint64 id = 1; id <= _sessions.sessionCount(); ++id) {
            assertEq(uint256(_sessions.sessionOf(id).state), uint256(SessionState.Closed), "every session closes");
        }
        SessionTotals memory totals = _sessions.totals();
        assertEq(totals.balanceWei + totals.escrowedWei, 0, "nothing is stuck");
        assertEq(_all.stakesWei(), 0, "every stake for use is back");
        assertEq(_all.feesHeldWei(), 0, "every reservation ended");
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Parameters} from "../../src/Parameters.sol";
import {Roles} from "../../src/libraries/Roles.sol";
import {Role, SlashReason} from "../../src/types/Node.sol";
import {SessionState} from "../../src/types/Session.sol";
import {Permit} from "../../src/types/Session.sol";
import {TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice A pause closes every way in and no way out: each exit is tried while entries are paused.
contract PauseTest is NetworkTest {
    // ---------------------------------------------------------------- ways in

    function test_nobodyComesIn() external {
        uint64 id = openSession();
        pauseEntries();
        _expectPaused();
        vm.prank(STRANGER);
        registry.register(Roles.CLIENT, "key", 0, "", new string[](0), effect());
        _expectPaused();
        vm.prank(miners[0]);
        registry.addStake(1, effect());
        _expectPaused();
        openSession();
        _expectPaused();
        vm.prank(CLIENT);
        sessions.deposit(id, 1, effect());
        _expectPaused();
        vm.prank(CLIENT);
        sessions.depositWithPermit(id, 1, Permit(0, 0, 0, 0), effect());
        _expectPaused();
        submit(id);
    }

    function test_whatWasClosedOpensAgain() external {
        uint64 id = openSession();
        pauseEntries();
        govern(address(parameters), abi.encodeCall(parameters.openEntries, ("open")));
        submit(id);
        join(STRANGER, Role.Miner, STAKE);
    }

    function _expectPaused() private {
        vm.expectRevert(Parameters.EntriesArePaused.selector);
    }

    // ---------------------------------------------------------------- ways out

    function test_aTaskUnderWayIsFinishedAndPaid() external {
        uint64 id = openSession();
        bytes32 taskId = submit(id);
        pauseEntries();
        assign(taskId, 3, 2);
        for (uint256 i = 0; i < 3; ++i) {
            ack(taskId, miners[i]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            precommit(taskId, miners[i]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            reveal(taskId, miners[i]);
        }
        attest(taskId, validators[0], first(miners, 2));
        attest(taskId, validators[1], first(miners, 2));
        settle(taskId);
        assertState(taskId, TaskState.Settled);
        vm.prank(miners[0]);
        sessions.withdrawEarnings(effect());
        assertTrue(cor.balanceOf(miners[0]) != 0, "paid out");
        registry.sweepSlashed(effect());
        assertEq(cor.balanceOf(TREASURY), 10 ether, "what the outlier lost");
        vm.prank(CLIENT);
        sessions.close(id, effect());
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Closed), "closed and refunded");
        assertMoneyConserved();
    }

    function test_aTaskThatNobodyFinishesIsRefunded() external {
        uint64 id = openSession();
        bytes32 cancelled = submit(id, "cancelled");
        bytes32 queued = submit(id, "queued");
        bytes32 assigned = taskIn(TaskState.Assigned, id, 3, 2);
        bytes32 precommitted = taskIn(TaskState.Precommitted, id, 3, 2);
        bytes32 committed = taskIn(TaskState.Committed, id, 3, 2);
        pauseEntries();
        vm.prank(CLIENT);
        queue.cancel(cancelled, effect());
        vm.prank(CLIENT);
        sessions.close(id, effect());
        pass(2 days);
        reassign(precommitted, miners[0], address(0));
        queue.expire(queued, effect());
        queue.expire(assigned, effect());
        queue.expire(precommitted, effect());
        queue.resolve(committed, effect());
        assertEq(uint256(sessions.sessionOf(id).state), uint256(SessionState.Closed), "closed with its last task");
        assertEq(sessions.totals().balanceWei + sessions.totals().escrowedWei, 0, "all is back");
        assertMoneyConserved();
    }

    function test_aNodeLeavesWithItsStake() external {
        vm.prank(address(queue));
        registry.slash(miners[1], 10 ether, "task", SlashReason.Outlier, STRANGER, 5000);
        pauseEntries();
        vm.prank(miners[0]);
        registry.setActive(false, effect());
        vm.prank(miners[0]);
        registry.setActive(true, effect());
        vm.prank(miners[0]);
        registry.requestUnstake(effect());
        pass(7 days);
        vm.prank(miners[0]);
        registry.withdrawStake(effect());
        assertEq(cor.balanceOf(miners[0]), STAKE, "its whole stake");
        vm.prank(STRANGER);
        registry.withdrawReward(effect());
        assertEq(cor.balanceOf(STRANGER), 5 ether, "and a challenger its reward");
        assertMoneyConserved();
    }

    function test_tokensMoveAndLogsAreAnchored() external {
        pauseEntries();
        vm.prank(CLIENT);
        assertTrue(cor.transfer(STRANGER, 1), "transfer");
        vm.prank(CLIENT);
        cor.transferOnce(STRANGER, 1, effect());
        vm.prank(routers[0]);
        anchors.anchor("root", "heads", 7, effect());
        assertEq(anchors.epochCount(), 1, "anchored");
    }
}

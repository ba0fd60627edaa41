// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {Sessions} from "../../src/Sessions.sol";
import {TaskQueue} from "../../src/TaskQueue.sol";
import {AppealState} from "../../src/types/Appeal.sol";
import {NodeRecord, NodeState} from "../../src/types/Node.sol";
import {SessionRecord, SessionState, SessionTotals} from "../../src/types/Session.sol";
import {SlotState, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {Test} from "../base/Test.sol";
import {CarryingHandler} from "./CarryingHandler.sol";
import {NetworkHandler} from "./NetworkHandler.sol";

/// @notice What is true after any sequence of actions of anybody.
contract NetworkInvariantTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    NetworkHandler private _network;
    Sessions private _sessions;
    TaskQueue private _queue;
    NodeRegistry private _registry;

    function setUp() external {
        _network = new NetworkHandler();
        _network.setUp();
        (_sessions, _queue, _registry) = (_network.sessions(), _network.queue(), _network.registry());
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[32] memory actions = [
            _network.clientOpens.selector,
            _network.anyoneDeposits.selector,
            _network.clientUpdates.selector,
            _network.clientChangesItsMind.selector,
            _network.strangerCountsMiners.selector,
            _network.minersAreReserved.selector,
            _network.clientSubmits.selector,
            _network.clientSubmitsAStep.selector,
            _network.strangerRefundsAStep.selector,
            _network.clientCancels.selector,
            _network.clientCloses.selector,
            _network.routerAssigns.selector,
            _network.minersWork.selector,
            _network.oracleReassigns.selector,
            _network.validatorAttests.selector,
            _network.nodeWithdraws.selector,
            _network.nodeMovesItsStake.selector,
            _network.strangerSettles.selector,
            _network.strangerUsesADeadline.selector,
            _network.timePasses.selector,
            _network.anybodyRepeats.selector,
            _network.routerDraws.selector,
            _network.routerCarries.selector,
            _network.routerCarriesAttestations.selector,
            _network.minerCopies.selector,
            _network.strangerDropsTheLate.selector,
            _network.clientOpensWithAppeals.selector,
            _network.partyAppeals.selector,
            _network.strangerNominates.selector,
            _network.judgesAttest.selector,
            _network.strangerEndsAnAppeal.selector,
            _network.anyoneTakesWhatItIsOwed.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(_network), selectors: new bytes4[](32)});
        for (uint256 i = 0; i < 32; ++i) {
            targets[0].selectors[i] = actions[i];
        }
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_network);
    }

    /// @dev One campaign for all, since each invariant would repeat the same sequences. What can be told from the
    /// totals alone is checked by the handler after every single action.
    /// forge-config: default.invariant.runs = 256
    /// forge-config: default.invariant.depth = 500
    function invariant_moneyIsConservedAndNobodyIsPaidTwice() external view {
        _network.assertMoneyConserved();
        _assertSumsOfSessions();
        _assertSumsOfTasks();
        _assertEarningsArePay();
        _assertPricesAreBounded();
        _assertWhoWorksIsStaked();
    }

    function _assertSumsOfSessions() private view {
        SessionTotals memory totals = _sessions.totals();
        uint256 balance = 0;
        uint256 escrowed = 0;
        for (uint64 id = 1; id <= _sessions.sessionCount(); ++id) {
            SessionRecord memory session = _sessions.sessionOf(id);
            balance += session.balanceWei;
            escrowed += session.escrowedWei;
        }
        assertEq(balance, totals.balanceWei, "the sessions' balances");
        assertEq(escrowed, totals.escrowedWei, "the sessions' escrow");
    }

    function _assertSumsOfTasks() private view {
        SessionTotals memory totals = _sessions.totals();
        bytes32[] memory tasks = _network.tasks();
        uint256 escrowed = 0;
        uint256 paid = 0;
        for (uint256 i = 0; i < tasks.length; ++i) {
            TaskRecord memory task = _queue.taskOf(tasks[i]);
            bool ended = task.state >= TaskState.Settled;
            _assertNoCopierRevealed(tasks[i], task);
            _assertAfterItsParents(tasks[i], task);
            assertEq(_network.ends(tasks[i]), ended ? 1 : 0, "a task ends once");
            _assertAppealedOnce(tasks[i]);
            if (!ended) escrowed += task.escrowWei;
            uint256 paidFor = _network.paidFor(tasks[i]);
            assertTrue(paidFor <= task.escrowWei, "never more than its escrow");
            if (task.state != TaskState.Settled) assertEq(paidFor, 0, "only the settled are paid for");
            paid += paidFor;
        }
        assertEq(escrowed + _network.feesHeldWei(), totals.escrowedWei, "escrow is that of unfinished tasks");
        assertEq(paid + _network.feesPaidWei(), totals.paidWei, "pay is that of settled tasks");
    }

    /// @dev Whatever is at work or was paid for came after what is settled.
    function _assertAfterItsParents(bytes32 taskId, TaskRecord memory task) private view {
        if (task.state == TaskState.Queued || task.state == TaskState.Refunded) return;
        for (uint256 i = 0; i < 8 && _queue.parentOf(taskId, i) != 0; ++i) {
            TaskState before = _queue.taskOf(_queue.parentOf(taskId, i)).state;
            assertEq(uint256(before), uint256(TaskState.Settled), "a step comes after its parents");
        }
    }

    function _assertAppealedOnce(bytes32 taskId) private view {
        AppealState state = _network.appeals().appealOf(taskId).state;
        assertEq(_network.appealed(taskId), state == AppealState.None ? 0 : 1, "a task is appealed once");
        assertEq(_network.ruled(taskId), state > AppealState.Open ? 1 : 0, "an appeal ends once");
    }

    function _assertPricesAreBounded() private view {
        uint32 demandPpm = _network.pricing().demandOf(keccak256("pebble-chat"));
        assertTrue(demandPpm >= 500_000 && demandPpm <= 10_000_000, "between floor and ceiling");
    }

    function _assertNoCopierRevealed(bytes32 taskId, TaskRecord memory task) private view {
        for (uint256 i = 0; i < task.slots.length; ++i) {
            if (!_network.copied(taskId, task.slots[i].miner)) continue;
            assertTrue(task.slots[i].state != SlotState.Revealed, "a copied precommit never wins");
        }
    }

    function _assertEarningsArePay() private view {
        address[] memory earners = _network.earners();
        uint256 earned = 0;
        for (uint256 i = 0; i < earners.length; ++i) {
            earned += _sessions.earningsOf(earners[i]) + _network.withdrawn(earners[i]);
        }
        assertEq(earned, _sessions.totals().paidWei, "pay reaches those who earned it");
    }

    function _assertWhoWorksIsStaked() private view {
        for (uint256 i = 0; i < _registry.nodeCount(); ++i) {
            address node = _registry.nodeAt(i).node;
            NodeRecord memory record = _registry.nodeOf(node);
            if (record.state != NodeState.Active) continue;
            (uint128 minimumWei,) = _registry.PARAMETERS().rulesFor(record.roles);
            assertTrue(record.stakeWei >= minimumWei, "active and staked");
        }
    }

    /// @dev Whatever happened, with every node gone each task can be ended and each session closed.
    function afterInvariant() external {
        _network.everybodyLeaves();
        bytes32[] memory tasks = _network.tasks();
        for (uint256 i = 0; i < tasks.length; ++i) {
            assertTrue(_queue.taskOf(tasks[i]).state >= TaskState.Settled, "every task ends");
        }
        for (uint64 id = 1; id <= _sessions.sessionCount(); ++id) {
            assertEq(uint256(_sessions.sessionOf(id).state), uint256(SessionState.Closed), "every session closes");
        }
        SessionTotals memory totals = _sessions.totals();
        assertEq(totals.balanceWei + totals.escrowedWei, 0, "nothing is stuck");
        assertEq(_network.appeals().totals().heldWei, 0, "no bond is stuck");
        assertEq(_network.cor().balanceOf(address(_sessions)), totals.unclaimedWei, "what is left is earned");
        this.invariant_moneyIsConservedAndNobodyIsPaidTwice();
    }
}

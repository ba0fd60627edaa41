// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/types/Node.sol";
import {TaskState} from "../../src/types/Task.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice What everything beside a task's round costs, each with what every transaction costs.
/// forge-config: default.isolate = true
contract NetworkGasTest is NetworkTest {
    function test_gasOfNodes() external {
        join(CLIENT, Role.Client, 0);
        vm.snapshotGasLastCall("Network", "register a client");
        join(STRANGER, Role.Miner, STAKE);
        vm.snapshotGasLastCall("Network", "register a miner");
        vm.prank(routers[0]);
        anchors.anchor("root", "heads", 7, effect());
        vm.snapshotGasLastCall("Network", "anchor");
    }

    function test_gasOfSessions() external {
        uint64 id = openSession();
        vm.snapshotGasLastCall("Network", "open a session");
        vm.prank(CLIENT);
        sessions.deposit(id, 1 ether, effect());
        vm.snapshotGasLastCall("Network", "deposit");
        taskIn(TaskState.Settled, id, 3, 2);
        vm.prank(miners[0]);
        sessions.withdrawEarnings(effect());
        vm.snapshotGasLastCall("Network", "withdraw earnings");
        vm.prank(CLIENT);
        sessions.close(id, effect());
        vm.snapshotGasLastCall("Network", "close an idle session");
    }

    function test_gasOfTroubles() external {
        uint64 id = openSession();
        bytes32 taskId = taskIn(TaskState.Assigned, id, 3, 2);
        pass(6);
        reassign(taskId, miners[0], miners[3]);
        vm.snapshotGasLastCall("Network", "reassign a slot");
        vm.prank(CLIENT);
        queue.cancel(taskId, effect());
        vm.snapshotGasLastCall("Network", "cancel");

        taskId = taskIn(TaskState.Precommitted, id, 3, 2);
        pass(11);
        reassign(taskId, miners[0], address(0));
        vm.snapshotGasLastCall("Network", "drop and slash an unrevealed miner");
        taskId = submit(id);
        pass(61);
        queue.expire(taskId, effect());
        vm.snapshotGasLastCall("Network", "expire a queued task");

        taskId = taskIn(TaskState.Committed, id, 3, 2);
        attest(taskId, validators[0], first(miners, 3));
        pass(21);
        queue.resolve(taskId, effect());
        vm.snapshotGasLastCall("Network", "resolve");
    }
}

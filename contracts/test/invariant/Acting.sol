// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Role} from "../../src/types/Node.sol";
import {PoolMode} from "../../src/types/Session.sol";
import {SlotState, TaskRecord, TaskState} from "../../src/types/Task.sol";
import {AppealTest} from "../base/AppealTest.sol";
import {vm} from "../base/Vm.sol";

/// @title What everybody who acts at random needs
/// @notice What happened, counted on the side, and ways to choose where to act.
abstract contract Acting is AppealTest {
    uint256 internal constant TASKS_MAX = 10;

    bytes32[] internal _tasks;
    /// @notice How often a task came to its end.
    mapping(bytes32 taskId => uint256 count) public ends;
    /// @notice What a task cost its session.
    mapping(bytes32 taskId => uint256 paidWei) public paidFor;
    /// @notice Whether a miner bound itself to another's hash in a task.
    mapping(bytes32 taskId => mapping(address miner => bool)) public copied;
    /// @notice What an account has withdrawn of its earnings.
    mapping(address account => uint256 amountWei) public withdrawn;

    /// @dev After every single action, whatever it was.
    modifier conserves() {
        _;
        assertTotalsConserved();
    }

    function _refused(address sender, bytes memory call) internal {
        vm.prank(sender);
        (bool done,) = address(queue).call(call);
        assertFalse(done, "an ended task took part in something");
    }

    /// @dev Counts an end if the last action was one.
    function _note(bytes32 taskId, uint256 paidWei) internal {
        if (queue.taskOf(taskId).state >= TaskState.Settled) ++ends[taskId];
        paidFor[taskId] += paidWei;
    }

    // ---------------------------------------------------------------- choosing

    /// @dev The fuzzer likes small and extreme numbers; every choice here wants bits of its own.
    function _mix(uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(number)));
    }

    /// @notice All tasks ever submitted.
    function tasks() external view returns (bytes32[] memory) {
        return _tasks;
    }

    /// @notice All accounts that can earn.
    function earners() external view returns (address[] memory accounts) {
        uint256 count = registry.nodeCount();
        accounts = new address[](count + 1);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = registry.nodeAt(i).node;
        }
        accounts[count] = TREASURY;
    }

    function _anySession(uint256 seed) internal view returns (uint64) {
        uint64 count = sessions.sessionCount();
        return count == 0 ? 0 : uint64(within(seed, 1, count));
    }

    /// @dev A task in one of a range of states, the next one from a random place on; none if there is none.
    function _taskIn(uint256 seed, TaskState lowest, TaskState highest)
        internal
        view
        returns (bytes32 taskId, TaskRecord memory task)
    {
        uint256 count = _tasks.length;
        for (uint256 i = 0; i < count; ++i) {
            bytes32 candidate = _tasks[(within(seed, 0, count - 1) + i) % count];
            TaskRecord memory found = queue.taskOf(candidate);
            if (found.state >= lowest && found.state <= highest) return (candidate, found);
        }
    }

    /// @dev A task that waits for its miners only.
    function _readyTask(uint256 seed) internal view returns (bytes32 taskId, TaskRecord memory task) {
        (taskId, task) = _taskIn(seed, TaskState.Queued, TaskState.Queued);
        if (!_isReady(taskId)) return (0, task);
    }

    /// @dev Whether all that a task comes after is settled.
    function _isReady(bytes32 taskId) internal view returns (bool) {
        for (uint256 i = 0; i < 8 && queue.parentOf(taskId, i) != 0; ++i) {
            if (queue.taskOf(queue.parentOf(taskId, i)).state != TaskState.Settled) return false;
        }
        return true;
    }

    function _minimumOf(address node) internal view returns (uint128 minimumWei) {
        (minimumWei,) = parameters.rulesFor(registry.rolesOf(node));
    }

    function _anyAccount(uint256 seed) internal view returns (address) {
        uint256 which = within(seed, 0, registry.nodeCount());
        return which == registry.nodeCount() ? TREASURY : registry.nodeAt(which).node;
    }

    /// @dev Up to `count` active nodes that the session allows, from a random place on.
    function _choose(uint256 seed, address[] memory from, Role role, TaskRecord memory task, uint256 count)
        internal
        view
        returns (address[] memory chosen)
    {
        uint256 found = 0;
        bool isClosed = sessions.rulesOf(task.sessionId, task.version).mode == PoolMode.Dedicated;
        chosen = new address[](count);
        for (uint256 i = 0; i < from.length && found < count; ++i) {
            address node = from[(within(seed, 0, 255) + i) % from.length];
            if (!registry.isActive(node, role) || registry.nodeOf(node).coolUntilAt > block.timestamp) continue;
            if (role == Role.Miner && isClosed && !sessions.isDedicated(task.sessionId, node)) continue;
            chosen[found++] = node;
        }
        chosen = first(chosen, found);
    }

    function _honest(TaskRecord memory task, uint256 seed) internal pure returns (address[] memory honest) {
        uint256 found = 0;
        honest = new address[](task.slots.length);
        for (uint256 i = 0; i < task.slots.length; ++i) {
            if (task.slots[i].state != SlotState.Revealed) continue;
            if (found != 0 && seed & (3 << (2 * i)) == 0) continue;
            honest[found++] = task.slots[i].miner;
        }
        honest = first(honest, found);
    }

    function _seen(TaskRecord memory task, address miner) internal pure returns (bool) {
        for (uint256 i = 0; i < task.slots.length; ++i) {
            if (task.slots[i].miner == miner) return true;
        }
        for (uint256 i = 0; i < task.replaced.length; ++i) {
            if (task.replaced[i] == miner) return true;
        }
        return false;
    }
}

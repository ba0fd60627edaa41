// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Appeal, AppealOpinion} from "../types/Appeal.sol";
import {NodeRecord, NodeState, Role} from "../types/Node.sol";
import {Ballot, Outcome, SlotState, TaskRecord} from "../types/Task.sol";
import {Opinions} from "./Opinions.sol";
import {Roles} from "./Roles.sol";

/// @title Who may appeal, who may be drawn, and what may be found
library AppealRules {
    using Roles for uint8;

    /// @dev Whether an outcome cost a node of the task something: it showed a result and is not honest, or it is a
    /// validator of the task and not among those who found what stands.
    function lost(TaskRecord memory task, address account) internal pure returns (bool) {
        for (uint256 i = 0; i < task.slots.length; ++i) {
            if (task.slots[i].miner != account || task.slots[i].state != SlotState.Revealed) continue;
            if (task.outcome.honest & Opinions.bit(i) == 0) return true;
        }
        for (uint256 i = 0; i < task.ballots.length; ++i) {
            if (task.ballots[i].validator == account && !_found(task.ballots[i], task.outcome)) return true;
        }
        return false;
    }

    /// @dev The task's own validators that found an outcome, one bit each.
    function votersOf(TaskRecord memory task, Outcome memory outcome) internal pure returns (uint16 voters) {
        for (uint256 i = 0; i < task.ballots.length; ++i) {
            if (_found(task.ballots[i], outcome)) voters |= Opinions.bit(i);
        }
    }

    /// @dev Merges nominees into those that are drawn so far: the `wanted` smallest keys stay. Who may not be drawn, or is
    /// drawn already, is passed over, so that nobody can spoil a nomination by what it does to itself.
    function merge(
        Appeal storage appeal,
        bytes32 taskId,
        TaskRecord memory task,
        address[] calldata nominees,
        NodeRegistry registry
    ) internal returns (address[] memory drawn) {
        uint256 wanted = appeal.wanted;
        uint32[] memory numbers = new uint32[](wanted);
        uint256[] memory keys = new uint256[](wanted);
        drawn = new address[](wanted);
        uint256 count = _load(appeal, taskId, registry, drawn, numbers, keys);
        for (uint256 i = 0; i < nominees.length; ++i) {
            address nominee = nominees[i];
            uint32 number = _numberOf(appeal, task, nominee, registry);
            if (number == 0 || _indexOf(drawn, count, nominee) != count) continue;
            uint256 key = keyOf(appeal.beacon, taskId, nominee);
            if (count == wanted && key >= keys[count - 1]) continue;
            uint256 place = count == wanted ? count - 1 : count++;
            for (; place > 0 && keys[place - 1] > key; --place) {
                (drawn[place], numbers[place], keys[place]) = (drawn[place - 1], numbers[place - 1], keys[place - 1]);
            }
            (drawn[place], numbers[place], keys[place]) = (nominee, number, key);
        }
        // Only ever made shorter.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(numbers, count)
            mstore(drawn, count)
        }
        appeal.drawn = numbers;
    }

    /// @dev Everybody has the same chance, so that nobody has to be believed about weights.
    function keyOf(bytes32 beacon, bytes32 taskId, address node) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(beacon, taskId, node)));
    }

    /// @dev Reverts unless somebody is honest, all who are have revealed, and the winner is one of them.
    function requireSound(bytes32 taskId, Outcome calldata outcome, TaskRecord memory task) internal pure {
        uint256 count = task.slots.length;
        if (outcome.honest == 0) revert TaskQueueEvents.NobodyHonest(taskId);
        if (outcome.honest >> count != 0) revert TaskQueueEvents.NoSuchPlace(taskId, count);
        for (uint256 i = 0; i < count; ++i) {
            if (outcome.honest & Opinions.bit(i) == 0 || task.slots[i].state == SlotState.Revealed) continue;
            revert TaskQueueEvents.MinerNotRevealed(taskId, task.slots[i].miner);
        }
        if (outcome.winner < count && outcome.honest & Opinions.bit(outcome.winner) != 0) return;
        address winner = outcome.winner < count ? task.slots[outcome.winner].miner : address(0);
        revert TaskQueueEvents.WinnerNotHonest(taskId, winner);
    }

    /// @dev Who has attested.
    function voted(Appeal storage appeal) internal view returns (uint64 set) {
        for (uint256 i = 0; i < appeal.opinions.length; ++i) {
            set |= appeal.opinions[i].voters;
        }
    }

    /// @dev Adds validators to those who found an outcome, and returns all of these.
    function cast(Appeal storage appeal, Outcome calldata outcome, uint64 by) internal returns (uint64 voters) {
        uint256 count = appeal.opinions.length;
        for (uint256 i = 0; i < count; ++i) {
            if (!same(outcomeOf(appeal.opinions[i]), outcome)) continue;
            voters = appeal.opinions[i].voters | by;
            appeal.opinions[i].voters = voters;
            return voters;
        }
        appeal.opinions
            .push(AppealOpinion(outcome.winner, outcome.honest, outcome.promptTokens, outcome.outputTokens, by));
        return by;
    }

    /// @dev What an opinion says.
    function outcomeOf(AppealOpinion memory opinion) internal pure returns (Outcome memory) {
        return Outcome(opinion.winner, opinion.honest, opinion.promptTokens, opinion.outputTokens);
    }

    /// @dev Whether two found the same.
    function same(Outcome memory a, Outcome memory b) internal pure returns (bool) {
        return a.winner == b.winner && a.honest == b.honest && a.promptTokens == b.promptTokens
            && a.outputTokens == b.outputTokens;
    }

    /// @dev The bit of a place of the draw.
    function bit(uint256 place) internal pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast, incorrect-shift) there are at most 33 places; 1 is what moves
        return uint64(1 << place);
    }

    /// @dev How many are in a set.
    function size(uint64 set) internal pure returns (uint256 count) {
        for (uint256 rest = set; rest != 0; rest &= rest - 1) {
            ++count;
        }
    }

    function _load(
        Appeal storage appeal,
        bytes32 taskId,
        NodeRegistry registry,
        address[] memory drawn,
        uint32[] memory numbers,
        uint256[] memory keys
    ) private view returns (uint256 count) {
        uint32[] memory before = appeal.drawn;
        address[] memory nodes = registry.nodesOf(before);
        count = before.length;
        for (uint256 i = 0; i < count; ++i) {
            (drawn[i], numbers[i], keys[i]) = (nodes[i], before[i], keyOf(appeal.beacon, taskId, nodes[i]));
        }
    }

    /// @dev The number of a node that may be drawn, else zero: a validator that takes new work, that was there when the
    /// task was appealed, and that has no part in the task or the appeal.
    function _numberOf(Appeal storage appeal, TaskRecord memory task, address account, NodeRegistry registry)
        private
        view
        returns (uint32)
    {
        NodeRecord memory node = registry.nodeOf(account);
        if (node.state != NodeState.Active || !node.roles.has(Role.Validator)) return 0;
        if (block.timestamp < node.coolUntilAt || node.number > appeal.nodeCount) return 0;
        if (account == appeal.appellant || account == task.router) return 0;
        for (uint256 i = 0; i < task.slots.length; ++i) {
            if (task.slots[i].miner == account) return 0;
        }
        for (uint256 i = 0; i < task.ballots.length; ++i) {
            if (task.ballots[i].validator == account) return 0;
        }
        return node.number;
    }

    function _indexOf(address[] memory list, uint256 count, address account) private pure returns (uint256 index) {
        while (index < count && list[index] != account) {
            ++index;
        }
    }

    function _found(Ballot memory ballot, Outcome memory outcome) private pure returns (bool) {
        return
            ballot.cast
                && same(Outcome(ballot.winner, ballot.honest, ballot.promptTokens, ballot.outputTokens), outcome);
    }
}

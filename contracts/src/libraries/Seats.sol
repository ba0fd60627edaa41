// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Round, Seat, SlotState, Task, TaskState} from "../types/Task.sol";

/// @title The seats of a round
/// @notice A seat is one miner's part of a task: 80 bits, three to a word. There are at most sixteen, so a look through
/// them is cheaper than a mapping that has to be written.
library Seats {
    /// @dev What {find} returns for a node that has no seat.
    uint256 internal constant NONE = type(uint256).max;
    uint256 private constant PER_WORD = 3;
    uint256 private constant BITS = 80;
    uint256 private constant MASK = type(uint80).max;

    /// @dev A seat.
    function seatAt(Round storage round, uint256 index) internal view returns (Seat memory) {
        return _unpack(round.seats[index / PER_WORD] >> (index % PER_WORD * BITS));
    }

    /// @dev Writes a seat.
    function put(Round storage round, uint256 index, Seat memory seat) internal {
        uint256 shift = index % PER_WORD * BITS;
        uint256 word = round.seats[index / PER_WORD];
        round.seats[index / PER_WORD] = (word & ~(MASK << shift)) | (_pack(seat) << shift);
    }

    /// @dev Writes the seats of a new round.
    function fill(Round storage round, Seat[] memory seats) internal {
        uint256 count = seats.length;
        uint256 word = 0;
        for (uint256 i = 0; i < count; ++i) {
            word |= _pack(seats[i]) << (i % PER_WORD * BITS);
            if (i % PER_WORD != PER_WORD - 1 && i != count - 1) continue;
            round.seats[i / PER_WORD] = word;
            word = 0;
        }
    }

    /// @dev The place of a node's seat.
    function find(Round storage round, uint32 node) internal view returns (uint256) {
        if (node == 0) return NONE;
        uint256 count = round.slotCount;
        uint256 word = 0;
        for (uint256 i = 0; i < count; ++i) {
            word = i % PER_WORD == 0 ? round.seats[i / PER_WORD] : word >> BITS;
            // forge-lint: disable-next-line(unsafe-typecast) the lowest 32 bits are the node
            if (uint32(word) == node) return i;
        }
        return NONE;
    }

    /// @dev All seats, each word read once. {fill} writes them back.
    function load(Round storage round) internal view returns (Seat[] memory seats) {
        uint256 count = round.slotCount;
        seats = new Seat[](count);
        uint256 word = 0;
        for (uint256 i = 0; i < count; ++i) {
            word = i % PER_WORD == 0 ? round.seats[i / PER_WORD] : word >> BITS;
            _unpackInto(seats[i], word);
        }
    }

    /// @dev The numbers of the miners of seats, with room for more behind them.
    function nodes(Seat[] memory seats, uint256 more) internal pure returns (uint32[] memory numbers) {
        numbers = new uint32[](seats.length + more);
        for (uint256 i = 0; i < seats.length; ++i) {
            numbers[i] = seats[i].node;
        }
    }

    /// @dev Until when a seat has to do what is next: its own deadline, or the phase's once all have precommitted. The
    /// task is at work, which the caller has seen.
    function dueByOf(Round storage round, Task storage task, bytes32 taskId, Seat memory seat, address miner)
        internal
        view
        returns (uint40)
    {
        if (task.state == TaskState.Precommitted) {
            if (seat.state == SlotState.Precommitted) return round.phaseBy;
        } else if (seat.state == SlotState.Assigned || seat.state == SlotState.Acked) {
            return seat.dueBy;
        }
        revert TaskQueueEvents.WrongSlotState(taskId, miner, seat.state);
    }

    /// @dev Reverts for a miner that has a seat in the round or had one.
    function requireUnseen(Round storage round, bytes32 taskId, uint32 node, address miner) internal view {
        if (find(round, node) != NONE) revert TaskQueueEvents.MinerSeenBefore(taskId, miner);
        uint256 count = round.taken - 1;
        for (uint256 i = 0; i < count; ++i) {
            if (round.gone[i] == node) revert TaskQueueEvents.MinerSeenBefore(taskId, miner);
        }
    }

    function _pack(Seat memory seat) private pure returns (uint256) {
        return uint256(seat.node) | uint256(seat.attempt) << 32 | uint256(seat.state) << 40 | uint256(seat.dueBy) << 48;
    }

    function _unpack(uint256 word) private pure returns (Seat memory seat) {
        _unpackInto(seat, word);
    }

    function _unpackInto(Seat memory seat, uint256 word) private pure {
        // forge-lint: disable-start(unsafe-typecast) each takes its own bits
        seat.node = uint32(word);
        seat.attempt = uint8(word >> 32);
        seat.state = SlotState(uint8(word >> 40));
        seat.dueBy = uint32(word >> 48);
        // forge-lint: disable-end(unsafe-typecast)
    }
}

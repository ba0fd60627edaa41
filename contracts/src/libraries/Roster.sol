// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../NodeRegistry.sol";
import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Round, Seat} from "../types/Task.sol";
import {Seats} from "./Seats.sol";

/// @title The addresses of those who take part in a round
library Roster {
    using Seats for Round;

    /// @dev The miners, in the order of their seats.
    function minersOf(Round storage round, NodeRegistry registry) internal view returns (address[] memory) {
        return registry.nodesOf(Seats.nodes(round.load(), 0));
    }

    /// @dev The miners, then the validators, then the router and the oracle, which is zero where there was none.
    function allOf(Round storage round, Seat[] memory seats, NodeRegistry registry)
        internal
        view
        returns (address[] memory roster)
    {
        uint256 count = round.validatorCount;
        uint32[] memory numbers = Seats.nodes(seats, count + 2);
        for (uint256 i = 0; i < count; ++i) {
            numbers[seats.length + i] = round.validators[i];
        }
        (uint32 router, uint32 oracle) = (round.router, round.oracle);
        // The registry knows nobody without a number, so the router stands in for an oracle that there was not.
        (numbers[numbers.length - 2], numbers[numbers.length - 1]) = (router, oracle == 0 ? router : oracle);
        roster = registry.nodesOf(numbers);
        if (oracle == 0) roster[roster.length - 1] = address(0);
    }

    /// @dev The place of a validator among the round's.
    function validatorIn(Round storage round, bytes32 taskId, uint32 node, address account)
        internal
        view
        returns (uint256)
    {
        uint256 count = round.validatorCount;
        for (uint256 i = 0; i < count && node != 0; ++i) {
            if (round.validators[i] == node) return i;
        }
        revert TaskQueueEvents.NotValidatorOfTask(taskId, account);
    }

    /// @dev Those of a set of places, the first of which is at an offset of the roster.
    function pick(address[] memory roster, uint256 from, uint16 set) internal pure returns (address[] memory some) {
        some = new address[](roster.length);
        uint256 count = 0;
        for (uint256 rest = set; rest != 0; rest >>= 1) {
            if (rest & 1 != 0) some[count++] = roster[from];
            ++from;
        }
        // Only ever made shorter.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(some, count)
        }
    }
}

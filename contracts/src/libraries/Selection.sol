// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TaskQueueEvents} from "../TaskQueueEvents.sol";
import {Limits} from "./Limits.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title Who is drawn
/// @notice Weighted rendezvous sampling (Efraimidis and Spirakis 2006) in fixed point, the same bit for bit as in
/// `src/core/selection.ts`; `contracts/test/vectors/selection.json` holds both to it. A candidate is one word: its
/// address, then its weight in 96 bits.
library Selection {
    /// @dev The denominator of a draw, and of logarithms.
    uint256 private constant WAD = 1e18;

    /// @dev The `count` candidates with the smallest keys, smallest first, each with its weight; of equal keys the lower
    /// address. The candidates are in order of address, so that nobody is among them twice.
    function draw(bytes32 beacon, bytes32 taskId, uint256[] calldata candidates, uint256 count)
        internal
        pure
        returns (uint256[] memory chosen)
    {
        uint256 total = candidates.length;
        if (total > Limits.CANDIDATES_MAX) {
            revert TaskQueueEvents.CandidateCountOutOfBounds(total, Limits.CANDIDATES_MAX);
        }
        uint256 size = total < count ? total : count;
        chosen = new uint256[](size);
        uint256[] memory keys = new uint256[](size);
        bytes memory seed = abi.encodePacked(beacon, taskId, bytes20(0));
        uint256 before = 0;
        for (uint256 i = 0; i < total; ++i) {
            uint256 candidate = candidates[i];
            _requireSound(candidate, before);
            before = candidate;
            _insert(keys, chosen, i, candidate, _key(seed, candidate));
        }
    }

    /// @dev Those that came by themselves, in their order, each with its weight; nobody twice.
    function listed(uint256[] calldata came) internal pure returns (uint256[] memory chosen) {
        chosen = came;
        for (uint256 i = 0; i < came.length; ++i) {
            (address node,) = unpack(came[i]);
            for (uint256 j = 0; j < i; ++j) {
                if (chosen[j] >> 96 == uint160(node)) revert TaskQueueEvents.RepeatedNode(node);
            }
        }
    }

    /// @dev The addresses of chosen candidates, in the same words: who they were chosen as is not there any more.
    function nodesOf(uint256[] memory chosen) internal pure returns (address[] memory nodes) {
        for (uint256 i = 0; i < chosen.length; ++i) {
            chosen[i] >>= 96;
        }
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            nodes := chosen
        }
    }

    /// @dev A candidate's address and weight.
    function unpack(uint256 candidate) internal pure returns (address node, uint256 weight) {
        // forge-lint: disable-next-line(unsafe-typecast) 160 bits are left; and the lowest 96 are meant
        (node, weight) = (address(uint160(candidate >> 96)), uint96(candidate));
    }

    /// @dev The candidates are in order of address, each once, and their weights within bounds.
    function _requireSound(uint256 candidate, uint256 before) private pure {
        (address node, uint256 weight) = unpack(candidate);
        if (candidate >> 96 <= before >> 96) revert TaskQueueEvents.CandidatesUnordered(node);
        if (weight == 0 || weight > Limits.WEIGHT_PPM_MAX) {
            revert TaskQueueEvents.WeightOutOfBounds(node, weight, Limits.WEIGHT_PPM_MAX);
        }
    }

    /// @dev The key of a candidate: minus the logarithm of a number that nobody can choose, divided by its weight. The
    /// seed is beacon and task with room for the address.
    function _key(bytes memory seed, uint256 candidate) private pure returns (uint256) {
        (address node, uint256 weight) = unpack(candidate);
        uint256 chance;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(add(seed, 0x60), shl(96, node))
            chance := keccak256(add(seed, 0x20), 84)
        }
        // forge-lint: disable-next-line(unsafe-typecast) at most 1e18; of what is at most one the logarithm is not above 0
        return (uint256(-FixedPointMathLib.lnWad(int256(chance % WAD + 1))) << 96) / weight;
    }

    /// @dev Puts the candidate that comes after `seen` others in its place among the smallest, if it has one.
    function _insert(uint256[] memory keys, uint256[] memory chosen, uint256 seen, uint256 candidate, uint256 nodeKey)
        private
        pure
    {
        uint256 place = seen;
        uint256 size = keys.length;
        if (seen >= size) {
            if (size == 0 || nodeKey >= keys[size - 1]) return;
            place = size - 1;
        }
        for (; place > 0 && keys[place - 1] > nodeKey; --place) {
            (keys[place], chosen[place]) = (keys[place - 1], chosen[place - 1]);
        }
        (keys[place], chosen[place]) = (nodeKey, candidate);
    }
}

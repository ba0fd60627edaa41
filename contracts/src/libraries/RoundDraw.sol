// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ActiveNodes} from "../interfaces/ActiveNodes.sol";
import {Role} from "../types/Node.sol";
import {IncentiveLimits} from "./IncentiveLimits.sol";

/// @title A draw of some out of a pool
/// @notice A shuffle that stops early: look i swaps place i with a place from i on that the seed decides, and takes who
/// stands there then, if it is active and not taken. All members are as likely, nobody is looked at twice, and the number
/// of looks is bounded whatever the pool. `src/core/round-draw.ts` draws the same.
library RoundDraw {
    /// @dev Up to `want` of the first `count` members of a pool that are active in a role and not among `taken`.
    function draw(
        address[] storage pool,
        uint256 count,
        bytes32 seed,
        uint256 want,
        address[] memory taken,
        ActiveNodes registry,
        Role role
    ) internal view returns (address[] memory drawn) {
        address[] memory chosen = new address[](want);
        uint256 found = 0;
        uint256 looks = count < IncentiveLimits.DRAW_LOOKS_MAX ? count : IncentiveLimits.DRAW_LOOKS_MAX;
        uint256[] memory from = new uint256[](looks);
        uint256[] memory moved = new uint256[](looks);
        for (uint256 i = 0; i < looks && found < want; ++i) {
            uint256 place = i + uint256(keccak256(abi.encode(seed, i))) % (count - i);
            address member = pool[_at(from, moved, i, place)];
            // What stood at place i stands where the member was taken from.
            (from[i], moved[i]) = (place, _at(from, moved, i, i));
            if (_has(taken, member) || !registry.isActive(member, role)) continue;
            chosen[found++] = member;
        }
        drawn = new address[](found);
        for (uint256 i = 0; i < found; ++i) {
            drawn[i] = chosen[i];
        }
    }

    /// @dev Who stands at a place after the first `swaps` swaps: the newest that put somebody there says.
    function _at(uint256[] memory from, uint256[] memory moved, uint256 swaps, uint256 place)
        private
        pure
        returns (uint256)
    {
        for (uint256 i = swaps; i > 0; --i) {
            if (from[i - 1] == place) return moved[i - 1];
        }
        return place;
    }

    function _has(address[] memory nodes, address node) private pure returns (bool) {
        for (uint256 i = 0; i < nodes.length; ++i) {
            if (nodes[i] == node) return true;
        }
        return false;
    }
}

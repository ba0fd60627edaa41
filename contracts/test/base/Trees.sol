// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Standing} from "../../src/types/Reputation.sol";

/// @title Trees of standings
/// @notice Built as `@openzeppelin/merkle-tree` builds them: leaves in ascending order of their hashes, from the end of a
/// heap. No code of the contracts is used.
library Trees {
    function leaf(Standing memory s) internal pure returns (bytes32) {
        return keccak256(
            bytes.concat(
                keccak256(abi.encode(s.node, s.level, s.scoreBps, s.honest, s.outlier, s.timedOut, s.idleWork))
            )
        );
    }

    function root(Standing[] memory standings) internal pure returns (bytes32) {
        return _tree(standings)[0];
    }

    function proof(Standing[] memory standings, uint256 which) internal pure returns (bytes32[] memory path) {
        bytes32[] memory tree = _tree(standings);
        bytes32 wanted = leaf(standings[which]);
        uint256 place = tree.length - 1;
        while (tree[place] != wanted) --place;
        uint256 depth = 0;
        for (uint256 i = place; i > 0; i = (i - 1) / 2) {
            ++depth;
        }
        path = new bytes32[](depth);
        for (uint256 i = 0; place > 0; place = (place - 1) / 2) {
            path[i++] = tree[place % 2 == 0 ? place - 1 : place + 1];
        }
    }

    function _tree(Standing[] memory standings) private pure returns (bytes32[] memory tree) {
        uint256 count = standings.length;
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 next = leaf(standings[i]);
            uint256 j = i;
            for (; j > 0 && leaves[j - 1] > next; --j) {
                leaves[j] = leaves[j - 1];
            }
            leaves[j] = next;
        }
        tree = new bytes32[](2 * count - 1);
        for (uint256 i = 0; i < count; ++i) {
            tree[tree.length - 1 - i] = leaves[i];
        }
        for (uint256 i = count - 1; i > 0; --i) {
            (bytes32 a, bytes32 b) = (tree[2 * i - 1], tree[2 * i]);
            tree[i - 1] = a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
        }
    }
}

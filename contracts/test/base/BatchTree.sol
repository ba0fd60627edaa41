// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Full trees over leaf hashes, as `StandardMerkleTree` makes them
/// @dev Nodes from 1 as in a heap; the leaves are the last half.
library BatchTree {
    function make(bytes32[] memory leaves) internal pure returns (bytes32[] memory nodes) {
        uint256 width = 1;
        while (width < leaves.length) width *= 2;
        nodes = new bytes32[](2 * width);
        for (uint256 i = 0; i < leaves.length; ++i) {
            nodes[width + i] = leaves[i];
        }
        for (uint256 i = width - 1; i > 0; --i) {
            nodes[i] = pair(nodes[2 * i], nodes[2 * i + 1]);
        }
    }

    function root(bytes32[] memory nodes) internal pure returns (bytes32) {
        return nodes[1];
    }

    function proofOf(bytes32[] memory nodes, uint256 position) internal pure returns (bytes32[] memory proof) {
        uint256 node = nodes.length / 2 + position;
        uint256 height = 0;
        for (uint256 n = node; n > 1; n /= 2) {
            ++height;
        }
        proof = new bytes32[](height);
        for (uint256 i = 0; i < height; ++i) {
            proof[i] = nodes[node ^ 1];
            node /= 2;
        }
    }

    function pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }
}

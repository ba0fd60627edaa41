// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract LogAnchorFuzzTest is NetworkTest {
    /// @dev A node of the tree is 64 bytes hashed once, a leaf hashed twice.
    function testFuzz_anInnerNodeIsNoLeaf(bytes32 left, bytes32 right) external {
        bytes32 node = left < right ? keccak256(abi.encode(left, right)) : keccak256(abi.encode(right, left));
        vm.prank(routers[0]);
        anchors.anchor(node, "heads", 7, effect());
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = right;
        assertTrue(anchors.isAnchored(1, left, proof), "a leaf");
        assertFalse(anchors.isHeadAnchored(1, "", 0, left, proof), "that no head makes");
    }

    function testFuzz_anyHeadHasItsLeaf(uint64 version, bytes32 hash, bytes32 sibling, uint256 length) external {
        string memory stream = string(new bytes(within(length, 0, 120)));
        bytes memory digits = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            digits[i] = bytes("0123456789abcdef")[uint256(hash >> (252 - 4 * i)) & 15];
        }
        string memory number = vm.toString(uint256(version));
        bytes memory line = abi.encodePacked("4:head,", vm.toString(bytes(stream).length), ":", stream, ",");
        line = abi.encodePacked(line, vm.toString(bytes(number).length), ":", number, ",64:", digits);
        bytes32 leaf = keccak256(abi.encode(keccak256(line)));
        bytes32 root = leaf < sibling ? keccak256(abi.encode(leaf, sibling)) : keccak256(abi.encode(sibling, leaf));
        vm.prank(routers[0]);
        anchors.anchor(root, "heads", 7, effect());
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = sibling;
        assertTrue(anchors.isHeadAnchored(1, stream, version, hash, proof), "anchored");
    }
}

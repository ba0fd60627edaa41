// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "../../src/EffectLog.sol";
import {LogAnchor} from "../../src/LogAnchor.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

contract LogAnchorTest is NetworkTest {
    function test_anchorsAreNumberedFromOne() external {
        vm.expectEmit(address(anchors));
        emit LogAnchor.LogAnchored(1, routers[0], "root", "heads", 7);
        vm.prank(routers[0]);
        assertEq(anchors.anchor("root", "heads", 7, effect()), 1, "the first epoch");
        vm.prank(routers[1]);
        assertEq(anchors.anchor("root 2", "heads 2", 9, effect()), 2, "the second");

        assertEq(anchors.epochCount(), 2, "epochs");
        LogAnchor.Anchor memory anchor = anchors.anchorAt(2);
        assertEq(anchor.root, "root 2", "root");
        assertEq(anchor.manifestDigest, "heads 2", "manifest");
        assertEq(anchor.by, routers[1], "by");
        assertEq(anchor.commits, 9, "commits");
    }

    function test_onlyAnActiveRouterAnchors() external {
        bytes memory refusal = abi.encodeWithSelector(LogAnchor.NotActiveRouter.selector, miners[0]);
        vm.expectRevert(refusal);
        vm.prank(miners[0]);
        anchors.anchor("root", "heads", 7, effect());

        vm.prank(routers[0]);
        registry.setActive(false, effect());
        vm.expectRevert(abi.encodeWithSelector(LogAnchor.NotActiveRouter.selector, routers[0]));
        vm.prank(routers[0]);
        anchors.anchor("root", "heads", 7, effect());
    }

    function test_anEffectAnchorsOnce() external {
        vm.prank(routers[0]);
        anchors.anchor("root", "heads", 7, "anchor");
        vm.expectRevert(abi.encodeWithSelector(EffectLog.EffectAlreadyApplied.selector, routers[0], bytes32("anchor")));
        vm.prank(routers[0]);
        anchors.anchor("root", "heads", 7, "anchor");
    }

    function test_otherEpochsAreUnknown() external {
        vm.expectRevert(abi.encodeWithSelector(LogAnchor.UnknownEpoch.selector, 0));
        anchors.anchorAt(0);
        vm.expectRevert(abi.encodeWithSelector(LogAnchor.UnknownEpoch.selector, 1));
        anchors.anchorAt(1);
    }

    // ---------------------------------------------------------------- what is in an anchor

    /// @dev The TypeScript side is held to the same file by `src/core/anchor.test.ts`.
    function test_theVectorsAreMet() external {
        string memory json = vm.readFile("contracts/test/vectors/anchors.json");
        uint256 heads = 0;
        for (uint64 epoch = 1; vm.keyExistsJson(json, _path(epoch, "")); ++epoch) {
            bytes32 root = vm.parseJsonBytes32(json, _path(epoch, ".root"));
            vm.prank(routers[0]);
            assertEq(anchors.anchor(root, "heads", 7, effect()), epoch, "epoch");
            _assertFollows(json, epoch);
            for (uint256 i = 0; vm.keyExistsJson(json, _head(epoch, i, "")); ++i) {
                _assertHead(json, epoch, i);
                ++heads;
            }
        }
        assertEq(anchors.epochCount(), 13, "anchors");
        assertEq(heads, 78, "heads");
    }

    function _assertFollows(string memory json, uint64 epoch) private view {
        bytes32 previous = vm.parseJsonBytes32(json, _path(epoch, ".prevRoot"));
        bytes32[] memory proof = vm.parseJsonBytes32Array(json, _path(epoch, ".prevProof"));
        if (epoch > 1) assertEq(previous, anchors.anchorAt(epoch - 1).root, "the one before");
        assertTrue(anchors.follows(epoch, previous, proof), "follows it");
        assertFalse(anchors.follows(epoch, previous ^ bytes32(uint256(1)), proof), "and no other");
        if (epoch > 1) assertFalse(anchors.follows(epoch - 1, previous, proof), "nor does the one before");
    }

    function _assertHead(string memory json, uint64 epoch, uint256 index) private view {
        string memory stream = vm.parseJsonString(json, _head(epoch, index, ".stream"));
        uint64 version = uint64(vm.parseJsonUint(json, _head(epoch, index, ".version")));
        bytes32 hash = vm.parseJsonBytes32(json, _head(epoch, index, ".hash"));
        bytes32[] memory proof = vm.parseJsonBytes32Array(json, _head(epoch, index, ".proof"));
        assertTrue(anchors.isHeadAnchored(epoch, stream, version, hash, proof), "anchored");
        assertFalse(anchors.isHeadAnchored(epoch, string.concat(stream, "0"), version, hash, proof), "another stream");
        assertFalse(anchors.isHeadAnchored(epoch, stream, version + 1, hash, proof), "another version");
        assertFalse(anchors.isHeadAnchored(epoch, stream, version, ~hash, proof), "another commit");
        proof[0] = ~proof[0];
        assertFalse(anchors.isHeadAnchored(epoch, stream, version, hash, proof), "another proof");
    }

    function test_anUnknownEpochHasNothing() external {
        bytes32[] memory proof = new bytes32[](0);
        bytes memory refusal = abi.encodeWithSelector(LogAnchor.UnknownEpoch.selector, 1);
        vm.expectRevert(refusal);
        anchors.isAnchored(1, 0, proof);
        vm.expectRevert(refusal);
        anchors.isHeadAnchored(1, "session.1", 1, 0, proof);
        vm.expectRevert(refusal);
        anchors.follows(1, 0, proof);
    }

    function _path(uint64 epoch, string memory field) private pure returns (string memory) {
        return string.concat(".anchors[", vm.toString(epoch - 1), "]", field);
    }

    function _head(uint64 epoch, uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(_path(epoch, ".heads["), vm.toString(index), "]", field);
    }
}

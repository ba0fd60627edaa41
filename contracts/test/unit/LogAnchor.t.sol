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
}

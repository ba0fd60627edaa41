// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "../../src/NodeRegistry.sol";
import {QueueBound} from "../../src/QueueBound.sol";
import {SlashReason} from "../../src/types/Node.sol";
import {Payment} from "../../src/types/Session.sol";
import {NetworkTest} from "../base/NetworkTest.sol";
import {vm} from "../base/Vm.sol";

/// @notice Least privilege: the queue alone may slash and touch escrow, and is set once.
contract QueueBoundTest is NetworkTest {
    function test_theQueueIsSetOnceAndForGood() external {
        assertEq(registry.queue(), address(queue), "registry");
        assertEq(sessions.queue(), address(queue), "sessions");
        vm.expectRevert(abi.encodeWithSelector(QueueBound.QueueAlreadyBound.selector, address(queue)));
        registry.bindQueue(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(QueueBound.QueueAlreadyBound.selector, address(queue)));
        sessions.bindQueue(STRANGER);
    }

    function test_onlyTheDeployerSetsTheQueue() external {
        NodeRegistry fresh = new NodeRegistry(cor);
        vm.expectRevert(abi.encodeWithSelector(QueueBound.NotDeployer.selector, STRANGER));
        vm.prank(STRANGER);
        fresh.bindQueue(STRANGER);

        vm.expectRevert(QueueBound.ZeroQueue.selector);
        fresh.bindQueue(address(0));

        vm.expectEmit(address(fresh));
        emit QueueBound.QueueBoundTo(STRANGER);
        fresh.bindQueue(STRANGER);
    }

    function test_nobodyElseSlashes() external {
        vm.expectRevert(abi.encodeWithSelector(QueueBound.NotQueue.selector, routers[0]));
        vm.prank(routers[0]);
        registry.slash(miners[0], 1, 0, SlashReason.Outlier);
    }

    function test_nobodyElseEscrows() external {
        uint64 id = openSession();
        vm.expectRevert(abi.encodeWithSelector(QueueBound.NotQueue.selector, CLIENT));
        vm.prank(CLIENT);
        sessions.escrow(id, CLIENT, 1);
    }

    function test_nobodyElseReleases() external {
        uint64 id = openSession();
        vm.expectRevert(abi.encodeWithSelector(QueueBound.NotQueue.selector, CLIENT));
        vm.prank(CLIENT);
        sessions.release(id, 0, new Payment[](0));
    }
}

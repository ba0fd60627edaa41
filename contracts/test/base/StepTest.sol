// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Draw, Scheme, Signature} from "../../src/types/Task.sol";
import {NetworkTest} from "./NetworkTest.sol";
import {vm} from "./Vm.sol";

/// @title Tasks that come after others
abstract contract StepTest is NetworkTest {
    /// @dev A task that comes after others, in any order.
    function submitAfter(uint64 sessionId, bytes32 requestId, bytes32[] memory parents) internal returns (bytes32) {
        return submitAfterAs(CLIENT, sessionId, requestId, MAX_PRICE, parents);
    }

    function submitAfterAs(
        address by,
        uint64 sessionId,
        bytes32 requestId,
        uint128 maxPriceWei,
        bytes32[] memory parents
    ) internal returns (bytes32 taskId) {
        vm.prank(by);
        taskId = queue.submitAfter(sessionId, requestId, PROMPT, 64, maxPriceWei, inOrder(parents), effect());
        _sessionOf[taskId] = sessionId;
        _stepOf[taskId] = queue.taskOf(taskId).step;
    }

    /// @dev Tasks in the order of their ids.
    function inOrder(bytes32[] memory list) internal pure returns (bytes32[] memory) {
        for (uint256 i = 0; i < list.length; ++i) {
            for (uint256 j = i + 1; j < list.length; ++j) {
                if (list[j] < list[i]) (list[i], list[j]) = (list[j], list[i]);
            }
        }
        return list;
    }

    /// @dev {assign} that is refused so.
    function assignRefused(bytes32 taskId, bytes memory refusal) internal {
        Draw memory draw = drawOf(Scheme.FirstCome, first(miners, 1), first(validators, 1));
        draw.beaconBlock = beaconAfter(queue.taskOf(taskId).submittedBlock);
        draw.beacon = blockhash(draw.beaconBlock);
        vm.expectRevert(refusal);
        vm.prank(routers[0]);
        queue.assign(taskId, draw, new Signature[](0), effect());
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NetworkTest} from "./NetworkTest.sol";
import {vm} from "./Vm.sol";

/// @title A network whose nodes have levels
abstract contract LevelsTest is NetworkTest {
    /// @dev Gives a node a level, as a checkpoint would.
    function setLevel(address node, uint8 level) internal {
        vm.prank(address(rewards.REPUTATION()));
        registry.setLevel(node, level);
    }
}

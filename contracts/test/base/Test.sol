// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm, vm} from "./Vm.sol";

/// @title What every test is built on
/// @notice Assertions that say what they are about. A failed one reverts, which is how forge knows.
abstract contract Test {
    bool public constant IS_TEST = true;

    function assertEq(uint256 actual, uint256 expected, string memory what) internal pure {
        vm.assertEq(actual, expected, what);
    }

    function assertEq(address actual, address expected, string memory what) internal pure {
        vm.assertEq(actual, expected, what);
    }

    function assertEq(bytes32 actual, bytes32 expected, string memory what) internal pure {
        vm.assertEq(actual, expected, what);
    }

    function assertTrue(bool actual, string memory what) internal pure {
        vm.assertEq(actual, true, what);
    }

    function assertFalse(bool actual, string memory what) internal pure {
        vm.assertEq(actual, false, what);
    }

    /// @dev An account of its own for every name.
    function account(string memory name) internal pure returns (address) {
        return vm.addr(uint256(keccak256(bytes(name))));
    }

    /// @dev Folds a fuzzed number into a range, both ends included.
    function within(uint256 number, uint256 lowest, uint256 highest) internal pure returns (uint256) {
        return lowest + (number % (highest - lowest + 1));
    }
}

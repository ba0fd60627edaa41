// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A contract of the deployment and what it may do to the one that binds it: a set of {Powers}.
struct Module {
    address account;
    uint8 powers;
}

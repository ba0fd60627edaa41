// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Limits} from "./libraries/Limits.sol";
import {Module} from "./types/Module.sol";

/// @title A contract that some others of its deployment may command
/// @notice Modules are deployed after what they command, so the deployer names them, all at once and once. From then
/// on nobody can add a module, take one away, or give one more power.
abstract contract Modules {
    /// @notice A module was bound.
    event ModuleBound(address indexed account, uint8 powers);

    /// @notice Only the deployer may bind modules.
    error NotDeployer(address account);
    /// @notice The modules are bound for good.
    error ModulesAlreadyBound();
    /// @notice There is at least one module and at most a fixed number.
    error ModuleCountOutOfBounds(uint256 count, uint256 maximum);
    /// @notice Zero is not a module, and a module has some power.
    error InvalidModule(address account, uint8 powers);
    /// @notice A module is named once, with all its powers.
    error ModuleRepeated(address account);
    /// @notice The account is no module, or has not this power.
    error MissingPower(address account, uint8 power);

    address private immutable _DEPLOYER;

    /// @notice Whether the modules are bound.
    bool public modulesBound;

    mapping(address account => uint8 powers) private _powers;

    constructor() {
        _DEPLOYER = msg.sender;
    }

    /// @notice Binds all modules, once. Only the deployer may.
    /// @param modules At least one, each with its powers.
    function bindModules(Module[] calldata modules) external {
        if (msg.sender != _DEPLOYER) revert NotDeployer(msg.sender);
        if (modulesBound) revert ModulesAlreadyBound();
        uint256 count = modules.length;
        if (count == 0 || count > Limits.MODULES_MAX) revert ModuleCountOutOfBounds(count, Limits.MODULES_MAX);
        modulesBound = true;
        for (uint256 i = 0; i < count; ++i) {
            (address account, uint8 powers) = (modules[i].account, modules[i].powers);
            if (account == address(0) || powers == 0) revert InvalidModule(account, powers);
            if (_powers[account] != 0) revert ModuleRepeated(account);
            _powers[account] = powers;
            emit ModuleBound(account, powers);
        }
    }

    /// @notice What an account may do here, as a set of {Powers}.
    /// @param account The account.
    function powersOf(address account) external view returns (uint8) {
        return _powers[account];
    }

    /// @dev Reverts unless a module with a power is calling.
    function _requirePower(uint8 power) internal view {
        if (_powers[msg.sender] & power == 0) revert MissingPower(msg.sender, power);
    }
}

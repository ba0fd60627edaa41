// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Registry} from "../../src/interfaces/Registry.sol";
import {Role, SlashReason} from "../../src/types/Node.sol";

/// @notice A registry in which tests say who is active. It takes levels and slashes from the bound contracts only.
contract TestRegistry is Registry {
    error NotBound(address account);

    address private _reputation;
    address private _networkSessions;
    mapping(address account => mapping(Role role => bool)) public isActive;
    mapping(Role role => uint256) public activeCount;
    mapping(address account => uint8) public levelOf;
    mapping(address account => uint256) public stakeWei;
    mapping(address account => uint256) public slashedWei;
    uint256 public slashes;

    function bind(address reputation, address networkSessions) external {
        (_reputation, _networkSessions) = (reputation, networkSessions);
    }

    function set(address account, Role role, bool active) external {
        if (isActive[account][role] == active) return;
        isActive[account][role] = active;
        stakeWei[account] = 1000 ether;
        activeCount[role] = active ? activeCount[role] + 1 : activeCount[role] - 1;
    }

    function setLevel(address account, uint8 level) external {
        if (msg.sender != _reputation) revert NotBound(msg.sender);
        levelOf[account] = level;
    }

    function slash(address account, uint128 amountWei, bytes32, SlashReason, address, uint16)
        external
        returns (uint128 takenWei, uint128 rewardWei)
    {
        if (msg.sender != _networkSessions) revert NotBound(msg.sender);
        takenWei = amountWei < stakeWei[account] ? amountWei : uint128(stakeWei[account]);
        stakeWei[account] -= takenWei;
        slashedWei[account] += takenWei;
        rewardWei = 0;
        ++slashes;
    }
}

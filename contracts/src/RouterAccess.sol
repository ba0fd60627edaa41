// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {NodePool} from "./NodePool.sol";
import {Limits} from "./libraries/Limits.sol";
import {Access, Role} from "./types/Node.sol";

/// @title Whom each router serves
/// @notice A router keeps a list of clients and miners that it serves or refuses, and says what holds for all others.
/// It is the router's own word for everybody to read; no contract forces it on anyone.
abstract contract RouterAccess is EffectLog, NodePool {
    mapping(address router => mapping(address account => Access)) private _access;

    /// @notice How many accounts a router has listed.
    mapping(address router => uint256) public listedCount;

    /// @notice Whether a router serves only accounts that it has listed as served.
    mapping(address router => bool) public isExclusive;

    /// @notice Lists accounts. Only a registered router may, for itself.
    /// @param accounts Clients and nodes.
    /// @param access Whether the sender serves them; `Unlisted` takes them off the list.
    /// @param effectId The sender's id of this call.
    function setAccess(address[] calldata accounts, Access access, bytes32 effectId) external {
        _requireRouter();
        if (accounts.length > Limits.ACCESS_LIST_MAX) revert TooManyAccounts(accounts.length, Limits.ACCESS_LIST_MAX);
        _markEffect(effectId);
        uint256 count = listedCount[msg.sender];
        for (uint256 i = 0; i < accounts.length; ++i) {
            bool wasListed = _access[msg.sender][accounts[i]] != Access.Unlisted;
            if (access != Access.Unlisted && !wasListed) ++count;
            if (access == Access.Unlisted && wasListed) --count;
            _access[msg.sender][accounts[i]] = access;
            emit AccessSet(msg.sender, accounts[i], access);
        }
        if (count > Limits.ACCESS_LISTED_MAX) revert AccessListFull(Limits.ACCESS_LISTED_MAX);
        listedCount[msg.sender] = count;
    }

    /// @notice Says what holds for accounts that are not listed. Only a registered router may, for itself.
    /// @param exclusive Whether they are refused.
    /// @param effectId The sender's id of this call.
    function setExclusive(bool exclusive, bytes32 effectId) external {
        _requireRouter();
        _markEffect(effectId);
        isExclusive[msg.sender] = exclusive;
        emit ExclusiveSet(msg.sender, exclusive);
    }

    /// @notice What a router said of an account.
    /// @param router The router.
    /// @param account The account.
    function accessOf(address router, address account) external view returns (Access) {
        return _access[router][account];
    }

    /// @notice Whether a router serves an account: it is listed as served, or not listed and the router is not exclusive.
    /// @param router The router.
    /// @param account The account.
    function isServed(address router, address account) external view returns (bool) {
        Access access = _access[router][account];
        return access == Access.Served || (access == Access.Unlisted && !isExclusive[router]);
    }

    function _requireRouter() private view {
        if (!hasRole(msg.sender, Role.Router)) revert NotARouter(msg.sender);
    }
}

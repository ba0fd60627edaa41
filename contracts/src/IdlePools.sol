// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {NetworkSessionsEvents} from "./NetworkSessionsEvents.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {IncentiveLimits} from "./libraries/IncentiveLimits.sol";
import {Role} from "./types/Node.sol";

/// @title Who takes part in network sessions
/// @notice Miners and validators that want idle work put themselves into a pool, from which rounds draw. A pool does not
/// change under a draw that is awaited: who comes is added behind those it is among, and nobody goes until it is over.
abstract contract IdlePools is NetworkSessionsEvents, EffectLog {
    /// @notice Who is an active node.
    NodeRegistry public immutable REGISTRY;

    mapping(Role role => address[]) internal _pools;
    /// @dev One more than its place.
    mapping(Role role => mapping(address node => uint256)) private _places;

    /// @param registry Who is an active node.
    constructor(NodeRegistry registry) {
        REGISTRY = registry;
    }

    /// @notice Puts the sender into the pool of a role, for rounds that are asked for from now on.
    /// @param role Miner or validator; the sender is active as one.
    /// @param effectId The sender's id of this call.
    function join(Role role, bytes32 effectId) external {
        REGISTRY.PARAMETERS().requireEntriesOpen();
        if (role != Role.Miner && role != Role.Validator) revert NoPoolOfRole(role);
        if (!REGISTRY.isActive(msg.sender, role)) revert NodeNotActive(msg.sender, role);
        if (_places[role][msg.sender] != 0) revert AlreadyInPool(msg.sender, role);
        address[] storage pool = _pools[role];
        if (pool.length == IncentiveLimits.POOL_MAX) revert PoolFull(role, IncentiveLimits.POOL_MAX);
        _markEffect(effectId);
        pool.push(msg.sender);
        _places[role][msg.sender] = pool.length;
        emit PoolJoined(role, msg.sender);
    }

    /// @notice Takes the sender out of a pool. What it was drawn for already it should still do.
    /// @param role The pool's.
    /// @param effectId The sender's id of this call.
    function quit(Role role, bytes32 effectId) external {
        _requireNoDraw();
        if (!_remove(role, msg.sender)) revert NotInPool(msg.sender, role);
        _markEffect(effectId);
    }

    /// @notice Takes a node out of a pool that is not active any more. Anyone may.
    /// @param role The pool's.
    /// @param node The node.
    /// @param effectId The sender's id of this call.
    function evict(Role role, address node, bytes32 effectId) external {
        _requireNoDraw();
        if (REGISTRY.isActive(node, role)) revert NodeActive(node, role);
        if (!_remove(role, node)) revert NotInPool(node, role);
        _markEffect(effectId);
    }

    /// @notice How many are in a pool.
    /// @param role The pool's.
    function poolSize(Role role) external view returns (uint256) {
        return _pools[role].length;
    }

    /// @notice Who stands at a place of a pool, from 0.
    /// @param role The pool's.
    /// @param place The place.
    function poolAt(Role role, uint256 place) external view returns (address) {
        return _pools[role][place];
    }

    /// @notice Whether a node is in a pool.
    /// @param role The pool's.
    /// @param node The node.
    function isInPool(Role role, address node) external view returns (bool) {
        return _places[role][node] != 0;
    }

    /// @dev Takes a node out of a pool, if it is in; the last one takes its place.
    function _remove(Role role, address node) internal returns (bool) {
        uint256 place = _places[role][node];
        if (place == 0) return false;
        address[] storage pool = _pools[role];
        address last = pool[pool.length - 1];
        pool[place - 1] = last;
        _places[role][last] = place;
        delete _places[role][node];
        pool.pop();
        emit PoolLeft(role, node);
        return true;
    }

    /// @dev Reverts while a draw is awaited.
    function _requireNoDraw() internal view virtual;
}

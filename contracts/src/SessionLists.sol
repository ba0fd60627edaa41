// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistry} from "./NodeRegistry.sol";
import {SessionVersions} from "./SessionVersions.sol";
import {Limits} from "./libraries/Limits.sol";
import {Role} from "./types/Node.sol";
import {PoolMode, TaskRules} from "./types/Session.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

/// @title Who serves a session
/// @notice Its routers and its dedicated miners.
abstract contract SessionLists is SessionVersions {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @notice Who is a router.
    NodeRegistry public immutable REGISTRY;

    mapping(uint64 sessionId => EnumerableSet.AddressSet) internal _routers;
    mapping(uint64 sessionId => EnumerableSet.AddressSet) internal _dedicated;

    /// @param registry Who is a router.
    constructor(NodeRegistry registry) {
        REGISTRY = registry;
    }

    /// @notice Lets one more router serve a session. Only the owner may.
    /// @param sessionId The session.
    /// @param router A registered router.
    /// @param effectId The sender's id of this call; a second use reverts.
    function addRouter(uint64 sessionId, address router, bytes32 effectId) external {
        _ownedLive(sessionId);
        uint256 count = _routers[sessionId].length() + 1;
        if (count > Limits.SESSION_ROUTERS_MAX) {
            revert ListOutOfBounds(sessionId, count, 1, Limits.SESSION_ROUTERS_MAX);
        }
        _markEffectOnce(effectId);
        _addRouter(sessionId, router);
        emit SessionRouterAdded(sessionId, router);
    }

    /// @notice Takes a router off a session; one at least stays. Tasks it has assigned go on. Only the owner may.
    /// @param sessionId The session.
    /// @param router One of its routers.
    /// @param effectId The sender's id of this call; a second use reverts.
    function removeRouter(uint64 sessionId, address router, bytes32 effectId) external {
        _ownedLive(sessionId);
        if (!_routers[sessionId].remove(router)) revert NotListed(sessionId, router);
        uint256 count = _routers[sessionId].length();
        if (count == 0) revert ListOutOfBounds(sessionId, count, 1, Limits.SESSION_ROUTERS_MAX);
        _markEffectOnce(effectId);
        emit SessionRouterRemoved(sessionId, router);
    }

    /// @notice Puts another router in a router's place, at once, so that a session with a single one can change it. Only
    /// the owner may.
    /// @param sessionId The session.
    /// @param router One of its routers.
    /// @param replacement A registered router that is none of them.
    /// @param effectId The sender's id of this call; a second use reverts.
    function replaceRouter(uint64 sessionId, address router, address replacement, bytes32 effectId) external {
        _ownedLive(sessionId);
        if (!_routers[sessionId].remove(router)) revert NotListed(sessionId, router);
        _markEffectOnce(effectId);
        _addRouter(sessionId, replacement);
        emit SessionRouterAdded(sessionId, replacement);
        emit SessionRouterRemoved(sessionId, router);
    }

    /// @notice Adds a dedicated miner, as far as the terms allow. Only the owner may.
    /// @param sessionId The session.
    /// @param miner The miner.
    /// @param effectId The sender's id of this call; a second use reverts.
    function addDedicatedMiner(uint64 sessionId, address miner, bytes32 effectId) external {
        _ownedLive(sessionId);
        if (!_dedicated[sessionId].add(miner)) revert AlreadyListed(sessionId, miner);
        _requireMinerCount(sessionId);
        _markEffectOnce(effectId);
        emit SessionMinerAdded(sessionId, miner);
    }

    /// @notice Takes a dedicated miner off the list. While the mode is `Dedicated` as many stay as a task needs. Tasks that
    /// it has keep it. Only the owner may.
    /// @param sessionId The session.
    /// @param miner One of its dedicated miners.
    /// @param effectId The sender's id of this call; a second use reverts.
    function removeDedicatedMiner(uint64 sessionId, address miner, bytes32 effectId) external {
        _ownedLive(sessionId);
        if (!_dedicated[sessionId].remove(miner)) revert NotListed(sessionId, miner);
        _requireMinerCount(sessionId);
        _markEffectOnce(effectId);
        emit SessionMinerRemoved(sessionId, miner);
    }

    /// @notice Up to `count` routers of a session; fewer, or none, at the end.
    /// @param sessionId The session.
    /// @param from The place of the first, from 0.
    /// @param count How many at most.
    function routersPage(uint64 sessionId, uint256 from, uint256 count) external view returns (address[] memory) {
        return _routers[sessionId].values(from, from + count);
    }

    /// @notice Up to `count` dedicated miners of a session; fewer, or none, at the end.
    /// @param sessionId The session.
    /// @param from The place of the first, from 0.
    /// @param count How many at most.
    function dedicatedMinersPage(uint64 sessionId, uint256 from, uint256 count)
        external
        view
        returns (address[] memory)
    {
        return _dedicated[sessionId].values(from, from + count);
    }

    /// @notice Whether an account owns a session or is one of its routers.
    /// @param sessionId The session.
    /// @param account The account.
    function isOwnerOrRouter(uint64 sessionId, address account) external view returns (bool) {
        return _sessions[sessionId].owner == account || isRouter(sessionId, account);
    }

    /// @notice Whether a miner is on a session's list of dedicated miners.
    /// @param sessionId The session.
    /// @param miner The miner.
    function isDedicated(uint64 sessionId, address miner) external view returns (bool) {
        return _dedicated[sessionId].contains(miner);
    }

    /// @notice The first of several miners that is not on a session's list; zero if all are.
    /// @param sessionId The session.
    /// @param miners The miners.
    function firstUndedicated(uint64 sessionId, address[] calldata miners) external view returns (address) {
        EnumerableSet.AddressSet storage dedicated = _dedicated[sessionId];
        for (uint256 i = 0; i < miners.length; ++i) {
            if (!dedicated.contains(miners[i])) return miners[i];
        }
        return address(0);
    }

    /// @notice Whether an account is one of a session's routers.
    /// @param sessionId The session.
    /// @param account The account.
    function isRouter(uint64 sessionId, address account) public view returns (bool) {
        return _routers[sessionId].contains(account);
    }

    function _list(uint64 sessionId, address[] calldata routers, address[] calldata dedicatedMiners) internal {
        for (uint256 i = 0; i < routers.length; ++i) {
            _addRouter(sessionId, routers[i]);
        }
        for (uint256 i = 0; i < dedicatedMiners.length; ++i) {
            if (!_dedicated[sessionId].add(dedicatedMiners[i])) revert AlreadyListed(sessionId, dedicatedMiners[i]);
        }
    }

    function _addRouter(uint64 sessionId, address router) private {
        if (!REGISTRY.hasRole(router, Role.Router)) revert NotARouter(router);
        if (!_routers[sessionId].add(router)) revert AlreadyListed(sessionId, router);
    }

    /// @dev The bounds that {TermsRules} holds an update to.
    function _requireMinerCount(uint64 sessionId) private view {
        TaskRules storage rules = _rules[sessionId][_sessions[sessionId].version];
        (uint256 count, uint256 most) = (_dedicated[sessionId].length(), rules.maxMiners);
        uint256 fewest = rules.mode == PoolMode.Dedicated ? rules.minMiners : 0;
        if (count < fewest || count > most) revert ListOutOfBounds(sessionId, count, fewest, most);
    }
}

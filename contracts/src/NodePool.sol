// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeRegistryEvents} from "./NodeRegistryEvents.sol";
import {Roles} from "./libraries/Roles.sol";
import {NodeRecord, NodeState, Role} from "./types/Node.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

/// @title The registered nodes, as everybody may read them
/// @notice The reading half of the registry.
abstract contract NodePool is NodeRegistryEvents {
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using Roles for uint8;

    /// @dev Everything but the key in one storage slot: no stake is more than the token's cap, which 96 bits hold.
    struct Node {
        uint96 stakeWei;
        uint32 number;
        uint8 roles;
        NodeState state;
        uint8 level;
        uint40 coolUntilAt;
        uint40 unbondsAt;
        bytes32 key;
    }

    mapping(address account => Node) internal _nodes;
    mapping(bytes32 key => address account) internal _nodeByKey;
    mapping(address account => EnumerableSet.Bytes32Set) internal _models;
    /// @dev In the order of their numbers, the first of which is 1.
    address[] internal _accounts;

    /// @notice How many oracles are active: of them a checkpoint's quorum is a part.
    uint256 public activeOracleCount;

    // ---------------------------------------------------------------- who may work

    /// @notice The numbers of nodes that all may be given new work in a role: active in it, not cooling down, serving the
    /// model. Reverts with the first that may not.
    /// @param nodes The nodes.
    /// @param role The role.
    /// @param modelHash `keccak256` of the model's id; zero for any.
    function requireEligible(address[] calldata nodes, Role role, bytes32 modelHash)
        external
        view
        returns (uint32[] memory numbers)
    {
        numbers = new uint32[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            numbers[i] = _requireEligible(nodes[i], role, modelHash).number;
        }
    }

    /// @notice Whether an account is an active node of a role. It may be cooling down all the same.
    /// @param account The account.
    /// @param role The role.
    function isActive(address account, Role role) external view returns (bool) {
        return _isActive(_nodes[account], role);
    }

    /// @notice Whether an account registered in a role, active or not.
    /// @param account The account.
    /// @param role The role.
    function hasRole(address account, Role role) public view returns (bool) {
        return _nodes[account].roles.has(role);
    }

    /// @notice Whether a node serves a model.
    /// @param account The node.
    /// @param modelHash `keccak256` of the model's id.
    function serves(address account, bytes32 modelHash) external view returns (bool) {
        return _models[account].contains(modelHash);
    }

    /// @notice Whether all of several nodes serve a model.
    /// @param accounts The nodes.
    /// @param modelHash `keccak256` of the model's id.
    function servesAll(address[] calldata accounts, bytes32 modelHash) external view returns (bool) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (!_models[accounts[i]].contains(modelHash)) return false;
        }
        return true;
    }

    /// @notice The hashes of the models that a node serves; their names are in {ModelServed}.
    /// @param account The node.
    function modelsOf(address account) external view returns (bytes32[] memory) {
        return _models[account].values();
    }

    // ---------------------------------------------------------------- who they are

    /// @notice What an account registered as, a set of {Roles}; empty if it never did.
    /// @param account The account.
    function rolesOf(address account) external view returns (uint8) {
        return _nodes[account].roles;
    }

    /// @notice A node's level, 0 to 10.
    /// @param account The node.
    function levelOf(address account) external view returns (uint8) {
        return _nodes[account].level;
    }

    /// @notice A node's number, from 1; zero if it never registered.
    /// @param account The node.
    function numberOf(address account) external view returns (uint32) {
        return _nodes[account].number;
    }

    /// @notice The nodes with these numbers. Reverts with the first that none has.
    /// @param numbers The numbers, each from 1.
    function nodesOf(uint32[] calldata numbers) external view returns (address[] memory nodes) {
        nodes = new address[](numbers.length);
        for (uint256 i = 0; i < numbers.length; ++i) {
            uint32 number = numbers[i];
            if (number == 0 || number > _accounts.length) revert UnknownNode(number);
            nodes[i] = _accounts[number - 1];
        }
    }

    /// @notice All about a node; the state is `None` if it never registered.
    /// @param account The node.
    function nodeOf(address account) external view returns (NodeRecord memory) {
        return _record(account);
    }

    /// @notice How many nodes ever registered; also the number of the newest.
    function nodeCount() external view returns (uint256) {
        return _accounts.length;
    }

    /// @notice A node by its place in the order of registration, from 0.
    /// @param index Its place.
    function nodeAt(uint256 index) external view returns (NodeRecord memory) {
        return _record(_accounts[index]);
    }

    /// @notice Up to `count` nodes in the order of registration; fewer, or none, at the end.
    /// @param from The place of the first.
    /// @param count How many at most.
    function nodesPage(uint256 from, uint256 count) external view returns (NodeRecord[] memory page) {
        uint256 total = _accounts.length;
        if (from >= total) return page;
        uint256 left = total - from;
        page = new NodeRecord[](count < left ? count : left);
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = _record(_accounts[from + i]);
        }
    }

    function _requireEligible(address account, Role role, bytes32 modelHash) internal view returns (Node storage node) {
        node = _nodes[account];
        if (!_isActive(node, role)) revert NodeNotActive(account, role);
        uint40 coolUntilAt = node.coolUntilAt;
        if (block.timestamp < coolUntilAt) revert NodeCoolingDown(account, coolUntilAt);
        if (modelHash != 0 && !_models[account].contains(modelHash)) revert ModelNotServed(account, modelHash);
    }

    function _isActive(Node storage node, Role role) private view returns (bool) {
        return node.state == NodeState.Active && node.roles.has(role);
    }

    /// @dev Moves a node to a state, and counts it where it is an oracle.
    function _setState(Node storage node, NodeState state) internal {
        NodeState before = node.state;
        node.state = state;
        if (!node.roles.has(Role.Oracle)) return;
        if (before == NodeState.Active) --activeOracleCount;
        if (state == NodeState.Active) ++activeOracleCount;
    }

    function _record(address account) private view returns (NodeRecord memory) {
        Node storage node = _nodes[account];
        return NodeRecord({
            node: account,
            number: node.number,
            roles: node.roles,
            state: node.state,
            level: node.level,
            key: node.key,
            stakeWei: node.stakeWei,
            coolUntilAt: node.coolUntilAt,
            unbondsAt: node.unbondsAt
        });
    }
}

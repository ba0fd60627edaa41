// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeDiscipline} from "./NodeDiscipline.sol";
import {Parameters} from "./Parameters.sol";
import {RouterAccess} from "./RouterAccess.sol";
import {Limits} from "./libraries/Limits.sol";
import {Roles} from "./libraries/Roles.sol";
import {NodeState} from "./types/Node.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

/// @title Who takes part
/// @notice Roles, Ed25519 key, stake, models, level and activity of each node. A node stakes once for all its roles. This
/// file has what a node does for itself; what others read is in {NodePool}, what they may do to it in
/// {NodeAuthorisation} and {NodeDiscipline}, and whom routers serve in {RouterAccess}.
contract NodeRegistry is NodeDiscipline, RouterAccess {
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @param cor The token that is staked.
    /// @param parameters Minimum stakes, delays, the treasury and the pause.
    constructor(IERC20 cor, Parameters parameters) NodeDiscipline(cor, parameters) {}

    // ---------------------------------------------------------------- joining

    /// @notice Joins the network. Pulls the stake by `transferFrom`.
    /// @param roles What the sender will be, a set of {Roles}.
    /// @param key Its Ed25519 public key.
    /// @param stakeWei At least the minimum stakes of all its roles together.
    /// @param metadataUri Where it describes itself, or nothing.
    /// @param models The ids of the models it serves, or none.
    /// @param effectId The sender's id of this call.
    function register(
        uint8 roles,
        bytes32 key,
        uint128 stakeWei,
        string calldata metadataUri,
        string[] calldata models,
        bytes32 effectId
    ) external {
        PARAMETERS.requireEntriesOpen();
        if (roles == 0 || roles > Roles.ALL) revert InvalidRoles(roles);
        if (key == 0) revert KeyMissing();
        if (_nodes[msg.sender].state != NodeState.None) revert AlreadyRegistered(msg.sender);
        if (_nodeByKey[key] != address(0)) revert KeyTaken(key, _nodeByKey[key]);
        _requireBounded(metadataUri);
        _requireFit(msg.sender, roles, stakeWei);
        _markEffect(effectId);
        _accounts.push(msg.sender);
        uint32 number = _accounts.length.toUint32();
        Node storage node = _nodes[msg.sender];
        (node.stakeWei, node.number, node.roles) = (uint256(stakeWei).toUint96(), number, roles);
        _setState(node, NodeState.Active);
        node.key = key;
        _nodeByKey[key] = msg.sender;
        emit NodeRegistered(msg.sender, number, roles, key, stakeWei, metadataUri);
        _serve(models);
        _pull(stakeWei);
    }

    /// @notice Describes itself elsewhere.
    /// @param metadataUri Where; empty for nowhere.
    /// @param effectId The sender's id of this call.
    function setMetadata(string calldata metadataUri, bytes32 effectId) external {
        _registered(msg.sender);
        _requireBounded(metadataUri);
        _markEffect(effectId);
        emit NodeMetadataSet(msg.sender, metadataUri);
    }

    /// @notice Serves more models. Those it serves already change nothing.
    /// @param models Their ids.
    /// @param effectId The sender's id of this call.
    function serveModels(string[] calldata models, bytes32 effectId) external {
        _registered(msg.sender);
        _markEffect(effectId);
        _serve(models);
    }

    /// @notice Serves models no more, for tasks to come. Those it does not serve change nothing.
    /// @param modelHashes `keccak256` of their ids; at most as many as a node can serve.
    /// @param effectId The sender's id of this call.
    function dropModels(bytes32[] calldata modelHashes, bytes32 effectId) external {
        _registered(msg.sender);
        uint256 count = modelHashes.length;
        if (count > Limits.SERVED_MODELS_MAX) revert TooManyModels(count, Limits.SERVED_MODELS_MAX);
        _markEffect(effectId);
        for (uint256 i = 0; i < count; ++i) {
            if (_models[msg.sender].remove(modelHashes[i])) emit ModelDropped(msg.sender, modelHashes[i]);
        }
    }

    // ---------------------------------------------------------------- coming and going

    /// @notice Takes new work, or takes no more and finishes what it has. Taking work needs the minimum stake and the
    /// authorisations of all its roles, and takes back a request to unstake. Setting what is set changes nothing.
    /// @param active Whether the sender takes new work.
    /// @param effectId The sender's id of this call.
    function setActive(bool active, bytes32 effectId) external {
        Node storage node = _registered(msg.sender);
        if (active) {
            _requireFit(msg.sender, node.roles, node.stakeWei);
            node.unbondsAt = 0;
        }
        _markEffect(effectId);
        if ((node.state == NodeState.Active) == active) return;
        _setState(node, active ? NodeState.Active : NodeState.Draining);
        emit NodeActiveSet(msg.sender, active);
    }

    /// @notice Stakes more. A node that was slashed below the minimum sets itself active again after.
    /// @param amountWei How much.
    /// @param effectId The sender's id of this call; a second use reverts.
    function addStake(uint128 amountWei, bytes32 effectId) external {
        PARAMETERS.requireEntriesOpen();
        Node storage node = _registered(msg.sender);
        if (amountWei == 0) revert EmptyStake();
        _markEffectOnce(effectId);
        node.stakeWei = (uint256(node.stakeWei) + amountWei).toUint96();
        emit StakeAdded(msg.sender, amountWei);
        _pull(amountWei);
    }

    /// @notice Leaves: takes no new work and asks for the whole stake, which stays slashable for the unbonding delay.
    /// Asking again starts the delay anew.
    /// @param effectId The sender's id of this call; a second use reverts.
    function requestUnstake(bytes32 effectId) external {
        Node storage node = _registered(msg.sender);
        if (node.stakeWei == 0) revert NothingStaked(msg.sender);
        _markEffectOnce(effectId);
        bool wasActive = node.state == NodeState.Active;
        uint40 unbondsAt = uint40(block.timestamp) + PARAMETERS.unbondingS();
        _setState(node, NodeState.Left);
        node.unbondsAt = unbondsAt;
        emit UnstakeRequested(msg.sender, unbondsAt);
        if (wasActive) emit NodeActiveSet(msg.sender, false);
    }

    /// @notice Takes the stake back after the delay. The node stays registered and may stake again.
    /// @param effectId The sender's id of this call.
    function withdrawStake(bytes32 effectId) external {
        Node storage node = _registered(msg.sender);
        if (node.unbondsAt == 0 || block.timestamp < node.unbondsAt) revert StillBonded(msg.sender, node.unbondsAt);
        _markEffect(effectId);
        uint128 amountWei = node.stakeWei;
        node.stakeWei = 0;
        node.unbondsAt = 0;
        _books.stakedWei -= amountWei;
        _books.withdrawnWei += amountWei;
        emit StakeWithdrawn(msg.sender, amountWei);
        COR.safeTransfer(msg.sender, amountWei);
    }

    // ---------------------------------------------------------------- what they share

    function _serve(string[] calldata models) private {
        EnumerableSet.Bytes32Set storage served = _models[msg.sender];
        uint256 count = models.length;
        if (count > Limits.SERVED_MODELS_MAX) revert TooManyModels(count, Limits.SERVED_MODELS_MAX);
        for (uint256 i = 0; i < count; ++i) {
            uint256 length = bytes(models[i]).length;
            if (length == 0 || length > Limits.MODEL_ID_BYTES_MAX) {
                revert ModelLengthOutOfBounds(length, Limits.MODEL_ID_BYTES_MAX);
            }
            bytes32 modelHash = keccak256(bytes(models[i]));
            if (served.add(modelHash)) emit ModelServed(msg.sender, modelHash, models[i]);
        }
        count = served.length();
        if (count > Limits.SERVED_MODELS_MAX) revert TooManyModels(count, Limits.SERVED_MODELS_MAX);
    }

    function _pull(uint128 amountWei) private {
        if (amountWei == 0) return;
        _books.depositedWei += amountWei;
        _books.stakedWei += amountWei;
        COR.safeTransferFrom(msg.sender, address(this), amountWei);
    }

    function _requireBounded(string calldata metadataUri) private pure {
        uint256 length = bytes(metadataUri).length;
        if (length > Limits.METADATA_URI_BYTES_MAX) revert MetadataTooLong(length, Limits.METADATA_URI_BYTES_MAX);
    }
}

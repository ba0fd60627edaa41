// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {QueueBound} from "./QueueBound.sol";
import {Limits} from "./libraries/Limits.sol";
import {Rates} from "./libraries/Rates.sol";
import {NodeRecord, RegistryTotals, Role, SlashReason} from "./types/Node.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Who takes part
/// @notice Role, Ed25519 key, stake and activity of each node. Only the task queue can slash.
contract NodeRegistry is EffectLog, QueueBound {
    using SafeERC20 for IERC20;

    /// @dev Everything but the key in one storage slot.
    struct Node {
        Role role;
        bool active;
        uint40 unbondsAt;
        uint128 stakeWei;
        bytes32 key;
    }

    /// @notice A node joined; it is active from now on.
    event NodeRegistered(address indexed node, Role role, bytes32 key, uint128 stakeWei);
    /// @notice A node went to work or stopped, by itself or because its stake fell below the minimum.
    event NodeActiveSet(address indexed node, bool active);
    /// @notice A node staked more.
    event StakeAdded(address indexed node, uint128 amountWei);
    /// @notice A node lost stake over a task.
    event StakeSlashed(address indexed node, bytes32 indexed taskId, uint128 amountWei, SlashReason reason);
    /// @notice A node asked for its stake; it stays slashable until `unbondsAt`, in seconds since 1970.
    event UnstakeRequested(address indexed node, uint40 unbondsAt);
    /// @notice A node took its stake back.
    event StakeWithdrawn(address indexed node, uint128 amountWei);

    /// @notice `None` is not a role.
    error RoleMissing();
    /// @notice Zero is not a key.
    error KeyMissing();
    /// @notice The key belongs to another address.
    error KeyTaken(bytes32 key, address node);
    /// @notice An address registers once.
    error AlreadyRegistered(address node);
    /// @notice The address never registered.
    error NotRegistered(address node);
    /// @notice The role asks for more stake.
    error StakeTooLow(uint128 stakeWei, uint128 minimumWei);
    /// @notice Nothing is nothing to add.
    error EmptyStake();
    /// @notice There is no stake to ask for.
    error NothingStaked(address node);
    /// @notice The stake cannot be withdrawn yet; `unbondsAt` is zero when it was never asked for.
    error StillBonded(address node, uint40 unbondsAt);

    /// @notice The token that is staked.
    IERC20 public immutable COR;

    mapping(address node => Node) private _nodes;
    mapping(bytes32 key => address node) private _nodeByKey;
    address[] private _addresses;
    RegistryTotals private _totals;

    /// @param cor The token that is staked.
    constructor(IERC20 cor) {
        COR = cor;
    }

    /// @notice Joins the network. Pulls the stake by `transferFrom`.
    /// @param role What the sender will be.
    /// @param key Its Ed25519 public key.
    /// @param stakeWei At least {minimumStakeWei} of the role.
    /// @param effectId The sender's id of this call.
    function register(Role role, bytes32 key, uint128 stakeWei, bytes32 effectId) external {
        if (role == Role.None) revert RoleMissing();
        if (key == 0) revert KeyMissing();
        if (_nodes[msg.sender].role != Role.None) revert AlreadyRegistered(msg.sender);
        if (_nodeByKey[key] != address(0)) revert KeyTaken(key, _nodeByKey[key]);
        uint128 minimumWei = Rates.minimumStakeWei(role);
        if (stakeWei < minimumWei) revert StakeTooLow(stakeWei, minimumWei);
        _markEffect(effectId);
        _nodes[msg.sender] = Node({role: role, active: true, unbondsAt: 0, stakeWei: stakeWei, key: key});
        _nodeByKey[key] = msg.sender;
        _addresses.push(msg.sender);
        emit NodeRegistered(msg.sender, role, key, stakeWei);
        _pull(stakeWei);
    }

    /// @notice Goes to work or stops. Going to work needs the role's minimum stake and takes back a request to unstake.
    /// Setting what is set already changes nothing.
    /// @param active Whether the sender takes work.
    /// @param effectId The sender's id of this call.
    function setActive(bool active, bytes32 effectId) external {
        Node storage node = _registered(msg.sender);
        if (active) {
            uint128 minimumWei = Rates.minimumStakeWei(node.role);
            if (node.stakeWei < minimumWei) revert StakeTooLow(node.stakeWei, minimumWei);
            node.unbondsAt = 0;
        }
        _markEffect(effectId);
        if (node.active == active) return;
        node.active = active;
        emit NodeActiveSet(msg.sender, active);
    }

    /// @notice Stakes more. A node that was slashed below the minimum sets itself active again after.
    /// @param amountWei How much.
    /// @param effectId The sender's id of this call; a second use reverts.
    function addStake(uint128 amountWei, bytes32 effectId) external {
        Node storage node = _registered(msg.sender);
        if (amountWei == 0) revert EmptyStake();
        _markEffectOnce(effectId);
        node.stakeWei += amountWei;
        emit StakeAdded(msg.sender, amountWei);
        _pull(amountWei);
    }

    /// @notice Stops work and asks for the whole stake, which stays slashable for the unbonding delay. Asking again
    /// starts the delay anew.
    /// @param effectId The sender's id of this call; a second use reverts.
    function requestUnstake(bytes32 effectId) external {
        Node storage node = _registered(msg.sender);
        if (node.stakeWei == 0) revert NothingStaked(msg.sender);
        _markEffectOnce(effectId);
        uint40 unbondsAt = uint40(block.timestamp) + Limits.UNBONDING_S;
        node.unbondsAt = unbondsAt;
        emit UnstakeRequested(msg.sender, unbondsAt);
        if (!node.active) return;
        node.active = false;
        emit NodeActiveSet(msg.sender, false);
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
        _totals.stakedWei -= amountWei;
        _totals.withdrawnWei += amountWei;
        emit StakeWithdrawn(msg.sender, amountWei);
        COR.safeTransfer(msg.sender, amountWei);
    }

    /// @notice Takes stake for a fault; at most what there is. Only the queue may. A node left below its role's minimum
    /// becomes inactive.
    /// @param account The node.
    /// @param amountWei How much the fault costs.
    /// @param taskId The task it happened in.
    /// @param reason The fault.
    function slash(address account, uint128 amountWei, bytes32 taskId, SlashReason reason) external {
        _requireQueue();
        Node storage node = _nodes[account];
        uint128 takenWei = amountWei < node.stakeWei ? amountWei : node.stakeWei;
        node.stakeWei -= takenWei;
        _totals.stakedWei -= takenWei;
        _totals.slashedWei += takenWei;
        emit StakeSlashed(account, taskId, takenWei, reason);
        if (!node.active || node.stakeWei >= Rates.minimumStakeWei(node.role)) return;
        node.active = false;
        emit NodeActiveSet(account, false);
    }

    /// @notice What a role must stake to be active, in wei.
    /// @param role The role.
    function minimumStakeWei(Role role) external pure returns (uint128) {
        return Rates.minimumStakeWei(role);
    }

    /// @notice Whether an account is an active node of a role.
    /// @param account The account.
    /// @param role The role.
    function isActive(address account, Role role) external view returns (bool) {
        return _isActive(account, role);
    }

    /// @notice The first of several accounts that is not an active node of a role; zero if all are.
    /// @param accounts The accounts.
    /// @param role The role.
    function firstInactive(address[] calldata accounts, Role role) external view returns (address) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (!_isActive(accounts[i], role)) return accounts[i];
        }
        return address(0);
    }

    /// @notice What an account registered as; `None` if it never did.
    /// @param account The account.
    function roleOf(address account) external view returns (Role) {
        return _nodes[account].role;
    }

    /// @notice All about a node; the role is `None` if it never registered.
    /// @param account The node.
    function nodeOf(address account) external view returns (NodeRecord memory) {
        return _record(account);
    }

    /// @notice How many nodes ever registered.
    function nodeCount() external view returns (uint256) {
        return _addresses.length;
    }

    /// @notice A node by its place in the order of registration, from 0.
    /// @param index Its place.
    function nodeAt(uint256 index) external view returns (NodeRecord memory) {
        return _record(_addresses[index]);
    }

    /// @notice Up to `count` nodes in the order of registration; fewer, or none, at the end.
    /// @param from The place of the first.
    /// @param count How many at most.
    function nodesPage(uint256 from, uint256 count) external view returns (NodeRecord[] memory page) {
        uint256 total = _addresses.length;
        if (from >= total) return page;
        uint256 left = total - from;
        page = new NodeRecord[](count < left ? count : left);
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = _record(_addresses[from + i]);
        }
    }

    /// @notice The registry's money.
    function totals() external view returns (RegistryTotals memory) {
        return _totals;
    }

    function _pull(uint128 amountWei) private {
        if (amountWei == 0) return;
        _totals.depositedWei += amountWei;
        _totals.stakedWei += amountWei;
        COR.safeTransferFrom(msg.sender, address(this), amountWei);
    }

    function _registered(address account) private view returns (Node storage node) {
        node = _nodes[account];
        if (node.role == Role.None) revert NotRegistered(account);
    }

    function _isActive(address account, Role role) private view returns (bool) {
        Node storage node = _nodes[account];
        return node.role == role && node.active;
    }

    function _record(address account) private view returns (NodeRecord memory) {
        Node storage node = _nodes[account];
        return NodeRecord({
            node: account,
            role: node.role,
            key: node.key,
            stakeWei: node.stakeWei,
            active: node.active,
            unbondsAt: node.unbondsAt
        });
    }
}

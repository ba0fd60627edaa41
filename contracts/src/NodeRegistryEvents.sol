// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Access, Role, SlashReason} from "./types/Node.sol";

/// @title What the node registry says
/// @notice Its events and errors.
abstract contract NodeRegistryEvents {
    /// @notice A node joined; it is active from now on.
    /// @param node Its account.
    /// @param number Its number, from 1.
    /// @param roles A set of {Roles}.
    /// @param key Its Ed25519 public key.
    /// @param stakeWei What it staked.
    /// @param metadataUri Where it describes itself; empty where it does not.
    event NodeRegistered(
        address indexed node, uint32 indexed number, uint8 roles, bytes32 key, uint128 stakeWei, string metadataUri
    );
    /// @notice A node describes itself elsewhere.
    event NodeMetadataSet(address indexed node, string metadataUri);
    /// @notice A node takes new work or takes no more, by itself or because it may not any longer.
    event NodeActiveSet(address indexed node, bool active);
    /// @notice A node serves a model.
    event ModelServed(address indexed node, bytes32 indexed modelHash, string model);
    /// @notice A node does not serve a model any more.
    event ModelDropped(address indexed node, bytes32 indexed modelHash);
    /// @notice A node takes no new work until `coolUntilAt`, in seconds since 1970.
    event NodeCooledDown(address indexed node, uint40 coolUntilAt);
    /// @notice A node has another level.
    event NodeLevelSet(address indexed node, uint8 level);
    /// @notice A node staked more.
    event StakeAdded(address indexed node, uint128 amountWei);
    /// @notice A node lost stake; `ref` is the task, batch or round it was about.
    event StakeSlashed(address indexed node, bytes32 indexed ref, uint128 amountWei, SlashReason reason);
    /// @notice A challenger has earned a part of what was slashed.
    event SlashRewarded(address indexed to, bytes32 indexed ref, uint128 amountWei);
    /// @notice A challenger took what it had earned.
    event RewardWithdrawn(address indexed account, uint128 amountWei);
    /// @notice The treasury got its part of what was slashed.
    event SlashedSwept(address indexed treasury, uint128 amountWei);
    /// @notice A node asked for its stake; it stays slashable until `unbondsAt`, in seconds since 1970.
    event UnstakeRequested(address indexed node, uint40 unbondsAt);
    /// @notice A node took its stake back.
    event StakeWithdrawn(address indexed node, uint128 amountWei);
    /// @notice An account may have these closed roles, a set of {Roles}, and no others.
    event AuthorisationSet(address indexed account, uint8 roles);
    /// @notice A router says whether it serves an account.
    event AccessSet(address indexed router, address indexed account, Access access);
    /// @notice A router says whether it serves accounts that it has not listed.
    event ExclusiveSet(address indexed router, bool exclusive);

    /// @notice A node has at least one role, and only such as there are.
    error InvalidRoles(uint8 roles);
    /// @notice Zero is not a key.
    error KeyMissing();
    /// @notice The key belongs to another address.
    error KeyTaken(bytes32 key, address node);
    /// @notice An address registers once.
    error AlreadyRegistered(address node);
    /// @notice The address never registered.
    error NotRegistered(address node);
    /// @notice No node has this number.
    error UnknownNode(uint32 number);
    /// @notice The roles ask for more stake.
    error StakeTooLow(uint128 stakeWei, uint128 minimumWei);
    /// @notice Nothing is nothing to add.
    error EmptyStake();
    /// @notice There is no stake to ask for.
    error NothingStaked(address node);
    /// @notice The stake cannot be withdrawn yet; `unbondsAt` is zero when it was never asked for.
    error StillBonded(address node, uint40 unbondsAt);
    /// @notice The metadata URI is too long.
    error MetadataTooLong(uint256 length, uint256 maximum);
    /// @notice A model's id has at least one byte and at most a fixed number.
    error ModelLengthOutOfBounds(uint256 length, uint256 maximum);
    /// @notice A node serves a bounded number of models.
    error TooManyModels(uint256 count, uint256 maximum);
    /// @notice The node is not active in the role.
    error NodeNotActive(address node, Role role);
    /// @notice The node takes no new work after a fault.
    error NodeCoolingDown(address node, uint40 coolUntilAt);
    /// @notice The node does not serve the model.
    error ModelNotServed(address node, bytes32 modelHash);
    /// @notice The node was drawn by more weight than its level may have; both weights in millionths.
    error WeightBeyondLevel(address node, uint8 level, uint256 weight, uint256 maximum);
    /// @notice No node is kept from work for so long.
    error CoolDownTooLong(uint40 coolUntilAt, uint40 latestAt);
    /// @notice Levels end here.
    error LevelOutOfBounds(uint8 level, uint8 maximum);
    /// @notice A challenger never gets all that is slashed.
    error RewardTooHigh(uint16 rewardBps, uint256 maximumBps);
    /// @notice The account has earned nothing from challenges that it has not withdrawn.
    error NoReward(address account);
    /// @notice The treasury has no part of what was slashed.
    error NothingSlashed();
    /// @notice Only the registrar authorises.
    error NotRegistrar(address account);
    /// @notice Of these roles, the account may have only those it was authorised for.
    error NotAuthorised(address account, uint8 roles);
    /// @notice Nothing keeps the node from work.
    error NodeFit(address node);
    /// @notice Only routers keep lists.
    error NotARouter(address account);
    /// @notice A call lists a bounded number of accounts.
    error TooManyAccounts(uint256 count, uint256 maximum);
    /// @notice The list of a router is bounded; take accounts off it first.
    error AccessListFull(uint256 maximum);
}

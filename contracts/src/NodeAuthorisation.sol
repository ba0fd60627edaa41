// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EffectLog} from "./EffectLog.sol";
import {NodePool} from "./NodePool.sol";
import {Parameters} from "./Parameters.sol";
import {Limits} from "./libraries/Limits.sol";
import {Roles} from "./libraries/Roles.sol";
import {Selection} from "./libraries/Selection.sol";
import {NodeState, Role} from "./types/Node.sol";

/// @title Who may be what
/// @notice Roles are open to all who stake, but for those that the parameters close: these only accounts have that the
/// registrar authorised. A node works while it has the stake and the authorisations of all its roles.
abstract contract NodeAuthorisation is EffectLog, NodePool {
    /// @notice Minimum stakes, delays, the treasury and the pause.
    Parameters public immutable PARAMETERS;

    mapping(address account => uint8 roles) private _authorised;

    constructor(Parameters parameters) {
        PARAMETERS = parameters;
    }

    // ---------------------------------------------------------------- who may be drawn

    /// @notice {requireEligible} for those that a selection has drawn, none of them by more weight than its level may
    /// have. Reverts with the first that may not work or weighs too much.
    /// @param drawn Nodes, each in one word: its address, then its weight in 96 bits, in millionths.
    /// @param role The role.
    /// @param modelHash `keccak256` of the model's id; zero for any.
    function requireDrawn(uint256[] calldata drawn, Role role, bytes32 modelHash)
        external
        view
        returns (uint32[] memory numbers)
    {
        // Nodes of a level follow each other more often than not: its bound is asked for once.
        (uint8 known, uint256 maximum) = (type(uint8).max, 0);
        numbers = new uint32[](drawn.length);
        for (uint256 i = 0; i < drawn.length; ++i) {
            (address account, uint256 weight) = Selection.unpack(drawn[i]);
            Node storage node = _requireEligible(account, role, modelHash);
            uint8 level = node.level;
            if (level != known) {
                (known, maximum) = (level, uint256(PARAMETERS.maxWeightOf(level)) * Limits.PPM_PER_WEIGHT);
            }
            if (weight > maximum) revert WeightBeyondLevel(account, level, weight, maximum);
            numbers[i] = node.number;
        }
    }

    // ---------------------------------------------------------------- authorisation

    /// @notice Lets an account have roles that are closed. Only the registrar may.
    /// @param account The account.
    /// @param roles A set of {Roles}, added to those it has been authorised for.
    /// @param effectId The sender's id of this call.
    function authorise(address account, uint8 roles, bytes32 effectId) external {
        _requireRegistrar(roles);
        _markEffect(effectId);
        _authorised[account] |= roles;
        emit AuthorisationSet(account, _authorised[account]);
    }

    /// @notice Takes authorisations back. A node that needs one of them takes no new work from now on; its stake stays its
    /// own. Only the registrar may.
    /// @param account The account.
    /// @param roles A set of {Roles}.
    /// @param effectId The sender's id of this call.
    function revoke(address account, uint8 roles, bytes32 effectId) external {
        _requireRegistrar(roles);
        _markEffect(effectId);
        _authorised[account] &= ~roles;
        emit AuthorisationSet(account, _authorised[account]);
        _drainIfUnfit(_nodes[account], account);
    }

    /// @notice Stops an active node that could not go to work now: after a minimum rose or a role was closed. Anyone may.
    /// @param account The node.
    /// @param effectId The sender's id of this call.
    function stopUnfit(address account, bytes32 effectId) external {
        _markEffect(effectId);
        if (!_drainIfUnfit(_registered(account), account)) revert NodeFit(account);
    }

    /// @notice The closed roles that an account may have, a set of {Roles}.
    /// @param account The account.
    function authorisedRolesOf(address account) external view returns (uint8) {
        return _authorised[account];
    }

    /// @notice Whether an account may have a role: it is open to all, or the account is authorised.
    /// @param account The account.
    /// @param role The role.
    function isAuthorised(address account, Role role) external view returns (bool) {
        (, uint8 closedRoles) = PARAMETERS.rulesFor(0);
        return Roles.bit(role) & closedRoles & ~_authorised[account] == 0;
    }

    /// @notice What a role must stake to be active, in wei.
    /// @param role The role.
    function minimumStakeWei(Role role) external view returns (uint128) {
        return PARAMETERS.minimumStakeWei(role);
    }

    /// @dev Reverts where an account may not be active with these roles and this stake.
    function _requireFit(address account, uint8 roles, uint128 stakeWei) internal view {
        (uint128 minimumWei, uint8 closedRoles) = PARAMETERS.rulesFor(roles);
        uint8 missing = roles & closedRoles & ~_authorised[account];
        if (missing != 0) revert NotAuthorised(account, missing);
        if (stakeWei < minimumWei) revert StakeTooLow(stakeWei, minimumWei);
    }

    /// @dev Stops a node that could not go to work now; tells whether it did.
    function _drainIfUnfit(Node storage node, address account) internal returns (bool) {
        if (node.state != NodeState.Active || _isFit(account, node.roles, node.stakeWei)) return false;
        _setState(node, NodeState.Draining);
        emit NodeActiveSet(account, false);
        return true;
    }

    /// @dev A node that once registered.
    function _registered(address account) internal view returns (Node storage node) {
        node = _nodes[account];
        if (node.state == NodeState.None) revert NotRegistered(account);
    }

    function _isFit(address account, uint8 roles, uint128 stakeWei) private view returns (bool) {
        (uint128 minimumWei, uint8 closedRoles) = PARAMETERS.rulesFor(roles);
        return stakeWei >= minimumWei && roles & closedRoles & ~_authorised[account] == 0;
    }

    function _requireRegistrar(uint8 roles) private view {
        if (msg.sender != PARAMETERS.registrar()) revert NotRegistrar(msg.sender);
        if (roles == 0 || roles > Roles.ALL) revert InvalidRoles(roles);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Effect ids on chain
/// @notice Every state-changing call carries the id of the effect that asked for it. A sender that crashed after
/// sending finds the id in the logs and does not send again.
abstract contract EffectLog {
    /// @notice An effect took place.
    /// @param sender Who sent the transaction.
    /// @param effectId The sender's own id of the effect.
    event EffectApplied(address indexed sender, bytes32 indexed effectId);

    /// @notice The effect took place before.
    /// @param sender Who sent it.
    /// @param effectId The effect's id.
    error EffectAlreadyApplied(address sender, bytes32 effectId);

    mapping(address sender => mapping(bytes32 effectId => bool)) private _applied;

    /// @notice Whether a guarded effect (one that its own state would let happen twice) took place.
    /// @param sender Who sent it.
    /// @param effectId The effect's id.
    function isEffectApplied(address sender, bytes32 effectId) external view returns (bool) {
        return _applied[sender][effectId];
    }

    /// @dev For calls that the state machine refuses the second time by itself.
    function _markEffect(bytes32 effectId) internal {
        emit EffectApplied(msg.sender, effectId);
    }

    /// @dev For calls that would succeed again: the pair is stored and a repetition reverts.
    function _markEffectOnce(bytes32 effectId) internal {
        if (_applied[msg.sender][effectId]) revert EffectAlreadyApplied(msg.sender, effectId);
        _applied[msg.sender][effectId] = true;
        emit EffectApplied(msg.sender, effectId);
    }
}

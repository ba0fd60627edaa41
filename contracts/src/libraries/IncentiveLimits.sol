// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bounds of reputation, rewards and network sessions
library IncentiveLimits {
    /// @dev Seconds of an epoch.
    uint40 internal constant EPOCH_S_MIN = 1 minutes;
    uint40 internal constant EPOCH_S_MAX = 30 days;
    /// @dev Seconds in which a checkpoint may be disputed, and in which the dispute may be ruled on.
    uint40 internal constant DISPUTE_S_MIN = 10;
    /// @dev Signatures that one call checks.
    uint256 internal constant SIGNATURES_MAX = 256;
    /// @dev Depth of a checkpoint's tree: as many nodes as a registry number can name.
    uint256 internal constant PROOF_MAX = 32;

    /// @dev How far one checkpoint can lift a node, and how far it can lower it.
    uint8 internal constant LEVEL_RISE_MAX = 2;
    uint8 internal constant LEVEL_FALL_MAX = 4;

    /// @dev What a dispute has to put down, and what of it is lost where nobody rules.
    uint128 internal constant DISPUTE_BOND_WEI = 100 ether;
    uint128 internal constant DISPUTE_FEE_WEI = 10 ether;

    /// @dev Epochs in which the emission halves.
    uint32 internal constant HALVING_EPOCHS_MIN = 1;
    uint32 internal constant HALVING_EPOCHS_MAX = 65_536;
    /// @dev Seconds in which a reward may be claimed once its checkpoint counts.
    uint40 internal constant CLAIM_S = 90 days;

    /// @dev Seconds of a slot in which one round may be asked for, and of any phase of it.
    uint40 internal constant SLOT_S_MIN = 10;
    uint40 internal constant SLOT_S_MAX = 30 days;
    uint32 internal constant ROUND_PHASE_S_MIN = 1;
    uint32 internal constant ROUND_PHASE_S_MAX = 1 hours;
    /// @dev Blocks between what asks for a draw and the block whose hash decides it.
    uint256 internal constant BEACON_DELAY = 2;
    /// @dev Members of a pool that one draw looks at.
    uint256 internal constant DRAW_LOOKS_MAX = 32;
    /// @dev Members of a pool.
    uint256 internal constant POOL_MAX = 65_536;
    /// @dev Who stands in for a creator or preparer that is silent.
    uint256 internal constant STANDBYS = 2;
    /// @dev Who answers, and how many of them at least.
    uint256 internal constant ANSWERERS = 5;
    uint256 internal constant ANSWERERS_MIN = 2;
    /// @dev Who judges the answers; one at least.
    uint256 internal constant ROUND_VALIDATORS = 3;

    /// @dev Credits for each part of a round that ended well.
    uint64 internal constant CREATE_CREDITS = 1;
    uint64 internal constant PREPARE_CREDITS = 1;
    uint64 internal constant ANSWER_CREDITS = 4;
    uint64 internal constant VALIDATE_CREDITS = 1;
    /// @dev Credits of one node in one epoch; what goes beyond is nobody's.
    uint64 internal constant NODE_CREDITS_MAX = 256;
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bounds of the contracts
/// @notice Those that nodes meet too are in `src/core/limits.ts` under the same names.
library Limits {
    /// @dev Redundancy k of a session; also the size of a task's slot array.
    uint256 internal constant REDUNDANCY_MAX = 16;
    /// @dev Validators of a session; also the size of a task's ballot array.
    uint256 internal constant VALIDATORS_MAX = 16;
    /// @dev How often one slot of a task may be given to another miner.
    uint8 internal constant SLOT_ATTEMPTS_MAX = 5;
    /// @dev Routers of a session.
    uint256 internal constant SESSION_ROUTERS_MAX = 16;
    /// @dev Dedicated miners of a session.
    uint256 internal constant DEDICATED_MINERS_MAX = 64;
    /// @dev Bytes of a model's id.
    uint256 internal constant MODEL_ID_BYTES_MAX = 128;
    /// @dev The highest validation level.
    uint256 internal constant LEVEL_MAX = 3;
    /// @dev Ten thousand ten-thousandths.
    uint256 internal constant BPS = 10_000;
    /// @dev Seconds a session may let a task wait for its miners.
    uint256 internal constant QUEUE_TIMEOUT_S_MAX = 1 days;
    /// @dev Seconds a session may allow for any one of the later phases. All phases and attempts of a task together
    /// stay far below the unbonding delay, so that a miner cannot leave before it can be slashed.
    uint256 internal constant PHASE_TIMEOUT_S_MAX = 1 hours;
    /// @dev Seconds a stake stays slashable after its owner asked for it.
    uint40 internal constant UNBONDING_S = 7 days;
}

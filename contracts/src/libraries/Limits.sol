// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bounds of the contracts
/// @notice Those that nodes meet too are in `src/core/limits.ts` under the same names. No owner can go past any of them.
library Limits {
    /// @dev Redundancy k of a session; also the size of a task's slot array.
    uint256 internal constant REDUNDANCY_MAX = 16;
    /// @dev Validators of a session; also the size of a task's ballot array.
    uint256 internal constant VALIDATORS_MAX = 16;
    /// @dev How often one slot of a task may be given to another miner.
    uint8 internal constant SLOT_ATTEMPTS_MAX = 5;
    /// @dev Tasks of one session that are assigned and not ended; each has a lane.
    uint256 internal constant SESSION_LANES_MAX = 256;
    /// @dev Tasks that one task comes after.
    uint256 internal constant PARENTS_MAX = 8;
    /// @dev The highest step of a task: so many may stand in a row before it.
    uint256 internal constant STEP_MAX = 15;
    /// @dev Candidates of a draw, of miners and of validators each.
    uint256 internal constant CANDIDATES_MAX = 64;
    /// @dev The highest weight of a candidate, in millionths, whatever its level: as high as any level's bound can be.
    uint256 internal constant WEIGHT_PPM_MAX = 65_535_000;
    /// @dev Millionths in a thousandth, in which the bounds of the levels are kept.
    uint256 internal constant PPM_PER_WEIGHT = 1000;
    /// @dev Routers of a session.
    uint256 internal constant SESSION_ROUTERS_MAX = 16;
    /// @dev Miners in a session's pool, dedicated or reserved.
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
    /// @dev Seconds a miner may be reserved for at a time.
    uint256 internal constant RESERVE_PERIOD_S_MAX = 1 days;
    /// @dev Tasks that a session may bound itself to.
    uint256 internal constant TASK_LIMIT_MAX = 1_000_000_000;
    /// @dev What one miner can earn for its model in a second at base prices, by which use is measured.
    uint256 internal constant MINER_CAPACITY_WEI_PER_S = 0.005 ether;
    /// @dev The time in which deposits are expected to be spent.
    uint256 internal constant FORECAST_S = 1 days;
    /// @dev What a stake lets its owner use of the pool in a window, in ten-thousandths of the stake.
    uint256 internal constant USE_BPS_PER_WINDOW = 5;
    /// @dev The window.
    uint256 internal constant USE_WINDOW_S = 1 days;
    /// @dev Seconds until a stake for use can be taken back: longer than any task lives.
    uint40 internal constant USE_UNLOCK_S = 7 days;
    /// @dev One, in millionths.
    uint32 internal constant PPM = 1_000_000;
    /// @dev Millionths in a hundred-thousandth, which a task keeps its multiplier in.
    uint32 internal constant PPM_PER_E5 = 10;
    /// @dev Modules that one contract binds.
    uint256 internal constant MODULES_MAX = 16;
    /// @dev The highest level of a node.
    uint8 internal constant NODE_LEVEL_MAX = 10;
    /// @dev Models that a node serves by the registry.
    uint256 internal constant SERVED_MODELS_MAX = 16;
    /// @dev Bytes of a node's metadata URI.
    uint256 internal constant METADATA_URI_BYTES_MAX = 256;
    /// @dev Accounts that one call of a router lists.
    uint256 internal constant ACCESS_LIST_MAX = 64;
    /// @dev Accounts on the list of one router.
    uint256 internal constant ACCESS_LISTED_MAX = 1024;
    /// @dev Seconds for which a module can keep a node from new work.
    uint40 internal constant COOL_DOWN_S_MAX = 7 days;

    // ---------------------------------------------------------------- what each parameter may be

    /// @dev The miners' part of a price.
    uint256 internal constant MINERS_BPS_MIN = 5000;
    uint256 internal constant MINERS_BPS_MAX = 9500;
    /// @dev The validators' part.
    uint256 internal constant VALIDATORS_BPS_MAX = 2000;
    /// @dev The router's part.
    uint256 internal constant ROUTER_BPS_MAX = 2000;
    /// @dev The oracle's part.
    uint256 internal constant ORACLE_BPS_MAX = 1000;
    /// @dev What part must agree: more than half, or no two quorums would share a member.
    uint256 internal constant QUORUM_BPS_MIN = 5000;
    uint256 internal constant QUORUM_BPS_MAX = 9000;
    /// @dev A challenger's part: never all, or a culprit would lose nothing by challenging itself.
    uint256 internal constant CHALLENGER_BPS_MAX = 9000;

    /// @dev What one fault may cost.
    uint256 internal constant SLASH_WEI_MAX = 1000 ether;

    /// @dev The minimum stake of a role other than a client's.
    uint256 internal constant STAKE_WEI_MIN = 1 ether;
    uint256 internal constant STAKE_WEI_MAX = 100_000 ether;
    /// @dev The unbonding delay. At least as long as any task can live, so that nobody leaves before it can be slashed.
    uint256 internal constant UNBONDING_S_MIN = 4 days;
    uint256 internal constant UNBONDING_S_MAX = 60 days;

    /// @dev The bond of a poster.
    uint256 internal constant POSTER_BOND_WEI_MAX = 1_000_000 ether;
    /// @dev The challenge window, and the time to show what is asked for within it.
    uint256 internal constant CHALLENGE_WINDOW_S_MIN = 10;
    uint256 internal constant CHALLENGE_WINDOW_S_MAX = 3 days;
    uint256 internal constant ANSWER_WINDOW_S_MIN = 5;
    uint256 internal constant ANSWER_WINDOW_S_MAX = 1 days;

    /// @dev The bond of an appeal.
    uint256 internal constant APPEAL_BOND_WEI_MIN = 0.01 ether;
    uint256 internal constant APPEAL_BOND_WEI_MAX = 10_000 ether;
    /// @dev How long a session's terms may let outcomes be appealed.
    uint256 internal constant APPEAL_WINDOW_S_MAX = 1 days;
    /// @dev How long only oracles reassign.
    uint256 internal constant GRACE_S_MAX = 1 hours;

    /// @dev The dead zone of the demand.
    uint256 internal constant BAND_LOW_BPS_MIN = 1000;
    uint256 internal constant BAND_MIDDLE_BPS = 5000;
    uint256 internal constant BAND_HIGH_BPS_MAX = 9000;
    /// @dev The step of the multiplier.
    uint256 internal constant STEP_BPS_MIN = 1;
    uint256 internal constant STEP_BPS_MAX = 1000;
    /// @dev The floor of the multiplier, which is at most one, and its ceiling, which is at least one.
    uint256 internal constant FLOOR_BPS_MIN = 1000;
    uint256 internal constant CEILING_BPS_MAX = 1_000_000;
    /// @dev The period of the demand.
    uint256 internal constant PERIOD_S_MIN = 1;
    uint256 internal constant PERIOD_S_MAX = 1 days;

    /// @dev The highest weight of a level, in thousandths.
    uint256 internal constant MAX_WEIGHT_MIN = 100;
}

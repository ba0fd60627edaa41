// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bounds and amounts of batches
/// @notice Those that nodes meet too are in `src/core/limits.ts`.
library BatchLimits {
    /// @dev Tasks of one batch.
    uint256 internal constant TASKS_MAX = 1024;
    /// @dev Sessions of one batch.
    uint256 internal constant SESSIONS_MAX = 16;
    /// @dev Payments of one batch: more than 1,024 tasks with 16 miners and 16 validators each have.
    uint256 internal constant PAYMENTS_MAX = 65_536;
    /// @dev Batches of one poster that wait for the end of their challenge window.
    uint256 internal constant POSTED_MAX = 64;

    /// @dev Seconds from one post to the next.
    uint40 internal constant STEP_S = 1 hours;
    /// @dev Seconds in which anyone can challenge what was posted.
    uint40 internal constant WINDOW_S = 1 hours;
    /// @dev Seconds in which leaves can be demanded, at most; each demand keeps the window open.
    uint40 internal constant DEMANDS_S = 6 hours;
    /// @dev Seconds a poster has to answer; as long again the answer can be challenged.
    uint40 internal constant ANSWER_S = 10 minutes;

    /// @dev What a batch holds of its poster's bond.
    uint128 internal constant BOND_WEI = 100 ether;
    /// @dev The challenger's part of it, in ten-thousandths. The treasury gets the rest, so nobody gains by
    /// challenging itself.
    uint256 internal constant CHALLENGER_BPS = 5000;
    /// @dev What a demand puts down for whoever answers it: some 120,000 gas with two signatures, so it pays as long as a
    /// million gas cost less than 8 $COR.
    uint128 internal constant DEMAND_WEI = 1 ether;
}

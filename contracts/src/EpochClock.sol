// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IncentiveLimits} from "./libraries/IncentiveLimits.sol";

/// @title Epochs of fixed length
/// @notice Time is cut into epochs of equal length, numbered from 1. Checkpoints, rewards and idle work count by the
/// same ones, so that one number means the same span everywhere.
abstract contract EpochClock {
    /// @notice An epoch is not that short or long.
    error EpochLengthOutOfBounds(uint40 lengthS, uint40 minimumS, uint40 maximumS);

    /// @notice When epoch 1 began, in seconds since 1970.
    uint40 public immutable EPOCH_START;
    /// @notice How long every epoch lasts, in seconds.
    uint40 public immutable EPOCH_S;

    /// @param start When epoch 1 begins.
    /// @param lengthS How long an epoch lasts.
    constructor(uint40 start, uint40 lengthS) {
        if (lengthS < IncentiveLimits.EPOCH_S_MIN || lengthS > IncentiveLimits.EPOCH_S_MAX) {
            revert EpochLengthOutOfBounds(lengthS, IncentiveLimits.EPOCH_S_MIN, IncentiveLimits.EPOCH_S_MAX);
        }
        EPOCH_START = start;
        EPOCH_S = lengthS;
    }

    /// @notice The epoch of a moment; 0 before the first.
    /// @param time Seconds since 1970.
    function epochAt(uint256 time) public view returns (uint64) {
        if (time < EPOCH_START) return 0;
        return uint64((time - EPOCH_START) / EPOCH_S + 1);
    }

    /// @notice The first moment after an epoch, in seconds since 1970.
    /// @param epoch Its number, from 1.
    function epochEndsAt(uint64 epoch) public view returns (uint256) {
        return uint256(EPOCH_START) + uint256(epoch) * EPOCH_S;
    }
}

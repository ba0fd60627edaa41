// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochClock} from "./EpochClock.sol";
import {NetworkSessionsEvents} from "./NetworkSessionsEvents.sol";
import {IdleWork} from "./interfaces/IdleWork.sol";
import {IncentiveLimits} from "./libraries/IncentiveLimits.sol";
import {Round} from "./types/Round.sol";

/// @title What idle work is worth
/// @notice Credits of each node in each epoch, for its parts of rounds that ended well, and never more than so many.
abstract contract IdleCredits is NetworkSessionsEvents, IdleWork, EpochClock {
    mapping(uint64 epoch => mapping(address node => uint64)) private _credits;
    mapping(uint64 epoch => uint64) private _sums;

    /// @inheritdoc IdleWork
    function creditsOf(uint64 epoch, address node) external view returns (uint64) {
        return _credits[epoch][node];
    }

    /// @notice All credits of an epoch.
    /// @param epoch The epoch.
    function creditSumOf(uint64 epoch) external view returns (uint64) {
        return _sums[epoch];
    }

    /// @dev Credits everybody who had a part in a round, in the epoch in which it ends.
    function _creditAll(uint64 id, Round storage round, uint16 honest, address[] memory signers) internal {
        uint64 epoch = epochAt(block.timestamp);
        _credit(epoch, id, round.creator, IncentiveLimits.CREATE_CREDITS);
        _credit(epoch, id, round.preparer, IncentiveLimits.PREPARE_CREDITS);
        for (uint256 i = 0; i < round.answers.length; ++i) {
            if (honest >> i & 1 != 0) _credit(epoch, id, round.answers[i].miner, IncentiveLimits.ANSWER_CREDITS);
        }
        for (uint256 i = 0; i < signers.length; ++i) {
            _credit(epoch, id, signers[i], IncentiveLimits.VALIDATE_CREDITS);
        }
    }

    /// @dev No more than a node may have in an epoch.
    function _credit(uint64 epoch, uint64 id, address node, uint64 credits) private {
        uint64 left = IncentiveLimits.NODE_CREDITS_MAX - _credits[epoch][node];
        if (credits > left) credits = left;
        if (credits == 0) return;
        _credits[epoch][node] += credits;
        _sums[epoch] += credits;
        emit IdleWorkCredited(epoch, id, node, credits);
    }
}

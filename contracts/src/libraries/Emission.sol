// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title How much is emitted
/// @notice The first epoch emits most. Within a period of `halvingEpochs` the emission falls by the same amount from
/// epoch to epoch until it is half, and each period is the one before, halved. The sum over the first n epochs is one
/// fraction, rounded down once, and an epoch emits the difference of two sums: so nothing is lost or gained by rounding.
/// `src/core/emission.ts` computes the same, bit for bit.
library Emission {
    /// @dev After so many halvings nothing is emitted any more.
    uint256 internal constant HALVINGS_MAX = 64;

    /// @dev The sum over the first epochs, in wei. With p epochs to a period, H whole periods and j epochs more:
    /// `first · (2p(3p + 1)(2^H - 1) + 4pj - j(j - 1)) / (4p · 2^H)`. Below 2^227 with p at most 65,536.
    function totalWei(uint128 firstWei, uint32 halvingEpochs, uint64 epochs) internal pure returns (uint256) {
        uint256 p = halvingEpochs;
        (uint256 periods, uint256 more) = (epochs / p, epochs % p);
        if (periods >= HALVINGS_MAX) (periods, more) = (HALVINGS_MAX, 0);
        // forge-lint: disable-next-line(incorrect-shift) 1 is what moves
        uint256 whole = 2 * p * (3 * p + 1) * ((1 << periods) - 1);
        return uint256(firstWei) * (whole + 4 * p * more + more - more * more) / ((4 * p) << periods);
    }

    /// @dev What one epoch emits, from 1.
    function emissionWei(uint128 firstWei, uint32 halvingEpochs, uint64 epoch) internal pure returns (uint256) {
        return totalWei(firstWei, halvingEpochs, epoch) - totalWei(firstWei, halvingEpochs, epoch - 1);
    }

    /// @dev The sum over all epochs there can be.
    function limitWei(uint128 firstWei, uint32 halvingEpochs) internal pure returns (uint256) {
        return totalWei(firstWei, halvingEpochs, type(uint64).max);
    }
}

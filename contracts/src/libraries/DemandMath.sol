// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Demand} from "../types/Economy.sol";
import {Limits} from "./Limits.sol";

/// @title How demand moves a price
/// @notice All in integers, rounded down; `src/core/price.ts` is the same, bit for bit.
library DemandMath {
    /// @dev What factors are counted in.
    uint256 internal constant ONE = 1e18;
    /// @dev One, as a multiplier is kept: finer than what tasks are priced at, so that small steps are not lost.
    uint64 internal constant UNIT = 1e12;

    /// @dev How much of what could be done was done, in ten-thousandths, at most all of it. Nobody knows how much that is
    /// where no capacity is known; the middle of the dead zone says so.
    function useBps(uint256 workWei, uint256 capacityWei) internal pure returns (uint256) {
        if (capacityWei == 0) return Limits.BAND_MIDDLE_BPS;
        if (workWei >= capacityWei) return Limits.BPS;
        return (workWei * Limits.BPS) / capacityWei;
    }

    /// @dev The factor of one period: one within the dead zone; outside it moves in proportion to the distance, by the
    /// whole step where nothing or everything is used.
    function factor(uint256 use, Demand memory demand) internal pure returns (uint256) {
        (uint256 low, uint256 high) = (demand.bandLowBps, demand.bandHighBps);
        uint256 step = (uint256(demand.stepBps) * ONE) / Limits.BPS;
        if (use < low) return ONE - (step * (low - use)) / low;
        if (use > high) return ONE + (step * (use - high)) / (Limits.BPS - high);
        return ONE;
    }

    /// @dev A factor times itself, by squaring: as many steps as the exponent has bits. A result beyond what any
    /// multiplier can reach stops there, so nothing overflows.
    function power(uint256 base, uint256 exponent) internal pure returns (uint256 result) {
        result = ONE;
        uint256 most = ONE * Limits.CEILING_BPS_MAX;
        while (exponent != 0) {
            if (exponent & 1 != 0) result = _least((result * base) / ONE, most);
            exponent >>= 1;
            if (exponent != 0) base = _least((base * base) / ONE, most);
        }
    }

    /// @dev A multiplier after a period in which `workWei` was done, and `idle` periods more in which nothing was.
    function move(uint64 multiplier, uint256 use, uint256 idleUse, uint256 idle, Demand memory demand)
        internal
        pure
        returns (uint64)
    {
        uint256 moved = clamp((uint256(multiplier) * factor(use, demand)) / ONE, demand);
        if (idle != 0) moved = clamp((moved * power(factor(idleUse, demand), idle)) / ONE, demand);
        // forge-lint: disable-next-line(unsafe-typecast) at most a hundred units
        return uint64(moved);
    }

    /// @dev A multiplier between floor and ceiling.
    function clamp(uint256 multiplier, Demand memory demand) internal pure returns (uint256) {
        uint256 floor = (uint256(UNIT) * demand.floorBps) / Limits.BPS;
        uint256 ceiling = (uint256(UNIT) * demand.ceilingBps) / Limits.BPS;
        if (multiplier < floor) return floor;
        return multiplier > ceiling ? ceiling : multiplier;
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}

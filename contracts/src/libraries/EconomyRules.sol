// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Appeals, Batching, Demand, Shares, Slashes, Stakes} from "../types/Economy.sol";
import {Limits} from "./Limits.sol";
import {Roles} from "./Roles.sol";

/// @title What the numbers of the economy may be
library EconomyRules {
    /// @notice A parameter is outside its bounds.
    /// @param parameter The name of the field of its struct.
    error ParameterOutOfBounds(string parameter, uint256 value, uint256 minimum, uint256 maximum);
    /// @notice What nobody else earned has to go somewhere.
    error ZeroTreasury();

    /// @dev Reverts with the first that is out of bounds, as the others here do.
    function check(Shares memory shares) internal pure {
        if (shares.treasury == address(0)) revert ZeroTreasury();
        _within("minersBps", shares.minersBps, Limits.MINERS_BPS_MIN, Limits.MINERS_BPS_MAX);
        _within("validatorsBps", shares.validatorsBps, 0, Limits.VALIDATORS_BPS_MAX);
        _within("routerBps", shares.routerBps, 0, Limits.ROUTER_BPS_MAX);
        _within("oracleBps", shares.oracleBps, 0, Limits.ORACLE_BPS_MAX);
        uint256 sum = uint256(shares.minersBps) + shares.validatorsBps + shares.routerBps + shares.oracleBps;
        _within("sum of shares", sum, 0, Limits.BPS);
        _within("quorumBps", shares.quorumBps, Limits.QUORUM_BPS_MIN, Limits.QUORUM_BPS_MAX);
        _within("challengerBps", shares.challengerBps, 0, Limits.CHALLENGER_BPS_MAX);
    }

    function check(Slashes memory slashes) internal pure {
        _within("outlierWei", slashes.outlierWei, 0, Limits.SLASH_WEI_MAX);
        _within("unrevealedWei", slashes.unrevealedWei, 0, Limits.SLASH_WEI_MAX);
        _within("contradictedWei", slashes.contradictedWei, 0, Limits.SLASH_WEI_MAX);
        _within("coolDownS", slashes.coolDownS, 0, Limits.COOL_DOWN_S_MAX);
    }

    function check(Stakes memory stakes) internal pure {
        _within("clientWei", stakes.clientWei, 0, Limits.STAKE_WEI_MAX);
        _within("routerWei", stakes.routerWei, Limits.STAKE_WEI_MIN, Limits.STAKE_WEI_MAX);
        _within("minerWei", stakes.minerWei, Limits.STAKE_WEI_MIN, Limits.STAKE_WEI_MAX);
        _within("validatorWei", stakes.validatorWei, Limits.STAKE_WEI_MIN, Limits.STAKE_WEI_MAX);
        _within("oracleWei", stakes.oracleWei, Limits.STAKE_WEI_MIN, Limits.STAKE_WEI_MAX);
        _within("unbondingS", stakes.unbondingS, Limits.UNBONDING_S_MIN, Limits.UNBONDING_S_MAX);
        _within("closedRoles", stakes.closedRoles, 0, Roles.ALL);
    }

    function check(Batching memory batching) internal pure {
        _within("posterBondWei", batching.posterBondWei, 0, Limits.POSTER_BOND_WEI_MAX);
        uint256 windowS = batching.challengeWindowS;
        _within("challengeWindowS", windowS, Limits.CHALLENGE_WINDOW_S_MIN, Limits.CHALLENGE_WINDOW_S_MAX);
        _within("answerWindowS", batching.answerWindowS, Limits.ANSWER_WINDOW_S_MIN, Limits.ANSWER_WINDOW_S_MAX);
    }

    function check(Appeals memory appeals) internal pure {
        _within("bondWei", appeals.bondWei, Limits.APPEAL_BOND_WEI_MIN, Limits.APPEAL_BOND_WEI_MAX);
        _within("windowMaxS", appeals.windowMaxS, 0, Limits.APPEAL_WINDOW_S_MAX);
        _within("graceS", appeals.graceS, 0, Limits.GRACE_S_MAX);
    }

    function check(Demand memory demand) internal pure {
        _within("bandLowBps", demand.bandLowBps, Limits.BAND_LOW_BPS_MIN, Limits.BAND_MIDDLE_BPS);
        _within("bandHighBps", demand.bandHighBps, Limits.BAND_MIDDLE_BPS, Limits.BAND_HIGH_BPS_MAX);
        _within("stepBps", demand.stepBps, Limits.STEP_BPS_MIN, Limits.STEP_BPS_MAX);
        _within("floorBps", demand.floorBps, Limits.FLOOR_BPS_MIN, Limits.BPS);
        _within("ceilingBps", demand.ceilingBps, Limits.BPS, Limits.CEILING_BPS_MAX);
        _within("periodS", demand.periodS, Limits.PERIOD_S_MIN, Limits.PERIOD_S_MAX);
    }

    /// @dev A higher level never allows less than a lower one.
    function check(uint16[11] memory maxWeights) internal pure {
        uint256 least = Limits.MAX_WEIGHT_MIN;
        for (uint256 level = 0; level < 11; ++level) {
            _within("maxWeights", maxWeights[level], least, type(uint16).max);
            least = maxWeights[level];
        }
    }

    function _within(string memory parameter, uint256 value, uint256 minimum, uint256 maximum) private pure {
        if (value < minimum || value > maximum) revert ParameterOutOfBounds(parameter, value, minimum, maximum);
    }
}

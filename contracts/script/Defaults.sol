// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Appeals, Batching, Demand, Economy, Shares, Slashes, Stakes} from "../src/types/Economy.sol";
import {RoundTimes} from "../src/types/Round.sol";

/// @title The numbers a deployment starts with
/// @notice Those of `src/adapters/chain/economy.ts`.
library Defaults {
    /// @dev For a timelock in production: longer than any task can live.
    uint256 internal constant TIMELOCK_DELAY_S = 4 days;

    /// @dev Seconds of an epoch of checkpoints and rewards, and of its disputes.
    uint40 internal constant EPOCH_S = 1 days;
    uint40 internal constant DISPUTE_S = 6 hours;
    uint40 internal constant RULING_S = 12 hours;
    /// @dev What the first epoch emits and in how many it halves: all together stay below what the cap leaves.
    uint128 internal constant FIRST_EMISSION_WEI = 45_000 ether;
    uint32 internal constant HALVING_EPOCHS = 1461;

    /// @dev How long everything in a network session may take.
    function roundTimes() internal pure returns (RoundTimes memory) {
        return RoundTimes({
            slotS: 600, drawS: 120, createS: 60, prepareS: 60, answerS: 120, revealS: 30, validateS: 60, graceS: 30
        });
    }

    /// @dev All numbers of the economy.
    function economy(address treasury) internal pure returns (Economy memory made) {
        made.shares = Shares({
            treasury: treasury,
            minersBps: 8000,
            validatorsBps: 800,
            routerBps: 700,
            oracleBps: 200,
            quorumBps: 5000,
            challengerBps: 5000
        });
        made.slashes =
            Slashes({outlierWei: 10 ether, unrevealedWei: 20 ether, contradictedWei: 20 ether, coolDownS: 30});
        made.stakes = Stakes({
            clientWei: 0,
            routerWei: 500 ether,
            minerWei: 100 ether,
            validatorWei: 200 ether,
            oracleWei: 200 ether,
            unbondingS: 7 days,
            closedRoles: 0
        });
        made.batching = Batching({posterBondWei: 1000 ether, challengeWindowS: 1 hours, answerWindowS: 10 minutes});
        made.appeals = Appeals({bondWei: 10 ether, windowMaxS: 1 hours, graceS: 30});
        made.demand = Demand({
            bandLowBps: 4000, bandHighBps: 6000, stepBps: 200, floorBps: 5000, ceilingBps: 100_000, periodS: 60
        });
        // A weight without a level's help is at most 1.9: the best score and a stake of all $COR.
        for (uint16 level = 0; level < 11; ++level) {
            made.maxWeights[level] = 2000 + 200 * level;
        }
    }
}

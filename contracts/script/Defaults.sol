// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Appeals, Batching, Demand, Economy, Shares, Slashes, Stakes} from "../src/types/Economy.sol";

/// @title The numbers a deployment starts with
/// @notice Those of `src/adapters/chain/economy.ts`.
library Defaults {
    /// @dev For a timelock in production: longer than any task can live.
    uint256 internal constant TIMELOCK_DELAY_S = 4 days;

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

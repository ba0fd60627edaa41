import type { ContractFunctionArgs } from 'viem';
import type { Address } from '../../core/ids.ts';
import type { parametersAbi } from './abi.ts';

/** All numbers of the economy, as `contracts/src/types/Economy.sol` has them; wei as bigint. */
export type Economy = {
  readonly shares: ContractFunctionArgs<typeof parametersAbi, 'nonpayable', 'setShares'>[0];
  readonly slashes: ContractFunctionArgs<typeof parametersAbi, 'nonpayable', 'setSlashes'>[0];
  readonly stakes: ContractFunctionArgs<typeof parametersAbi, 'nonpayable', 'setStakes'>[0];
  readonly batching: ContractFunctionArgs<typeof parametersAbi, 'nonpayable', 'setBatching'>[0];
  readonly appeals: ContractFunctionArgs<typeof parametersAbi, 'nonpayable', 'setAppeals'>[0];
  readonly demand: ContractFunctionArgs<typeof parametersAbi, 'nonpayable', 'setDemand'>[0];
  readonly maxWeights: ContractFunctionArgs<typeof parametersAbi, 'nonpayable', 'setMaxWeights'>[0];
};

const oneCor = 10n ** 18n;

/** Seconds between a proposal to change parameters and its execution, in production: longer than any task can live. */
export const timelockDelayS = 345_600;

/** The epochs of checkpoints and rewards, and the slots of network sessions, in seconds; wei as bigint. */
export interface Incentives {
  readonly epochS: number;
  readonly disputeS: number;
  readonly rulingS: number;
  readonly firstEmissionWei: bigint;
  readonly halvingEpochs: number;
  readonly roundTimes: {
    readonly slotS: number;
    readonly drawS: number;
    readonly createS: number;
    readonly prepareS: number;
    readonly answerS: number;
    readonly revealS: number;
    readonly validateS: number;
    readonly graceS: number;
  };
}

/** What a deployment starts with of these: those of `contracts/script/Defaults.sol`. */
export const incentives: Incentives = {
  epochS: 86_400,
  disputeS: 21_600,
  rulingS: 43_200,
  firstEmissionWei: 45_000n * oneCor,
  halvingEpochs: 1_461,
  roundTimes: {
    slotS: 600,
    drawS: 120,
    createS: 60,
    prepareS: 60,
    answerS: 120,
    revealS: 30,
    validateS: 60,
    graceS: 30,
  },
};

/** The numbers a deployment starts with: those of `contracts/script/Defaults.sol`. */
export function defaultEconomy(treasury: Address): Economy {
  return {
    shares: {
      treasury,
      minersBps: 8_000,
      validatorsBps: 800,
      routerBps: 700,
      oracleBps: 200,
      quorumBps: 5_000,
      challengerBps: 5_000,
    },
    slashes: {
      outlierWei: 10n * oneCor,
      unrevealedWei: 20n * oneCor,
      contradictedWei: 20n * oneCor,
      coolDownS: 30,
    },
    stakes: {
      clientWei: 0n,
      routerWei: 500n * oneCor,
      minerWei: 100n * oneCor,
      validatorWei: 200n * oneCor,
      oracleWei: 200n * oneCor,
      unbondingS: 604_800,
      closedRoles: 0,
    },
    batching: { posterBondWei: 1_000n * oneCor, challengeWindowS: 3_600, answerWindowS: 600 },
    appeals: { bondWei: 10n * oneCor, windowMaxS: 3_600, graceS: 30 },
    demand: {
      bandLowBps: 4_000,
      bandHighBps: 6_000,
      stepBps: 200,
      floorBps: 5_000,
      ceilingBps: 100_000,
      periodS: 60,
    },
    maxWeights: [2_000, 2_200, 2_400, 2_600, 2_800, 3_000, 3_200, 3_400, 3_600, 3_800, 4_000],
  };
}

import type { SessionTerms } from '../../core/chain-fact.ts';
import { disputeBondWei } from '../../core/checkpoint.ts';
import type { Address, Role } from '../../core/ids.ts';
import { plainTerms } from '../../core/session-terms.ts';
import { addWei, oneCor, timesWei, type Wei, wei, zeroWei } from '../../core/wei.ts';

/** How many nodes of each role a local network has. */
export interface NodeCounts {
  readonly routers: number;
  readonly miners: number;
  readonly validators: number;
  readonly oracles: number;
}

/** What `pouw start` runs. */
export const defaultCounts: NodeCounts = { routers: 2, miners: 5, validators: 2, oracles: 2 };

/** What each node stakes: ten times the minimum, so that a few slashes do not put it out of work. */
export const stakeWei: Readonly<Record<Role, Wei>> = {
  client: wei(0),
  router: timesWei(oneCor, 5_000),
  miner: timesWei(oneCor, 1_000),
  validator: timesWei(oneCor, 2_000),
  oracle: timesWei(oneCor, 2_000),
};

/** The stake of a node that may say another one than {@link stakeWei}, in whole $COR. */
export function stakeOf(role: Role, wholeCor: string | undefined): Wei {
  return wholeCor === undefined ? stakeWei[role] : timesWei(oneCor, Number(wholeCor));
}

/** What a router puts down for the batches it posts: 64 of them can wait for their windows at a time. */
export const batchBondWei = timesWei(oneCor, 6_400);

/** What a miner has beside its stake: ten bonds, for outcomes that it appeals. */
const appealFundsWei = timesWei(oneCor, 100);

/** What an oracle has beside its stake: the bond of a dispute, and as much for the deposits of demands. */
const oracleFundsWei = timesWei(disputeBondWei, 2);

/** What a member of a fresh network is given. */
export function fundsOf(role: Role): Wei {
  if (role === 'client') return demoFundsWei;
  const bonds = { router: batchBondWei, miner: appealFundsWei, oracle: oracleFundsWei };
  const beside: Partial<Readonly<Record<Role, Wei>>> = bonds;
  return addWei(stakeWei[role], beside[role] ?? zeroWei);
}

/** What the demo client is given, and what of it goes into its session. */
export const demoFundsWei = timesWei(oneCor, 1_000_000);
export const demoDepositWei = timesWei(oneCor, 100_000);

/** Parts of a session's terms that a caller may set. */
export type TermsOverrides = Partial<Omit<SessionTerms, 'model' | 'routers'>>;

/** The terms of the demo session. */
export function defaultTerms(model: string, routers: readonly Address[], overrides: TermsOverrides = {}): SessionTerms {
  return {
    ...plainTerms,
    model,
    redundancy: 3,
    validators: 2,
    // `npm run bench -- --only similarity`: above every cosine measured between honest and random text (0.49). Greedy
    // answers agree at any threshold; sampled ones part ways at all of them, see docs/performance.md.
    similarityBps: 5_000,
    level: 1,
    routerMaySubmit: true,
    maxTaskPriceWei: timesWei(oneCor, 5),
    promptTokenWei: wei(10n ** 14n),
    outputTokenWei: wei(5n * 10n ** 14n),
    queueTimeoutS: 60,
    ackTimeoutS: 10,
    executeTimeoutS: 120,
    revealTimeoutS: 20,
    validateTimeoutS: 30,
    routers,
    ...overrides,
  };
}

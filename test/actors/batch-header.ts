import type { BatchHeader } from '../../src/core/batch/rules.ts';
import { wei } from '../../src/core/wei.ts';
import { bob, bytes32, router } from './chain-facts.ts';

/** The header of a batch of one task that pays nobody. */
export const batchHeader: BatchHeader = {
  poster: router,
  tasks: 1,
  payments: 0,
  place: 0,
  postedBlock: 1,
  demandsUntil: 0,
  bondWei: wei(100),
  precommitRoot: bytes32(0),
  revealRoot: bytes32(0),
  outcomeRoot: bytes32(0),
  paymentRoot: bytes32(0),
  rates: { treasury: bob, minersBps: 8_000, validatorsBps: 800, routerBps: 700 },
  sessions: [],
};

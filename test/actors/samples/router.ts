import { wei } from '../../../src/core/wei.ts';
import type { BatchHeader } from '../../../src/core/batch/rules.ts';
import type { RouterEvent } from '../../../actors/router/events.ts';
import { alice, bob, bytes32, genesisAt, router, seen, task } from '../chain-facts.ts';
import { manifest } from './task.ts';

const anchor = { root: bytes32(5), manifest, commits: 12 } as const;

const started = { type: 'RouterStarted', router } as const;
const draining = { type: 'RouterDraining' } as const;
const joined = { type: 'NodeJoined', node: alice, roles: ['miner'], stakeWei: wei(500), seen: seen(1) } as const;

/** What a router hears about a node. */
export const nodeEvents: readonly RouterEvent[] = [
  started,
  draining,
  joined,
  { type: 'NodeActivitySet', node: alice, active: false, seen: seen(2) },
  { type: 'NodeSlashed', node: alice, amountWei: wei(300), logIndex: 0, seen: seen(7) },
  { type: 'NodeSeen', node: alice, models: ['pebble-chat'] },
  { type: 'NodeLost', node: alice },
  { type: 'NodeBackedOff', node: alice, failures: 1, coolDownUntil: genesisAt + 5_000, reason: 'timed out' },
];

/** How a node may be chosen, by the registry and the parameters. */
export const registryEvents: readonly RouterEvent[] = [
  started,
  draining,
  joined,
  { type: 'NodeServes', node: alice, model: 'pebble-chat', seen: seen(7) },
  { type: 'NodeDropsModel', node: alice, model: 'pebble-chat', seen: seen(8) },
  { type: 'NodeRests', node: alice, restUntil: genesisAt + 30_000, seen: seen(8) },
  { type: 'NodeLevelled', node: alice, level: 3, seen: seen(8) },
  { type: 'WeightsBounded', maxWeights: [2_000, 2_200], seen: seen(8) },
  { type: 'AccountListed', account: bob, listing: 'refused', seen: seen(9) },
  { type: 'AccountListed', account: bob, listing: null, seen: seen(9) },
  { type: 'OthersRuled', served: false, seen: seen(9) },
];

/** What becomes of tasks and of the log. */
export const taskEvents: readonly RouterEvent[] = [
  started,
  draining,
  joined,
  { type: 'LoadTaken', task, miners: [alice], seen: seen(3) },
  { type: 'LoadMoved', task, miner: alice, replacement: bob, seen: seen(4) },
  { type: 'LoadReleased', task, seen: seen(5) },
  { type: 'OutcomeRecorded', task, honest: [alice], outliers: [], timedOut: [], tokensPerSecond: { [alice]: 12 } },
  { type: 'AnchorProposed', ...anchor },
  { type: 'AnchorSeen', ...anchor, epoch: 1, by: router, seen: seen(6) },
  { type: 'AnchorFailed', code: 'chain_reverted', reason: 'NodeNotActive' },
];

const header: BatchHeader = {
  poster: router,
  tasks: 1,
  payments: 0,
  place: 0,
  postedBlock: 8,
  demandsUntil: 0,
  bondWei: wei(100),
  precommitRoot: bytes32(10),
  revealRoot: bytes32(0),
  outcomeRoot: bytes32(0),
  paymentRoot: bytes32(0),
  rates: { treasury: bob, minersBps: 8_000, validatorsBps: 800, routerBps: 700 },
  sessions: [],
};

/** A batch on its way. */
export const batchEvents: readonly RouterEvent[] = [
  started,
  draining,
  { type: 'BatchBegun', number: 0, root: bytes32(10), shares: [], leaves: manifest },
  { type: 'BatchDropped', number: 0, reason: 'BondTooLow' },
  { type: 'BatchPrecommitsSeen', number: 0, batch: 1, header, seen: seen(8) },
  { type: 'BatchRevealsBound', number: 0, root: bytes32(11), reveals: manifest },
  { type: 'BatchRevealsSeen', number: 0, header, seen: seen(9) },
  {
    type: 'BatchOutcomesBound',
    number: 0,
    outcomeRoot: bytes32(12),
    paymentRoot: bytes32(13),
    payments: 1,
    drawnWei: [wei(5)],
    paid: { [alice]: { totalWei: wei(5), batch: 1 } },
    outcomes: manifest,
  },
  { type: 'BatchOutcomesSeen', number: 0, header, dueAt: genesisAt, seen: seen(10) },
  { type: 'BatchEnding', number: 0 },
  { type: 'BatchEnded', number: 0, fault: null, seen: seen(11) },
  { type: 'BatchEnded', number: 0, fault: 'WrongReveal', seen: seen(11) },
];

/** All of them, with another miner, and stake that has no end. */
export const allRouterEvents: readonly RouterEvent[] = [
  ...nodeEvents,
  ...registryEvents,
  ...taskEvents,
  ...batchEvents,
  { type: 'NodeStakeAdded', node: alice, amountWei: wei(100), logIndex: 1, seen: seen(7) },
  { ...joined, node: bob },
];

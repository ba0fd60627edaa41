import fc from 'fast-check';
import { type LineEntry, noBatches, type OpenBatch } from '../../actors/router/batches.ts';
import type { RouterContext } from '../../actors/router/context.ts';
import type { RouterCommand } from '../../actors/router/decide.ts';
import type { Reputation } from '../../actors/router/reputation.ts';
import { batchHeader } from './batch-header.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { cidToDigest, contentCid } from '../../src/core/cid.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { type Address, taskId } from '../../src/core/ids.ts';
import { wei, zeroWei } from '../../src/core/wei.ts';
import type { ActorRun } from './actor-run.ts';
import { address, alice, bob, bytes32, carol, client, dave, fact, olga, router, session, vera } from './chain-facts.ts';

/** A router in memory. */
export type RouterRun = ActorRun<RouterContext, RouterCommand>;
type Paid = { readonly [account: Address]: LineEntry };
/** The book as the test keeps it: stakes and reputations by what was said, and the payments of batches that stand. */
export type ExpectedBook = {
  readonly stakes: Map<Address, { amount: bigint; block: number }>;
  readonly reputations: Map<Address, Reputation>;
  line: { readonly number: number; readonly paid: Paid }[];
};
/** What the chain and the router's own desk say next of a batch, of a task or of the log. */
type Next = { readonly of: 'batch' | 'task' | 'log'; readonly place: number; readonly turn: number };
/** What is said to a router: a command, a fact, or what comes next. */
export type WantedOfRouter =
  | RouterCommand
  | { readonly about: ChainFactBody; readonly block?: number }
  | { readonly next: Next };

const nodes = [alice, bob, carol, dave, vera] as const;
const tasks = [1, 2, 3, 4, 5].map((value) => taskId(session, bytes32(value)));
const cid = contentCid('content');
const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
/** The registry has a node. */
export const joined = (node: Address): ChainFactBody => {
  const rest = { number: 1, key: bytes32(1), stakeWei: wei(500), metadataUri: '' } as const;
  return { type: 'NodeRegistered', node, roles: node === client ? ['client'] : ['miner'], ...rest };
};
/** The chain says something in a block. */
export const see = (inBlock: number, body: ChainFactBody): RouterCommand => ({
  type: 'SeeFact',
  fact: fact(inBlock, body),
});

/** What a batch pays: more to an account or two than the line has paid so far. */
function payments(line: Paid, batch: number, turn: number): Paid {
  const accounts = [nodes[turn % 3]!, nodes[(turn + batch) % 3]!];
  return Object.fromEntries(
    accounts.map((account) => {
      const before = BigInt(line[account]?.totalWei ?? zeroWei);
      return [account, { totalWei: wei(before + BigInt(turn + 1)), batch }];
    }),
  );
}

/** Whether the chain has the outcomes of a batch. */
export const isPosted = ({ step }: OpenBatch) => step === 'posted' || step === 'finalising';
const isOnLine = (batch: OpenBatch) => !batch.isOrphan && isPosted(batch);
const placeOf = ({ header: known }: OpenBatch) => known?.place ?? 0;

function nextOfBatch(
  { batches = noBatches }: RouterContext,
  { place, turn }: Next,
  { line }: ExpectedBook,
): RouterCommand | ChainFactBody {
  const open: readonly OpenBatch[] = Object.values(batches.open);
  const known = open[place % 4];
  const begin: RouterCommand = { type: 'BeginBatch', root: bytes32(100 + batches.begun), shares: [], leaves: cid };
  if (known === undefined) return begin;
  const { number, batch } = known;
  const roots = { outcomeRoot: bytes32(3), paymentRoot: bytes32(4), payments: 1, drawnWei: [] } as const;
  // One whose next roots do not come in time never stands in the line.
  const isLate = known.step !== 'begun' && !isOnLine(known) && !known.isOrphan && turn === 13;
  if (isLate) return { type: 'BatchVoid', batch, fault: 'Late', challenger: bob };
  switch (known.step) {
    case 'begun': {
      if (turn % 5 === 0) return { type: 'DropBatch', number, reason: 'BondTooLow' };
      const begun = { batch: number + 1, poster: router, manifestDigest: bytes32(1) } as const;
      return { type: 'BatchPrecommitted', ...begun, header: { ...batchHeader, precommitRoot: known.root } };
    }
    case 'precommitted':
      return { type: 'BindReveals', number, root: bytes32(2), reveals: cid };
    case 'showing':
      return { type: 'BatchRevealed', batch, manifestDigest: bytes32(2), root: bytes32(2) };
    case 'revealed': {
      const lineVersion = batches.lineVersion - (turn % 7 === 0 ? 1 : 0);
      return {
        type: 'BindOutcomes',
        number,
        lineVersion,
        ...roots,
        paid: payments(batches.line, batch, turn),
        outcomes: cid,
      };
    }
    case 'ending': {
      const linePlace = line.findIndex((one) => one.number === number);
      return { type: 'BatchPosted', batch, manifestDigest: bytes32(3), linePlace, ...roots };
    }
    default: {
      if (known.isOrphan || turn % 3 === 0)
        return { type: 'BatchVoid', batch, fault: known.isOrphan ? 'Orphan' : 'WrongReveal', challenger: bob };
      const isEnding = known.step === 'posted' && turn % 2 === 0;
      // They become final in the order of the line.
      if (isEnding || open.some((other) => isOnLine(other) && placeOf(other) < placeOf(known)))
        return { type: 'EndBatch', number };
      return { type: 'BatchFinal', batch, drawnWei: wei(5) };
    }
  }
}

function nextOfTask(
  { assignments, nodes: known }: RouterContext,
  { place, turn }: Next,
): RouterCommand | ChainFactBody {
  const task = tasks[place % tasks.length]!;
  const miners = assignments[task];
  const about = { session, task } as const;
  const joinedNodes = Object.keys(known) as Address[];
  const rest = { beaconBlock: 2, beacon: bytes32(2), selectionDigest: bytes32(3), ackBy: 0 } as const;
  if (miners === undefined) {
    const chosen = joinedNodes.slice(turn % 2, (turn % 2) + 2);
    if (turn % 3 !== 0) return { type: 'MinersAssigned', ...about, miners: chosen, validators: [vera], ...rest };
    const [first, ...others] = joinedNodes.toSorted((a, b) => ((turn >> 2) % 2 === 0 ? 1 : -1) * (a < b ? -1 : 1));
    const [found, late] = turn % 2 === 0 ? [others.slice(0, 1), others.slice(1, 2)] : [[], others];
    const honest = first === undefined ? [] : [first];
    const tokensPerSecond = first === undefined ? {} : { [first]: turn };
    return { type: 'RecordOutcome', task, honest, outliers: found, timedOut: late, tokensPerSecond };
  }
  const [miner] = miners;
  if (miner !== undefined && turn % 3 === 0) {
    const replacement = joinedNodes.find((node) => !miners.includes(node)) ?? null;
    return { type: 'MinerReassigned', ...about, miner, replacement, attempt: 1, oracle: olga, ackBy: 0 };
  }
  if (turn % 3 === 1) return { type: 'TaskRefunded', ...about, returnedWei: zeroWei, reason: 'expired' };
  return {
    type: 'TaskSettled',
    ...about,
    priceWei: wei(1),
    returnedWei: zeroWei,
    payments: [],
    manifestDigest: bytes32(9),
  };
}

function nextOfLog({ pendingAnchor, lastAnchor }: RouterContext, { turn }: Next): RouterCommand | ChainFactBody {
  if (pendingAnchor === null) return { type: 'AnchorDue', root: bytes32(turn), manifest: cid, commits: turn };
  if (turn % 4 === 0)
    return { type: 'EffectFailed', effect: 'anchorOnChain', code: 'chain_reverted', reason: 'NotDue' };
  if (turn % 4 === 1) return { type: 'AnchorDue', root: bytes32(turn + 50), manifest: cid, commits: turn };
  const { root, commits } = pendingAnchor;
  const by = turn % 3 === 0 ? address(0x41) : router;
  return {
    type: 'LogAnchored',
    epoch: (lastAnchor?.epoch ?? 0) + 1,
    by,
    root,
    manifestDigest: cidToDigest(cid),
    commits,
  };
}

const anyNode = pick(alice, alice, alice, bob, ...nodes);
const models = pick([], ['pebble-chat'], ['pebble-chat', 'other'], ['a', 'b', 'c']);
const amountWei = pick(wei(1), wei(200), wei(700));
const about = (body: fc.Arbitrary<ChainFactBody>): fc.Arbitrary<WantedOfRouter> => body.map((one) => ({ about: one }));
const stake = fc.tuple(anyNode, amountWei, fc.boolean()).map(([node, amount, isAdded]): ChainFactBody => {
  if (isAdded) return { type: 'StakeAdded', node, amountWei: amount };
  return { type: 'StakeSlashed', node, ref: bytes32(1), amountWei: amount, reason: 'outlier' };
});
/** Commands and facts in any order, also such as do not fit. */
export const noise: fc.Arbitrary<WantedOfRouter> = fc.oneof(
  fc.record({ type: pick('StartRouter' as const), router: pick(router, router, address(0x41)) }),
  pick({ type: 'DrainRouter' } as const),
  fc.record({ type: pick('SeeNode' as const), node: anyNode, models }),
  fc.record({ type: pick('LoseNode' as const), node: anyNode }),
  fc.record({ type: pick('ReportFailure' as const), node: anyNode, reason: pick('no answer') }),
  fc.record({ type: pick('DropBatch' as const, 'EndBatch' as const), number: fc.nat(2), reason: pick('late') }),
  about(pick(...nodes, client).map(joined)),
  about(fc.record({ type: pick('NodeActiveSet' as const), node: anyNode, active: fc.boolean() })),
  about(stake),
  // One that is older than those that were seen.
  stake.map((one) => ({ about: one, block: 2 })),
  about(fc.record({ type: pick('ModelServed' as const), node: anyNode, model: pick('pebble-chat', 'other') })),
  about(anyNode.map((node) => ({ type: 'ModelDropped', node, modelHash: keccak256('pebble-chat') }))),
  about(fc.record({ type: pick('NodeCooledDown' as const), node: anyNode, coolUntilAt: fc.nat(9_000) })),
  about(fc.record({ type: pick('NodeLevelSet' as const), node: anyNode, level: fc.nat(10) })),
  about(fc.record({ type: pick('MaxWeightsSet' as const), maxWeights: pick([2_000, 2_200], [1_000, 1_100]) })),
  about(
    fc.record({
      type: pick('AccessSet' as const),
      router: pick(router, router, address(0x41)),
      account: pick(alice, client),
      access: pick('unlisted' as const, 'served' as const, 'refused' as const),
    }),
  ),
  about(
    fc.record({ type: pick('ExclusiveSet' as const), router: pick(router, address(0x41)), exclusive: fc.boolean() }),
  ),
  about(pick({ type: 'SessionDraining', session } as const)),
);
/** What comes next of something that goes on. */
export const next = fc
  .record({
    of: pick('batch' as const, 'batch' as const, 'task' as const, 'log' as const),
    place: fc.nat(19),
    turn: fc.nat(30),
  })
  .map((one) => ({ next: one }));

const commandTypes: ReadonlySet<string> = new Set<RouterCommand['type']>([
  'BeginBatch',
  'DropBatch',
  'BindReveals',
  'BindOutcomes',
  'EndBatch',
  'RecordOutcome',
  'AnchorDue',
  'EffectFailed',
]);

/** The command that is wanted of a router in the state as it is. */
export function commandFor(
  { state: { context } }: RouterRun,
  wanted: WantedOfRouter,
  inBlock: number,
  expected: ExpectedBook,
): RouterCommand | undefined {
  if ('about' in wanted) return see(wanted.block ?? inBlock, wanted.about);
  if (!('next' in wanted)) return wanted;
  const { of } = wanted.next;
  if (of === 'batch') return toldIn(inBlock, nextOfBatch(context, wanted.next, expected));
  return toldIn(inBlock, of === 'task' ? nextOfTask(context, wanted.next) : nextOfLog(context, wanted.next));
}

function toldIn(inBlock: number, said: RouterCommand | ChainFactBody): RouterCommand {
  return commandTypes.has(said.type) ? (said as RouterCommand) : see(inBlock, said as ChainFactBody);
}

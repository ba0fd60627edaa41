import { type CandidateQuery, candidates } from '../../../actors/router/candidates.ts';
import type { RouterContext } from '../../../actors/router/context.ts';
import type { SessionContext } from '../../../actors/session/context.ts';
import type { SessionCommand } from '../../../actors/session/decide.ts';
import type { SelectMiners } from '../../../actors/task/effects.ts';
import { present } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import { type Address, type EffectId, parseStreamId, type SessionId } from '../../core/ids.ts';
import { rankByRendezvous, type WeightedNode } from '../../core/selection.ts';
import type { Block } from '../../ports/chain.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { Presence } from '../presence.ts';
import type { SessionRuntime } from './session-effects.ts';

/** The contract sees block hashes this far back; a beacon older than that is drawn anew. */
const beaconAgeBlocksMax = 200;

/** What a selection is made from, beside the session. */
export interface SelectionDesk {
  readonly book: () => Promise<RouterContext>;
  readonly presence: Presence;
  /** Runs one selection at a time: each sees the load of the ones before it. */
  readonly alone: (run: () => Promise<void>) => Promise<void>;
}

/** Chooses miners and validators for a task and tells its session, which recomputes the choice. */
export async function selectMiners(
  runtime: SessionRuntime,
  desk: SelectionDesk,
  effect: SelectMiners,
  { id, stream, signal }: EffectContext,
): Promise<void> {
  const session = parseStreamId(stream).key as SessionId;
  const { context } = await runtime.session(session);
  const folded = context.tasks[effect.task];
  if (folded?.value !== 'queued' || folded.context.selected || folded.context.cancelRequested) return;
  // A beacon that was refused once is too old, or the node was restarted and forgot its hashes: take a new block.
  const { chain } = runtime.base.ports;
  const afterBlock = folded.context.selections > 0 ? (await chain.block()).number : effect.afterBlock;
  const beacon = await beaconAfter(runtime, afterBlock, signal);
  await desk.alone(() => selectAlone(runtime, desk, { effect, session, beacon, id }));
}

interface Selecting {
  readonly effect: SelectMiners;
  readonly session: SessionId;
  readonly beacon: Block;
  readonly id: EffectId;
}

async function selectAlone(
  runtime: SessionRuntime,
  { book, presence }: SelectionDesk,
  { effect, session, beacon, id }: Selecting,
): Promise<void> {
  const { task, redundancy, validators } = effect;
  const { context } = await runtime.session(session);
  const now = runtime.base.ports.clock.now();
  const known = await book();
  const exclude = [...(context.tasks[task]?.context.timedOut ?? []), ...fullMiners(known, context, presence)];
  const allowed = present(context.terms, 'terms').dedicatedMiners;
  const minerCandidates = enough(known, { role: 'miner', model: effect.model, allowed, exclude, now }, redundancy);
  const validatorCandidates = enough(
    known,
    { role: 'validator', model: null, allowed: [], exclude: [], now },
    validators,
  );
  if (minerCandidates.length < redundancy && isServed(known, effect.model))
    throw tooFew('miners', minerCandidates.length, redundancy);
  if (validatorCandidates.length < validators) throw tooFew('validators', validatorCandidates.length, validators);
  const ranking = rankByRendezvous(beacon.hash, task, minerCandidates);
  const proof = await runtime.base.ports.content.put({
    kind: 'selection',
    v: 1,
    task,
    beaconBlock: beacon.number,
    beacon: beacon.hash,
    candidates: minerCandidates,
    validatorCandidates,
    ranking,
  });
  await runtime.base.ports.content.flush();
  const command: SessionCommand = {
    type: 'ChooseMiners',
    task,
    beaconBlock: beacon.number,
    beacon: beacon.hash,
    candidates: minerCandidates,
    validatorCandidates,
    proof,
  };
  await runtime.dispatch(session, command, id);
}

/** Miners with as many jobs as they take: the book's, and those chosen here that are not on chain yet. */
function fullMiners({ nodes }: RouterContext, { tasks }: SessionContext, presence: Presence): Address[] {
  const coming = Object.values(tasks).flatMap(({ value, context }) =>
    value === 'queued' && context.selected ? context.ranking.slice(0, context.redundancy) : [],
  );
  const load = (miner: Address): number => (nodes[miner]?.load ?? 0) + coming.filter((one) => one === miner).length;
  return (Object.keys(nodes) as Address[]).filter(
    (node) => nodes[node]?.role === 'miner' && load(node) >= presence.capacity(node),
  );
}

/**
 * The candidates, those that cool down left out while the others are enough. Where they are not, the ones that
 * have cooled longest come back: a small network with one bad node still works.
 */
function enough(book: RouterContext, query: CandidateQuery, wanted: number): WeightedNode[] {
  const rested = candidates(book, query);
  if (rested.length >= wanted) return rested;
  const coolUntil = ({ node }: WeightedNode): number => book.nodes[node]?.coolDownUntil ?? 0;
  const cooling = candidates(book, { ...query, now: Number.MAX_SAFE_INTEGER })
    .filter(({ node }) => !rested.some((one) => one.node === node))
    .toSorted((a, b) => coolUntil(a) - coolUntil(b));
  return [...rested, ...cooling.slice(0, wanted - rested.length)].toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

/** Whether any registered miner, alive or not, is known to serve the model: then waiting may help. */
function isServed({ nodes }: RouterContext, model: string): boolean {
  return Object.values(nodes).some(
    (node) => node.role === 'miner' && node.active && (node.models.includes(model) || node.models.length === 0),
  );
}

/** The task waits in its queue: the effect is tried again until there are enough, or the queue time is over. */
function tooFew(who: 'miners' | 'validators', there: number, wanted: number): PouwError {
  return new PouwError('no_miners', `${there} live ${who}, ${wanted} wanted.`, {
    class: 'unavailable',
    why: 'Others are down, cooling down or not registered.',
  });
}

/** The hash of the first block after the submission; nobody knew it when the task was submitted. */
async function beaconAfter({ base }: SessionRuntime, afterBlock: number, signal: AbortSignal): Promise<Block> {
  const { chain } = base.ports;
  const newest = await chain.waitForBlock(afterBlock + 1, signal);
  const age = newest.number - afterBlock;
  return age === 1 || age > beaconAgeBlocksMax ? newest : chain.block(afterBlock + 1);
}

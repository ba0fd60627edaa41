import { type CandidateQuery, candidates } from '../../../actors/router/candidates.ts';
import type { RouterContext } from '../../../actors/router/context.ts';
import type { SessionCommand } from '../../../actors/session/decide.ts';
import type { SelectMiners } from '../../../actors/task/effects.ts';
import { present } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import { parseStreamId, type SessionId } from '../../core/ids.ts';
import { rankByRendezvous, type WeightedNode } from '../../core/selection.ts';
import type { Block } from '../../ports/chain.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { SessionRuntime } from './session-effects.ts';

/** The contract sees block hashes this far back; a beacon older than that is drawn anew. */
const beaconAgeBlocksMax = 200;

/** Chooses miners and validators for a task and tells its session, which recomputes the choice. */
export async function selectMiners(
  runtime: SessionRuntime,
  book: () => Promise<RouterContext>,
  effect: SelectMiners,
  { id, stream, signal }: EffectContext,
): Promise<void> {
  const session = parseStreamId(stream).key as SessionId;
  const { task, redundancy, validators } = effect;
  const { context } = await runtime.session(session);
  const folded = context.tasks[task];
  if (folded?.value !== 'queued' || folded.context.selected || folded.context.cancelRequested) return;
  // A beacon that was refused once is too old, or the node was restarted and forgot its hashes: take a new block.
  const { chain } = runtime.base.ports;
  const afterBlock = folded.context.selections > 0 ? (await chain.block()).number : effect.afterBlock;
  const beacon = await beaconAfter(runtime, afterBlock, signal);
  const now = runtime.base.ports.clock.now();
  const known = await book();
  const exclude = folded.context.timedOut;
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

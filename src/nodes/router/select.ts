import { isServed } from '../../../actors/router/access.ts';
import { nodeWeight } from '../../../actors/router/candidates.ts';
import type { RouterContext } from '../../../actors/router/context.ts';
import type { SessionCommand } from '../../../actors/session/decide.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type { SelectMiners } from '../../../actors/task/effects.ts';
import { present } from '../../core/assert.ts';
import { errorCode, PouwError } from '../../core/errors.ts';
import { type Address, type EffectId, parseStreamId, type SessionId } from '../../core/ids.ts';
import { rankByRendezvous, type WeightedNode } from '../../core/selection.ts';
import { allowedFor } from '../../core/session-terms.ts';
import type { Block } from '../../ports/chain.ts';
import type { Inference } from '../../ports/inference.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { Presence } from '../presence.ts';
import { readPrompt } from '../step-prompt.ts';
import { type Eligibility, eligible, fullMiners, isModelServed, reservedFirst } from './eligible.ts';
import type { OfferDesk } from './offer-desk.ts';
import type { SessionRuntime } from './session-effects.ts';

/** The contract sees block hashes this far back; a beacon older than that is drawn anew. */
const beaconAgeBlocksMax = 200;

/** What a selection is made from, beside the session. */
export interface SelectionDesk {
  readonly book: () => Promise<RouterContext>;
  readonly presence: Presence;
  /** Counts the tokens of a step's prompt. */
  readonly inference: Inference;
  /** Where miners claim their places; undefined where they are drawn. */
  readonly offers: OfferDesk | undefined;
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
  if (folded.context.after !== undefined && !(await fits(runtime, desk, folded.context, signal)))
    return runtime.dispatch(session, { type: 'CancelTask', task: effect.task, reason: 'step_prompt_too_long' }, id);
  if (context.client !== null && !isServed(await desk.book(), context.client))
    return runtime.dispatch(session, { type: 'CancelTask', task: effect.task, reason: 'client_not_served' }, id);
  const byClaims = desk.offers !== undefined && isModelServed(await eligibilityOf(desk), effect.model);
  if (byClaims) await desk.offers.gather(session, effect.task, id);
  // A beacon that was refused once is too old, or the node was restarted and forgot its hashes: take a new block.
  const { chain } = runtime.base.ports;
  const afterBlock = folded.context.selections > 0 ? (await chain.block()).number : effect.afterBlock;
  const beacon = await beaconAfter(runtime, afterBlock, signal);
  const reserved = await reservedNow(runtime, session, folded.context.dedicated);
  await desk.alone(() => selectAlone(runtime, desk, { effect, session, beacon, id, byClaims, reserved }));
}

/** How long the results that a step is made of may take to arrive. */
const contentTimeoutMs = 10_000;

/** Whether the prompt of a step, which is known only now, leaves its model room for an answer. */
async function fits(
  { base }: SessionRuntime,
  { inference }: SelectionDesk,
  { task, prompt, model }: TaskContext,
  signal: AbortSignal,
): Promise<boolean> {
  const { chain, content } = base.ports;
  const contextTokens = inference.models().find(({ id }) => id === model)?.contextTokens;
  try {
    const asked = await readPrompt({ chain, content }, task, prompt, { timeoutMs: contentTimeoutMs, signal });
    if (asked.kind !== 'prompt' || contextTokens === undefined) return true;
    return (await inference.countTokens(model, asked.prompt)) < contextTokens;
  } catch (error) {
    if (errorCode(error) === 'step_prompt_too_long') return false;
    throw error;
  }
}

interface Selecting {
  readonly effect: SelectMiners;
  readonly session: SessionId;
  readonly beacon: Block;
  readonly id: EffectId;
  /** Whether the miners are those that have claimed the places. */
  readonly byClaims: boolean;
  /** Those that the session pays for being there. */
  readonly reserved: readonly Address[];
}

/**
 * The miners that a session has reserved and whose time is not over. The chain is asked, and only where the terms reserve
 * anybody: what it says now is in the log with the candidates' weights.
 */
async function reservedNow(
  runtime: SessionRuntime,
  session: SessionId,
  isDedicated: boolean | undefined,
): Promise<readonly Address[]> {
  const { terms } = (await runtime.session(session)).context;
  if (terms === null || terms.reservePeriodS === 0 || isDedicated === true) return [];
  const { chain, clock } = runtime.base.ports;
  const now = clock.now();
  return (await chain.reservations(session)).flatMap(({ miner, reservedUntil }) =>
    now < reservedUntil ? [miner] : [],
  );
}

async function eligibilityOf({ book, presence }: SelectionDesk): Promise<Eligibility> {
  return { book: await book(), presence };
}

async function selectAlone(
  runtime: SessionRuntime,
  desk: SelectionDesk,
  { effect, session, beacon, id, byClaims, reserved }: Selecting,
): Promise<void> {
  const { task, redundancy, validators } = effect;
  const { context } = await runtime.session(session);
  const folded = context.tasks[task]?.context;
  const now = runtime.base.ports.clock.now();
  const known = await eligibilityOf(desk);
  const came = byClaims ? (folded?.claims ?? []).map(({ miner }) => miner) : [];
  const exclude = [...(folded?.timedOut ?? []), ...came, ...fullMiners(known, context)];
  const allowed = allowedFor(folded?.dedicated === true, present(context.terms, 'terms'));
  const wanted = redundancy - came.length;
  const found = eligible(known, { role: 'miner', model: effect.model, allowed, exclude, now }, wanted);
  const others = reservedFirst(found, reserved);
  if (others.length < wanted && isModelServed(known, effect.model))
    throw tooFew('miners', came.length + others.length, redundancy);
  const minerCandidates = [...came.map((node) => weighed(known, node)), ...others].toSorted(byAddress);
  const anyValidator = { role: 'validator', model: null, allowed: [], exclude: [], now } as const;
  const validatorCandidates = eligible(known, anyValidator, validators);
  if (validatorCandidates.length < validators) throw tooFew('validators', validatorCandidates.length, validators);
  const drawn = rankByRendezvous(beacon.hash, task, minerCandidates);
  const ranking = [...came, ...drawn.filter((miner) => !came.includes(miner))];
  const scheme = byClaims ? ({ scheme: 'first-come' } as const) : {};
  const proof = await runtime.base.ports.content.put({
    kind: 'selection',
    v: 1,
    ...scheme,
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
    ...scheme,
    task,
    beaconBlock: beacon.number,
    beacon: beacon.hash,
    candidates: minerCandidates,
    validatorCandidates,
    proof,
  };
  await runtime.dispatch(session, command, id);
}

/** A miner that came, with the weight it would have been drawn by. */
function weighed({ book }: Eligibility, node: Address): WeightedNode {
  return { node, weight: nodeWeight(book, present(book.nodes[node], `what is known of ${node}`)) };
}

function byAddress(a: WeightedNode, b: WeightedNode): number {
  return a.node < b.node ? -1 : 1;
}

/** The task waits in its queue: the effect is tried again until there are enough, or the queue time is over. */
function tooFew(who: 'miners' | 'validators', there: number, wanted: number): PouwError {
  return new PouwError('no_miners', `${there} ${who} are free, ${wanted} wanted.`, {
    class: 'unavailable',
    why: 'The others have as much work as they take, are down, cool down or are not registered.',
  });
}

/** The hash of the first block after the submission; nobody knew it when the task was submitted. */
async function beaconAfter({ base }: SessionRuntime, afterBlock: number, signal: AbortSignal): Promise<Block> {
  const { chain } = base.ports;
  const newest = await chain.waitForBlock(afterBlock + 1, signal);
  const age = newest.number - afterBlock;
  return age === 1 || age > beaconAgeBlocksMax ? newest : chain.block(afterBlock + 1);
}

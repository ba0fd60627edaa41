import { isPast } from '../../../actors/session/chain-memory.ts';
import type { SessionCommand } from '../../../actors/session/decide.ts';
import { endedUnsent, taskOf } from '../../../actors/session/tasks.ts';
import type { SubmitTask } from '../../../actors/session/submit.ts';
import type { TaskFact } from '../../../actors/task/decide.ts';
import type { MinerScore } from '../../../actors/task/events.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { digestToCid } from '../../core/cid.ts';
import { errorCode } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { SessionId } from '../../core/ids.ts';
import { type AskedContent, askedContent, reportContent } from '../../messages/bodies.ts';
import type { ContentStore } from '../../ports/content-store.ts';
import type { SessionRuntime } from './session-effects.ts';

/** How long prompts and reports of others may take to arrive from the content network. */
const contentTimeoutMs = 5_000;

type SessionFact = Extract<ChainFact, { readonly session: SessionId }>;

/** The session a fact is about; undefined for the others. */
export function sessionOf(fact: ChainFact): SessionId | undefined {
  return 'session' in fact ? fact.session : undefined;
}

/** Names the place of a fact, as the cause of the commits it leads to. */
export function causeOf({ place }: ChainFact): string {
  return `chain:${place.txHash}:${place.logIndex}`;
}

/**
 * Tells a session what the chain says about it. What a fact names only by digest is fetched first, so that
 * the decision has it as data.
 */
export async function seeSessionFact(runtime: SessionRuntime, fact: SessionFact): Promise<void> {
  const dispatch = (command: SessionCommand): Promise<void> => runtime.dispatch(fact.session, command, causeOf(fact));
  switch (fact.type) {
    case 'SessionOpened':
    case 'SessionDeposited':
    case 'SessionUpdated':
    case 'SessionTransferred':
    case 'SessionDeactivated':
    case 'SessionReactivated':
    case 'SessionRouterAdded':
    case 'SessionRouterRemoved':
    case 'SessionMinerAdded':
    case 'SessionMinerRemoved':
    case 'SessionDraining':
    case 'SessionClosed':
      return dispatch({ type: 'SeeSessionFact', fact });
    case 'TaskSubmitted':
      return seeSubmission(runtime, fact, dispatch);
    case 'TaskRevealed':
      return dispatch({
        type: 'SeeTaskFact',
        fact,
        streamed: runtime.feeds.compare(fact.task, fact.miner, fact.resultRoot),
      });
    case 'MinerReassigned': {
      const delivered = runtime.feeds.delivered(fact.task, fact.miner);
      return dispatch({ type: 'SeeTaskFact', fact, ...(delivered === undefined ? {} : { delivered }) });
    }
    case 'ResultValidated':
      return dispatch({
        type: 'SeeTaskFact',
        fact,
        scores: await scoresOf(runtime.base.ports.content, fact.reportDigest, runtime.base.stopping),
      });
    default:
      return dispatch({ type: 'SeeTaskFact', fact: fact as TaskFact });
  }
}

/** A task that a client put on chain itself is taken as it is; one whose prompt is of no use is given back. */
async function seeSubmission(
  runtime: SessionRuntime,
  fact: Extract<ChainFact, { type: 'TaskSubmitted' }>,
  dispatch: (command: SessionCommand) => Promise<void>,
): Promise<void> {
  const { context } = await runtime.session(fact.session);
  const known = taskOf(context, fact.task);
  if (known !== undefined && !endedUnsent(known)) return dispatch({ type: 'SeeTaskFact', fact });
  // It has ended and is forgotten: its prompt need not be read to know that.
  if (isPast(context, fact.place.block)) return undefined;
  const asked = await readTask(runtime, fact.promptDigest);
  await dispatch({
    type: 'SubmitTask',
    requestId: fact.requestId,
    by: fact.by,
    prompt: digestToCid(fact.promptDigest),
    promptTokens: 0,
    maxTokens: fact.maxTokens,
    ...(typeof asked === 'string' ? {} : { model: asked.model }),
    ...placeOf(fact, asked),
    maxPriceWei: null,
    onChain: { escrowWei: fact.maxPriceWei, place: fact.place },
  });
  const refusal = typeof asked === 'string' ? asked : refusalOf(asked, context.terms?.model, fact);
  const taken = taskOf((await runtime.session(fact.session)).context, fact.task);
  if (refusal !== undefined && taken !== undefined)
    await dispatch({ type: 'CancelTask', task: fact.task, reason: refusal });
}

type Submitted = Extract<ChainFact, { type: 'TaskSubmitted' }>;

/** What a step comes after, by the chain, under the names that its template has for them. */
function placeOf({ step, after }: Submitted, asked: AskedContent | string): Pick<SubmitTask, 'step' | 'after'> {
  if (step === undefined || after === undefined) return {};
  const named = typeof asked !== 'string' && asked.kind === 'step' ? asked.after : [];
  return { step, after: after.map((task) => ({ name: named.find((one) => one.task === task)?.name ?? task, task })) };
}

/** A session is for one chat model; embeddings may be of any that is served. A template is for what the chain has it after. */
function refusalOf(asked: AskedContent, model: string | undefined, { after = [] }: Submitted): string | undefined {
  const named = asked.kind === 'step' ? asked.after.map(({ task }) => task) : [];
  if (named.length !== after.length || !after.every((task) => named.includes(task))) return 'template_mismatch';
  return asked.kind !== 'embed' && asked.model !== model ? 'model_not_of_session' : undefined;
}

/** What a submission asks for, or why it cannot be told. */
async function readTask(runtime: SessionRuntime, digest: Hex): Promise<AskedContent | string> {
  const { content } = runtime.base.ports;
  try {
    const found = await content.get(digestToCid(digest), {
      timeoutMs: contentTimeoutMs,
      signal: runtime.base.stopping,
    });
    const parsed = askedContent.safeParse(found);
    return parsed.success ? parsed.data : 'prompt_malformed';
  } catch (error) {
    if (errorCode(error) === 'content_not_found' || errorCode(error) === 'content_corrupt') return 'prompt_not_found';
    throw error;
  }
}

/** The scores of a report; none where it cannot be had. */
export async function scoresOf(content: ContentStore, digest: Hex, signal: AbortSignal): Promise<MinerScore[]> {
  try {
    const parsed = reportContent.safeParse(
      await content.get(digestToCid(digest), { timeoutMs: contentTimeoutMs, signal }),
    );
    return parsed.success ? parsed.data.scores : [];
  } catch (error) {
    // The verdict is the chain's; a report that cannot be had costs the scores only.
    if (errorCode(error) === 'content_not_found' || errorCode(error) === 'content_corrupt') return [];
    throw error;
  }
}

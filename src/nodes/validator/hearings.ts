import type { ValidatorCommand } from '../../../actors/validator/decide.ts';
import type { AttestOnAppeal, JudgeHearing } from '../../../actors/validator/hearing-machine.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { ChainAppeal } from '../../ports/chain-appeals.ts';
import type { Inference } from '../../ports/inference.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import { judgeTask } from '../appeals/judge-task.ts';
import { revertReason } from '../appeals/revert-reason.ts';
import type { NodeBase } from '../node-base.ts';
import { outcomeOf } from './attest.ts';

/** The chain counts whole seconds, and a deadline has passed in the second after it. */
const secondMs = 1_000;

/** What hearings stand on. */
export interface HearingParts {
  readonly base: NodeBase;
  readonly inference: Inference;
  readonly embedder: string;
  readonly dispatch: (command: ValidatorCommand, cause: string) => Promise<void>;
}

/**
 * Judges an appealed task again. What is missing is looked for until attestations are taken: an honest miner whose result
 * came late is no outlier, and who says so loses stake.
 *
 * @throws PouwError `result_unseen` as {@link NotYet}, and what chain, content and inference throw.
 */
export async function judgeHearing(parts: HearingParts, { task }: JudgeHearing, context: EffectContext): Promise<void> {
  const { base, inference, embedder, dispatch } = parts;
  const { chain, content, clock } = base.ports;
  const judged = await judgeTask({ chain, clock, content, inference, embedder }, task, context.signal);
  // It was settled meanwhile: the fact of that is on its way.
  if (judged === undefined) return;
  const isWhole = judged.results.every((result) => result.content !== 'missing');
  if (!isWhole && clock.now() <= ((await chain.appeal(task))?.drawBy ?? 0))
    throw new NotYet('result_unseen', `Not all results of task ${task} were found yet.`, { class: 'unavailable' });
  await dispatch({ type: 'JudgeHearing', task, ...judged }, context.id);
}

/**
 * Attests on appeal, by a transaction of its own: the router may be the one that is doubted.
 *
 * @throws PouwError `nominations_open` as {@link NotYet}, `chain_unreachable`, `chain_refused`.
 */
export async function attestOnAppeal(
  parts: HearingParts,
  effect: AttestOnAppeal,
  { id, signal }: EffectContext,
): Promise<void> {
  const { base, dispatch } = parts;
  const { content } = base.ports;
  const { task } = effect;
  await content.put(effect.report);
  await content.flush();
  const place = await placeInDraw(base, task, signal);
  if (place === undefined) return;
  try {
    await attestFrom(base, effect, place, id);
  } catch (error) {
    if (errorCode(error) !== 'chain_reverted' || (await isOver(base, task))) return rethrow(error);
    if (revertReason(error) === 'NominationsOpen') throw stillOpen(task);
    const failed = { effect: 'attestOnAppeal', task, code: 'chain_reverted', reason: errorMessage(error) };
    await dispatch({ type: 'EffectFailed', ...failed }, id);
  }
}

/** What the chain refused because it is over is no failure: the fact of it is on its way. */
function rethrow(error: unknown): void {
  if (errorCode(error) !== 'chain_reverted') throw error;
}

async function attestFrom(base: NodeBase, effect: AttestOnAppeal, place: number, id: EffectContext['id']) {
  const { chain } = base.ports;
  const { task, reportDigest } = effect;
  const record = await chain.task(task);
  const outcome = record === undefined ? undefined : outcomeOf(record, effect);
  if (record === undefined || outcome === undefined) return;
  const said = { task, step: record.step, outcome, reportDigest } as const;
  const signature = await chain.sign(base.identity.address, { is: 'AppealAttestation', ...said });
  const carried = [{ validator: place, reportDigest, signature }];
  await base.send({ call: 'attestAppeal', task, outcome, carried }, id);
}

/** The validator's place once nobody can be nominated any more; undefined where it has none, or has spoken. */
async function placeInDraw(base: NodeBase, task: TaskId, signal: AbortSignal): Promise<number | undefined> {
  const { chain, clock } = base.ports;
  const appeal = await chain.appeal(task);
  if (appeal?.state !== 'open') return undefined;
  const leftMs = appeal.drawBy + secondMs - clock.now();
  if (leftMs > limits.appealWaitMsMax) throw stillOpen(task);
  if (leftMs > 0) {
    await clock.sleep(leftMs, signal);
    // The last nomination may have drawn another.
    return placeInDraw(base, task, signal);
  }
  const place = ownPlace(base, appeal);
  return appeal.validators[place]?.hasAttested === false ? place : undefined;
}

function ownPlace({ identity }: NodeBase, { validators }: ChainAppeal): number {
  return validators.findIndex(({ validator }) => validator === identity.address);
}

async function isOver(base: NodeBase, task: TaskId): Promise<boolean> {
  const appeal = await base.ports.chain.appeal(task);
  if (appeal?.state !== 'open') return true;
  return appeal.validators[ownPlace(base, appeal)]?.hasAttested !== false;
}

function stillOpen(task: TaskId): NotYet {
  return new NotYet('nominations_open', `Validators may still be nominated for the appeal of task ${task}.`, {
    class: 'unavailable',
    why: 'Who is drawn is known, and may speak, once the time for nominations is over.',
  });
}

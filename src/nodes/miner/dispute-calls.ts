import type { MinerCommand } from '../../../actors/miner/commands.ts';
import type { AppealOnChain, JudgeOutcome } from '../../../actors/miner/disputes.ts';
import { reachVerdict } from '../../../actors/validator/verdict.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Inference } from '../../ports/inference.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import { Appellant } from '../appeals/appellant.ts';
import { judgeTask } from '../appeals/judge-task.ts';
import { appealRefusalClasses } from '../appeals/refusals.ts';
import type { NodeBase } from '../node-base.ts';

/** What disputes stand on. */
export interface DisputeParts {
  readonly base: NodeBase;
  readonly inference: Inference;
  readonly embedder: string;
  readonly dispatch: (command: MinerCommand, cause: string) => Promise<void>;
}

/** Has a miner that is called an outlier look for itself, and appeal where the validators are wrong. */
export class DisputeCalls {
  readonly #parts: DisputeParts;
  readonly #appellant: Appellant;

  constructor(parts: DisputeParts) {
    this.#parts = parts;
    const { ports, identity } = parts.base;
    this.#appellant = new Appellant(ports.chain, identity.address);
  }

  /**
   * Compares the results of a task as validators do: only who would be found honest by that has anything to gain. Does
   * nothing where the outcome cannot be appealed (any more).
   *
   * @throws PouwError `result_unseen` as {@link NotYet}, and what chain, content and inference throw.
   */
  async judge({ task, attempt }: JudgeOutcome, { id, signal }: EffectContext): Promise<void> {
    const { base, inference, embedder, dispatch } = this.#parts;
    const { chain, clock, content } = base.ports;
    const record = await chain.task(task);
    if (record?.state !== 'validated' || record.finality !== 'appealable' || clock.now() > record.phaseBy) return;
    const judged = await judgeTask({ chain, clock, content, inference, embedder }, task, signal);
    if (judged === undefined) return;
    if (judged.results.some((result) => result.content === 'missing'))
      throw new NotYet('result_unseen', `Not all results of task ${task} were found yet.`, { class: 'unavailable' });
    const { winner, honest } = reachVerdict(judged);
    await dispatch({ type: 'JudgeDispute', task, attempt, winner, honest }, id);
  }

  /** Appeals; where that is refused for good the job goes on without. */
  async appeal({ kind, task, attempt }: AppealOnChain, { id }: EffectContext): Promise<void> {
    const { base, dispatch } = this.#parts;
    try {
      await this.#appellant.appeal(task, id);
      base.ports.log.info('an outcome was appealed', { task });
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'chain_reverted' && !(code in appealRefusalClasses)) throw error;
      const reason = errorMessage(error);
      base.ports.log.warn('an outcome that should be appealed was not', { task, code, error: reason });
      await dispatch({ type: 'EffectFailed', effect: kind, task, attempt, code, reason }, id);
    }
  }
}

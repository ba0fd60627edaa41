import type { JobContext } from '../../../actors/miner/context.ts';
import type { MinerCommand } from '../../../actors/miner/commands.ts';
import type { PrecommitOnChain, RevealOnChain } from '../../../actors/miner/effects.ts';
import { present } from '../../core/assert.ts';
import { PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { ShowBody } from '../../messages/batches.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import { shownResult, signedPrecommit, tellOwner } from '../batch-parts.ts';
import type { NodeBase } from '../node-base.ts';
import { requireBound } from './require-bound.ts';

/** Brings what a miner has to say about a task of a batched session to the router that owns the session. */
export class BatchCalls {
  readonly #base: NodeBase;
  readonly #dispatch: (command: MinerCommand, cause: string) => Promise<void>;

  constructor(base: NodeBase, dispatch: (command: MinerCommand, cause: string) => Promise<void>) {
    this.#base = base;
    this.#dispatch = dispatch;
  }

  async precommit(effect: PrecommitOnChain, { id }: EffectContext): Promise<void> {
    const { task, attempt, by } = effect;
    await tellOwner(this.#base, present(by, 'a router'), await signedPrecommit(this.#base, effect), id);
    await this.#dispatch({ type: 'SeeTaken', task, attempt, what: 'precommit' }, id);
  }

  async reveal(effect: RevealOnChain, { id }: EffectContext): Promise<void> {
    const { task, attempt, by } = effect;
    await tellOwner(this.#base, present(by, 'a router'), shownResult(effect), id);
    await this.#dispatch({ type: 'SeeTaken', task, attempt, what: 'reveal' }, id);
  }

  /** What a batch binds is shown only by who has seen on chain that it does. */
  async show(job: Folded<JobContext> | undefined, body: ShowBody, cause: string): Promise<void> {
    if (job === undefined) {
      throw new PouwError('job_not_found', `The miner has no job for attempt ${body.attempt} of task ${body.task}.`, {
        class: 'not-found',
      });
    }
    await requireBound(this.#base.ports.chain, job.context, body);
    const { task, attempt, revealBy } = body;
    await this.#dispatch({ type: 'SeeBound', task, attempt, revealBy }, cause);
  }
}

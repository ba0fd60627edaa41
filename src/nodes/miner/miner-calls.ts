import type { JobContext } from '../../../actors/miner/context.ts';
import type { MinerCommand } from '../../../actors/miner/decide.ts';
import type { AckOnChain, PrecommitOnChain, RevealOnChain } from '../../../actors/miner/effects.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { TaskId } from '../../core/ids.ts';
import { precommitHash } from '../../core/precommit.ts';
import type { CarryBody } from '../../messages/carry.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { ChainSlotState } from '../../ports/queue-messages.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { Changes } from '../carry/changes.ts';
import { leaveToRouter } from '../carry/leave-to-router.ts';
import type { NodeBase } from '../node-base.ts';

/** What bringing a miner's parts to the chain stands on. */
export interface MinerCallsOptions {
  readonly base: NodeBase;
  /** Told whenever a job has changed. */
  readonly changes: Changes;
  /** Resolves once the jobs are known. */
  readonly load: () => Promise<void>;
  readonly job: (of: { task: TaskId; attempt: number }) => Folded<JobContext> | undefined;
  readonly dispatch: (command: MinerCommand, cause: string) => Promise<void>;
}

type ChainEffect = AckOnChain | PrecommitOnChain | RevealOnChain;

/** By effect: the state in which a job still waits for it, and those of its slot in which the chain has it. */
const goals: Readonly<
  Record<ChainEffect['kind'], { readonly waits: string; readonly done: readonly ChainSlotState[] }>
> = {
  ackOnChain: { waits: '', done: ['acked', 'precommitted', 'revealed'] },
  precommitOnChain: { waits: 'precommitting', done: ['precommitted', 'revealed'] },
  revealOnChain: { waits: 'revealing', done: ['revealed'] },
};

/** Brings what a miner has to say about its jobs to the chain: through the router of the job, or by itself. */
export class MinerCalls {
  readonly #options: MinerCallsOptions;

  constructor(options: MinerCallsOptions) {
    this.#options = options;
  }

  ack(effect: AckOnChain, context: EffectContext): Promise<void> {
    return this.#send(effect, { call: 'ack', task: effect.task }, context);
  }

  async precommit(effect: PrecommitOnChain, context: EffectContext): Promise<void> {
    const { base } = this.#options;
    const { chain } = base.ports;
    const { chainId, queue } = chain.deployment;
    const { session, task, step, attempt, miner, resultRoot, salt } = effect;
    const of = { session, task, step, attempt } as const;
    const hash = precommitHash({ chainId, queueContract: queue, ...of, miner, resultRoot, salt });
    await this.#options.load();
    if (!this.#isWanted(effect)) return;
    const signature = await chain.sign(base.identity.address, {
      is: 'Precommit',
      task,
      step,
      attempt,
      precommit: hash,
    });
    const part: CarryBody = { is: 'precommit', ...of, precommit: hash, signature };
    await this.#carryOrSend(effect, part, { call: 'precommit', task, hash }, context);
  }

  async reveal(effect: RevealOnChain, context: EffectContext): Promise<void> {
    const { task, attempt, resultRoot, salt, resultDigest } = effect;
    await this.#options.load();
    const job = this.#options.job(effect);
    if (job === undefined || !this.#isWanted(effect)) return;
    const { session, step } = job.context;
    const shown = { resultRoot, salt, resultDigest };
    const part: CarryBody = { is: 'reveal', session, task, step, attempt, ...shown };
    await this.#carryOrSend(effect, part, { call: 'reveal', task, ...shown }, context);
  }

  /** Whether the job still waits for what the effect brings to the chain. */
  #isWanted(effect: ChainEffect): boolean {
    return this.#options.job(effect)?.value === goals[effect.kind].waits;
  }

  async #carryOrSend(
    effect: PrecommitOnChain | RevealOnChain,
    part: CarryBody,
    call: ChainCall,
    context: EffectContext,
  ): Promise<void> {
    const job = this.#options.job(effect);
    if (job === undefined) return;
    const { router, precommitBy, revealBy } = job.context;
    const dueBy = part.is === 'reveal' ? revealBy : precommitBy;
    const isDone = (): boolean => !this.#isWanted(effect);
    const carried = { id: context.id, part, router, dueBy, isDone };
    if (await leaveToRouter(this.#options, carried, context.signal)) return;
    await this.#send(effect, call, context);
  }

  /** Sends a call; what the contract refuses for good becomes a fact of the job, unless somebody else has brought it. */
  async #send(effect: ChainEffect, call: ChainCall, { id }: EffectContext): Promise<void> {
    const { base, dispatch } = this.#options;
    try {
      await base.send(call, id);
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      if (await this.#isOnChain(effect)) return;
      const { task, attempt, kind } = effect;
      await dispatch(
        { type: 'EffectFailed', effect: kind, task, attempt, code: 'chain_reverted', reason: errorMessage(error) },
        id,
      );
    }
  }

  /** Whether the chain has it already: then the fact of it is on its way. */
  async #isOnChain({ kind, task, attempt }: ChainEffect): Promise<boolean> {
    const { base } = this.#options;
    const record = await base.ports.chain.task(task);
    const slot = record?.slots.find((one) => one.miner === base.identity.address && one.attempt === attempt);
    return slot !== undefined && goals[kind].done.includes(slot.state);
  }
}

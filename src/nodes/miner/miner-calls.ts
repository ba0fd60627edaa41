import { type JobContext, jobKey, type MinerContext } from '../../../actors/miner/context.ts';
import type { MinerCommand } from '../../../actors/miner/commands.ts';
import type { AckOnChain, PrecommitOnChain, RevealOnChain } from '../../../actors/miner/effects.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { precommitHash } from '../../core/precommit.ts';
import type { CarryBody } from '../../messages/carry.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import type { LatestState } from '../carry/latest-state.ts';
import { leaveToRouter } from '../carry/leave-to-router.ts';
import type { NodeBase } from '../node-base.ts';
import type { Acceptances } from './acceptances.ts';
import { type ChainEffect, refusedStanding } from './refused-part.ts';

/** What bringing a miner's parts to the chain stands on. */
export interface MinerCallsOptions {
  readonly base: NodeBase;
  readonly latest: LatestState<MinerContext>;
  readonly acceptances: Acceptances;
  readonly dispatch: (command: MinerCommand, cause: string) => Promise<void>;
}

/** By effect: the state in which a job still waits for it. */
const waits: Readonly<Record<ChainEffect['kind'], string>> = {
  ackOnChain: 'received',
  precommitOnChain: 'precommitting',
  revealOnChain: 'revealing',
};

/** Brings what a miner has to say about its jobs to the chain: through the router of the job, or by itself. */
export class MinerCalls {
  readonly #options: MinerCallsOptions;

  constructor(options: MinerCallsOptions) {
    this.#options = options;
  }

  #job(of: ChainEffect): Folded<JobContext> | undefined {
    return this.#options.latest.state.context.jobs[jobKey(of)];
  }

  /** Sends nothing where the router has brought the miner's acceptance with the assignment. */
  async ack(effect: AckOnChain, context: EffectContext): Promise<void> {
    const { base, acceptances, latest } = this.#options;
    const { clock } = base.ports;
    const { task } = effect;
    await latest.refresh();
    const isOpen = (): boolean => this.#isUnacked(effect) && acceptances.ackOf(task) === undefined;
    // The job may be quicker than the chain's word that it was accepted.
    const untilMs = clock.now() + (acceptances.hasAccepted(task) ? limits.carryAgainMs : 0);
    while (isOpen() && clock.now() < untilMs) await latest.changes.wait(clock, untilMs - clock.now(), context.signal);
    if (isOpen()) await this.#send(effect, { call: 'ack', task }, context);
    await this.#tellAck(effect, context);
  }

  async precommit(effect: PrecommitOnChain, context: EffectContext): Promise<void> {
    const { base } = this.#options;
    const { chain } = base.ports;
    const { chainId, queue } = chain.deployment;
    const { session, task, step, attempt, miner, resultRoot, salt } = effect;
    const of = { session, task, step, attempt } as const;
    const hash = precommitHash({ chainId, queueContract: queue, ...of, miner, resultRoot, salt });
    await this.#options.latest.refresh();
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
    await this.#options.latest.refresh();
    const job = this.#job(effect);
    if (job === undefined || !this.#isWanted(effect)) return;
    const { session, step } = job.context;
    const shown = { resultRoot, salt, resultDigest };
    const part: CarryBody = { is: 'reveal', session, task, step, attempt, ...shown };
    await this.#carryOrSend(effect, part, { call: 'reveal', task, ...shown }, context);
  }

  /** Tells a job that the chain has its acknowledgement, should that have come before the job. */
  async #tellAck(effect: AckOnChain, { id }: EffectContext): Promise<void> {
    const { acceptances, dispatch } = this.#options;
    const fact = this.#isUnacked(effect) ? acceptances.ackOf(effect.task) : undefined;
    if (fact !== undefined) await dispatch({ type: 'SeeFact', fact }, id);
  }

  #isUnacked(effect: AckOnChain): boolean {
    const job = this.#job(effect);
    return (job?.value === 'received' || job?.value === 'produced') && job.context.precommitBy === 0;
  }

  /** Whether the job still waits for what the effect brings to the chain. */
  #isWanted(effect: ChainEffect): boolean {
    return this.#job(effect)?.value === waits[effect.kind];
  }

  async #carryOrSend(
    effect: PrecommitOnChain | RevealOnChain,
    part: CarryBody,
    call: ChainCall,
    context: EffectContext,
  ): Promise<void> {
    const job = this.#job(effect);
    if (job === undefined) return;
    const { router, precommitBy, revealBy } = job.context;
    const dueBy = part.is === 'reveal' ? revealBy : precommitBy;
    const isDone = (): boolean => !this.#isWanted(effect);
    const carried = { id: context.id, part, router, dueBy, isDone };
    if (
      await leaveToRouter({ base: this.#options.base, changes: this.#options.latest.changes }, carried, context.signal)
    )
      return;
    await this.#send(effect, call, context);
  }

  /** Sends a call; what the contract refuses for good becomes a fact of the job, unless somebody else has brought it. */
  async #send(effect: ChainEffect, call: ChainCall, { id }: EffectContext): Promise<void> {
    const { base, dispatch } = this.#options;
    try {
      await base.send(call, id);
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      const record = await base.ports.chain.task(effect.task);
      const named = error instanceof PouwError ? error.details?.['reason'] : undefined;
      const standing = refusedStanding(effect, base.identity.address, record, named);
      if (standing === 'open') {
        throw new NotYet('part_unseen', `The chain waits for ${call.call} of ${effect.task}, and has refused it.`, {
          class: 'unavailable',
          why: 'Somebody else has brought it, or what it builds upon, a moment ago; it is in no block yet.',
        });
      }
      // The fact of an acknowledgement may have come before its job, and a crash between them.
      if (standing === 'there' && effect.kind === 'ackOnChain')
        await this.#findAck(effect.task, record?.submittedBlock ?? 0);
      // A job that waits to reveal hears of the end of its task; any other may have come after it.
      if (standing === 'there' || (standing === 'over' && effect.kind === 'revealOnChain')) return;
      const { task, attempt, kind } = effect;
      await dispatch(
        { type: 'EffectFailed', effect: kind, task, attempt, code: 'chain_reverted', reason: errorMessage(error) },
        id,
      );
    }
  }

  async #findAck(task: TaskId, fromBlock: number): Promise<void> {
    const { chain } = this.#options.base.ports;
    const { number: head } = await chain.block();
    for (const fact of await chain.facts(fromBlock, head)) {
      if ('task' in fact && fact.task === task) this.#options.acceptances.note(fact);
    }
  }
}

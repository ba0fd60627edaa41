import type { ChainFact } from '../../core/chain-fact.ts';
import { PouwError } from '../../core/errors.ts';
import type { TaskId } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';
import type { AcceptBody } from '../../messages/carry.ts';
import type { NodeBase } from '../node-base.ts';
import type { Changes } from '../carry/changes.ts';

/** What accepting tasks stands on. */
export interface AcceptancesOptions {
  readonly base: Pick<NodeBase, 'identity' | 'ports'>;
  /** Told when the chain has an acknowledgement. */
  readonly changes: Changes;
  readonly models: readonly string[];
  /** Whether the miner keeps a place for a task already, because it has claimed it. */
  readonly keepsPlace: (task: TaskId) => boolean;
  readonly hasFreePlace: () => boolean;
  /** Whether the miner takes nothing new, so that a router had better choose another one. */
  readonly isDraining: () => boolean;
}

/** An acknowledgement on chain. */
export type Ack = Extract<ChainFact, { type: 'TaskAcked' }>;

/**
 * Signs acceptances of tasks, which a router brings along with their assignment: then the miner is at work without a
 * transaction of its own. What it has accepted and what the chain has of it by then is in memory only: after a crash it
 * acknowledges by itself, and learns that the chain has that already.
 */
export class Acceptances {
  readonly #options: AcceptancesOptions;
  /** Accepted tasks whose jobs have not come, and until when a place is kept for them. */
  readonly #held = new Map<TaskId, number>();
  readonly #signed = new Recent<TaskId, true>(limits.ownAcksKept);
  readonly #acks = new Recent<TaskId, Ack>(limits.ownAcksKept);

  constructor(options: AcceptancesOptions) {
    this.#options = options;
  }

  /** Places that are kept for accepted tasks. */
  get held(): number {
    return this.tasks().length;
  }

  /** Accepted tasks whose jobs have not come and for which a place is kept. */
  tasks(): readonly TaskId[] {
    const now = this.#options.base.ports.clock.now();
    for (const [task, until] of this.#held) if (until <= now) this.#held.delete(task);
    return [...this.#held.keys()];
  }

  /**
   * Signs that the miner takes a task, should it be drawn for it by a block.
   *
   * @throws PouwError `miner_draining`, `model_not_served`, `miner_busy`.
   */
  async accept({ task, step, attempt, model, beaconBlock }: AcceptBody): Promise<JsonObject> {
    const { base, models, keepsPlace, hasFreePlace, isDraining } = this.#options;
    if (isDraining())
      throw new PouwError('miner_draining', 'The miner stops and takes no further task.', {
        class: 'unavailable',
        hint: 'Choose another miner.',
      });
    if (!models.includes(model))
      throw new PouwError('model_not_served', `The miner does not serve ${model}.`, { class: 'not-found' });
    if (!keepsPlace(task)) {
      if (!this.#held.has(task) && !hasFreePlace())
        throw new PouwError('miner_busy', 'The miner has as many jobs as it takes.', { class: 'busy' });
      this.#held.set(task, base.ports.clock.now() + limits.claimedJobMsMax);
    }
    this.#signed.set(task, true);
    const message = { is: 'Acceptance', task, step, attempt, beaconBlock } as const;
    const { r, vs } = await base.ports.chain.sign(base.identity.address, message);
    return { signature: { r, vs } };
  }

  /** Whether the miner has accepted a task: then the chain may have its acknowledgement soon. */
  hasAccepted(task: TaskId): boolean {
    return this.#signed.has(task);
  }

  /** The job of a task has come, or will not: its place is kept no longer. */
  release(task: TaskId): void {
    this.#held.delete(task);
  }

  /** Remembers the miner's acknowledgements, whoever brought them to the chain: their jobs may come later. */
  note(fact: ChainFact): void {
    if (fact.type !== 'TaskAcked' || fact.miner !== this.#options.base.identity.address) return;
    this.#acks.set(fact.task, fact);
    this.#options.changes.tell();
  }

  /** Forgets an acknowledgement that a reorg has taken back. */
  forget(fact: ChainFact): void {
    if (fact.type === 'TaskAcked' && fact.miner === this.#options.base.identity.address) this.#acks.take(fact.task);
  }

  /** The miner's acknowledgement of a task, where the chain has it. */
  ackOf(task: TaskId): Ack | undefined {
    return this.#acks.get(task);
  }
}

import type { SessionContext } from '../../../../actors/session/context.ts';
import type { SessionCommand } from '../../../../actors/session/decide.ts';
import type { TaskContext } from '../../../../actors/task/context.ts';
import { type BatchOnChain, batchesIn, batchStepS } from '../../../core/batch/fact.ts';
import type { ChainFact } from '../../../core/chain-fact.ts';
import { digestToCid } from '../../../core/cid.ts';
import { errorMessage } from '../../../core/errors.ts';
import type { Folded } from '../../../core/fold.ts';
import type { Address, EffectId, SessionId } from '../../../core/ids.ts';
import { readBatch } from '../../batch-content.ts';
import type { SessionRuntime } from '../session-effects.ts';
import { endingFact, outcomePost } from './outcomes.ts';

/** How often the chain is asked about other routers' batches, in milliseconds. */
const lookEveryMs = 2_000;

interface Waiting {
  readonly session: SessionId;
  readonly task: Folded<TaskContext>;
}

/**
 * A session that changes hands may have tasks in a batch that its former owner posts. Their end is told by the new owner, from
 * what is on chain and from the batch's content; where the former owner never comes back, the batch is voided for its
 * lateness.
 */
export class ForeignBatches {
  readonly #runtime: SessionRuntime;
  #nextLookAt = 0;

  constructor(runtime: SessionRuntime) {
    this.#runtime = runtime;
  }

  /** Tells owned sessions what has become of their tasks in batches of others. */
  async look(sessions: ReadonlyMap<SessionId, Folded<SessionContext>>): Promise<void> {
    const { ports, identity } = this.#runtime.base;
    const now = ports.clock.now();
    const waiting = [...sessions].flatMap(([session, { context }]) => foreignTasks(session, context, identity.address));
    if (waiting.length === 0 || now < this.#nextLookAt) return;
    this.#nextLookAt = now + lookEveryMs;
    const from = Math.min(...waiting.map(({ task }) => task.context.batch?.block ?? 0));
    const head = await ports.chain.block();
    const facts = await ports.chain.facts(from, head.number);
    for (const [id, batch] of batchesIn(facts)) {
      const members = waiting.filter(({ task }) => task.context.batch?.batch === id);
      if (members.length > 0) await this.#tell(batch, members, facts, head.at);
    }
  }

  async #tell(
    batch: BatchOnChain,
    members: readonly Waiting[],
    facts: readonly ChainFact[],
    nowAt: number,
  ): Promise<void> {
    if (batch.state === 'void') {
      for (const { session, task } of members) await this.#giveUp(session, task.context, batch.fault ?? 'void');
    } else if (batch.state === 'posted' || batch.state === 'final') {
      await this.#tellEndings(batch, members, facts);
    } else {
      const posted = facts.findLast((fact) => 'batch' in fact && fact.batch === batch.batch);
      if (posted === undefined || nowAt <= posted.place.blockAt + batchStepS * 1_000) return;
      const { base } = this.#runtime;
      const call = { call: 'voidLate', batch: batch.batch, header: batch.header } as const;
      await base
        .send(call, `batch.late:${base.identity.address}:${batch.batch}` as EffectId)
        .catch((error: unknown) =>
          base.ports.log.warn('a late batch was not voided', { batch: batch.batch, error: errorMessage(error) }),
        );
    }
  }

  async #tellEndings(batch: BatchOnChain, members: readonly Waiting[], facts: readonly ChainFact[]): Promise<void> {
    const { content: store } = this.#runtime.base.ports;
    const { header } = batch;
    const place = facts.find((fact) => fact.type === 'BatchPosted' && fact.batch === batch.batch)?.place;
    if (place === undefined) return;
    const content = await readBatch(store, digestToCid(batch.manifestDigest));
    const post = outcomePost(batch.batch, header, content);
    const posted = { block: place.block, blockHash: place.blockHash, txHash: place.txHash };
    for (const { session, task } of members) {
      const position = task.context.batch?.position ?? 0;
      const fact = endingFact(task, position, { header, content, post, cidOf: store.cidOf.bind(store) });
      if (fact === undefined) continue;
      const more = fact.type === 'TaskSettled' ? { posted } : {};
      await this.#dispatch(session, { type: 'SeeTaskFact', fact, ...more }, batch.batch);
    }
  }

  async #giveUp(session: SessionId, { task, escrowWei, batch }: TaskContext, fault: string): Promise<void> {
    const reason = `Its batch is void: ${fault}.`;
    const id = batch?.batch ?? 0;
    await this.#dispatch(session, { type: 'GiveUpTask', task, code: 'batch_void', reason }, id);
    const fact = {
      type: 'TaskRefunded',
      session,
      task,
      returnedWei: escrowWei,
      reason: 'exhausted',
      place: null,
    } as const;
    await this.#dispatch(session, { type: 'SeeTaskFact', fact }, id);
  }

  #dispatch(session: SessionId, command: SessionCommand, batch: number): Promise<void> {
    return this.#runtime.dispatch(session, command, `batch:${batch}`);
  }
}

/** The unfinished tasks of a session that another router's batch has. */
function foreignTasks(session: SessionId, { tasks }: SessionContext, router: Address): Waiting[] {
  return Object.values(tasks).flatMap((task) => {
    const { batch } = task.context;
    return batch === undefined || batch.poster === router ? [] : [{ session, task }];
  });
}

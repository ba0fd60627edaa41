import { type BatchCommand, type Batches, noBatches, type OpenBatch } from '../../../../actors/router/batches.ts';
import type { RouterContext } from '../../../../actors/router/context.ts';
import { hasEnded } from '../../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../../actors/task/context.ts';
import type { TaskFact } from '../../../../actors/task/decide.ts';
import { buildPrecommits, buildReveals } from '../../../core/batch/build.ts';
import { type BatchContent, type BatchTask, type BatchTasks, taskRecords } from '../../../core/batch/content.ts';
import { present } from '../../../core/assert.ts';
import { errorCode } from '../../../core/errors.ts';
import type { Folded } from '../../../core/fold.ts';
import type { Cid, SessionId, TaskId } from '../../../core/ids.ts';
import { Recent } from '../../../core/recent.ts';
import { addWei, type Wei, zeroWei } from '../../../core/wei.ts';
import { limits } from '../../../core/limits.ts';
import { readBatch, readReveals, readTasks } from '../../batch-content.ts';
import type { SessionRuntime } from '../session-effects.ts';
import { endingFact, lineBefore, outcomePost, shownBy, signedOutcome } from './outcomes.ts';
import { taskNow } from './task-effects.ts';

/** What taking batches to their end stands on. */
export interface OpenBatchesOptions {
  readonly runtime: SessionRuntime;
  readonly book: () => Promise<RouterContext>;
  readonly tell: (command: BatchCommand, cause: string) => Promise<void>;
}

/** States of a task in which nothing more will be shown. */
const shown: ReadonlySet<string> = new Set(['committed', 'validated', 'settled', 'failed', 'refunded']);
/** States of a task in which nothing more will be found. */
const judged: ReadonlySet<string> = new Set(['validated', 'settled', 'failed', 'refunded']);

/** How long other owners have to tell sessions what has become of their tasks before it is looked at again, in milliseconds. */
const tellEveryMs = 2_000;

interface Member {
  readonly of: BatchTask;
  readonly position: number;
  /** Undefined where its session has ended it and forgotten it. */
  readonly task: Folded<TaskContext> | undefined;
}

/** Takes batches that have begun from step to step, by what their sessions' streams and the chain say. */
export class OpenBatches {
  readonly #options: OpenBatchesOptions;
  readonly #tasks = new Recent<Cid, BatchTasks>(limits.batchesPostedMax);
  /** Batches whose sessions have been told how their tasks ended. */
  readonly #told = new Set<number>();
  /** When they are told again, milliseconds since 1970. */
  readonly #tellAt = new Map<number, number>();

  constructor(options: OpenBatchesOptions) {
    this.#options = options;
  }

  /** The tasks that batches are binding now. */
  async binding(batches: readonly OpenBatch[]): Promise<ReadonlySet<TaskId>> {
    const taken = new Set<TaskId>();
    for (const { step, leaves } of batches) {
      if (step !== 'begun' && step !== 'precommitted') continue;
      for (const { task } of (await this.#tasksOf(leaves)).tasks) taken.add(task);
    }
    return taken;
  }

  /** Takes every batch as far as it can go now. */
  async advance({ open }: Batches): Promise<void> {
    for (const batch of Object.values(open)) {
      if (batch.step === 'precommitted') await this.#reveal(batch);
      if (batch.step === 'revealed') await this.#conclude(batch);
      if (batch.step === 'posted') await this.#finish(batch);
    }
  }

  /** The precommits are on chain: sessions are told, and once all that will be shown is there it is bound. */
  async #reveal(batch: OpenBatch): Promise<void> {
    const { runtime, tell } = this.#options;
    const { clock, content } = runtime.base.ports;
    const header = present(batch.header, 'the header of a batch on chain');
    for (const { of, position, task } of await this.#members(batch)) {
      if (task?.value !== 'executing') continue;
      const { terms } = (await runtime.session(of.session)).context;
      const revealBy = clock.now() + present(terms, 'terms').revealTimeoutS * 1_000;
      const fact: TaskFact = { type: 'AllPrecommitted', session: of.session, task: of.task, revealBy, place: null };
      const block = header.postedBlock;
      const member = { batch: batch.batch, poster: header.poster, position, leaves: batch.leaves, block };
      await this.#see(of.session, fact, { batch: member });
    }
    const members = await this.#members(batch);
    if (!members.every(({ task }) => task === undefined || shown.has(task.value))) return;
    const named = {
      kind: 'batch-reveals',
      v: 1,
      tasks: batch.leaves,
      shown: members.map(({ of, task }) => shownBy(of.slots, task)),
    } as const;
    const tasks = await this.#tasksOf(batch.leaves);
    const { root } = buildReveals(buildPrecommits(taskRecords({ tasks, reveals: named })));
    const reveals = await content.put(named);
    await content.flush();
    await tell({ type: 'BindReveals', number: batch.number, root, reveals }, `batch:${batch.batch}`);
  }

  /** The reveals are on chain: once all tasks have ended, how they did is bound. */
  async #conclude(batch: OpenBatch): Promise<void> {
    const { runtime, tell, book } = this.#options;
    const { content: store } = runtime.base.ports;
    // As it is now: the batch before may have moved the line since this look began.
    const { open, line, lineVersion } = (await book()).batches ?? noBatches;
    if (Object.values(open).some(({ step }) => step === 'ending')) return;
    const members = await this.#members(batch);
    if (!members.every(({ task }) => task === undefined || judged.has(task.value))) return;
    const reveals = present(batch.reveals, 'what a batch has shown');
    const header = present(batch.header, 'the header of a batch on chain');
    const verdicts = members.map(({ task }) => signedOutcome(task));
    const named = { kind: 'batch-outcomes', v: 1, reveals, verdicts } as const;
    const tasks = await this.#tasksOf(batch.leaves);
    const all = { tasks, reveals: await readReveals(store, reveals) };
    // Who is paid follows from the verdicts; only for these the line is looked up.
    const unlined = outcomePost(batch.batch, header, { ...all, outcomes: { ...named, line: [] } });
    const outcomes = { ...named, line: lineBefore(line, unlined) };
    const post = outcomePost(batch.batch, header, { ...all, outcomes });
    const cid = await store.put(outcomes);
    await store.flush();
    const payments = post.payments.leaves.slice(0, post.payments.count);
    const paid = Object.fromEntries(
      payments.map(({ account, accountTotalWei }) => [account, { totalWei: accountTotalWei, batch: batch.batch }]),
    );
    const bound = { outcomeRoot: post.outcomes.root, paymentRoot: post.payments.root, payments: payments.length };
    const command = { type: 'BindOutcomes', number: batch.number, lineVersion, ...bound, paid, outcomes: cid } as const;
    await tell({ ...command, drawnWei: post.drawnWei }, `batch:${batch.batch}`);
  }

  /** The outcomes are on chain: sessions are told, and after the window the batch is made final. */
  async #finish(batch: OpenBatch): Promise<void> {
    const { runtime, tell } = this.#options;
    const { clock } = runtime.base.ports;
    const isDue = clock.now() >= (this.#tellAt.get(batch.batch) ?? 0);
    if (!this.#told.has(batch.batch) && isDue) {
      if (await this.#tellEndings(batch)) this.#told.add(batch.batch);
      this.#tellAt.set(batch.batch, clock.now() + tellEveryMs);
    }
    if (!batch.isOrphan && (await runtime.base.ports.chain.block()).at <= batch.dueAt) return;
    await tell({ type: 'EndBatch', number: batch.number }, `batch:${batch.batch}`);
  }

  /** Tells the sessions that are owned here. @returns whether all tasks have ended: other owners look for themselves. */
  async #tellEndings(batch: OpenBatch): Promise<boolean> {
    const { content: store, chain } = this.#options.runtime.base.ports;
    const header = present(batch.header, 'the header of a batch on chain');
    const content: BatchContent = await readBatch(store, present(batch.outcomes, 'what a batch has come to'));
    const post = outcomePost(batch.batch, header, content);
    const posted = { header, content, post, cidOf: store.cidOf.bind(store) };
    const facts = await chain.facts(header.postedBlock, header.postedBlock);
    const place = facts.find((fact) => fact.type === 'BatchPosted' && fact.batch === batch.batch)?.place;
    if (place === undefined) return false;
    const seen = { block: place.block, blockHash: place.blockHash, txHash: place.txHash };
    for (const { of, position, task } of await this.#members(batch)) {
      const fact = task === undefined ? undefined : endingFact(task, position, posted);
      if (fact === undefined) continue;
      await this.#see(of.session, fact, fact.type === 'TaskSettled' ? { posted: seen } : {});
    }
    return (await this.#members(batch)).every(({ task }) => task === undefined || hasEnded(task));
  }

  /**
   * A batch is void: what it had not settled comes to nothing, and what it had drawn is the sessions' again. Tasks that its
   * sessions have forgotten had ended.
   */
  async voided(id: number, fault: string): Promise<void> {
    const { runtime, book } = this.#options;
    const { batches = noBatches } = await book();
    const batch = Object.values(batches.open).find((one) => one.batch === id);
    if (batch === undefined) return;
    const { content: store } = runtime.base.ports;
    const header = present(batch.header, 'the header of a batch on chain');
    const content = batch.outcomes === null ? undefined : await readBatch(store, batch.outcomes);
    const post = content === undefined ? undefined : outcomePost(id, header, content);
    const settledWei = new Map<SessionId, Wei>();
    for (const { of, position, task } of await this.#members(batch)) {
      const { session } = of;
      if (task !== undefined && task.value !== 'settled') {
        const reason = `Its batch is void: ${fault}.`;
        await this.#dispatch(session, { type: 'GiveUpTask', task: of.task, code: 'batch_void', reason });
        const returnedWei = task.context.escrowWei;
        await this.#see(session, {
          type: 'TaskRefunded',
          session,
          task: of.task,
          returnedWei,
          reason: 'exhausted',
          place: null,
        });
        continue;
      }
      const priceWei = post?.outcomes.leaves[position]?.priceWei ?? zeroWei;
      settledWei.set(session, addWei(settledWei.get(session) ?? zeroWei, priceWei));
    }
    for (const [session, returnedWei] of settledWei) {
      if (returnedWei !== zeroWei) await this.#dispatch(session, { type: 'VoidBatch', batch: id, returnedWei, fault });
    }
  }

  async #members({ leaves, batch }: OpenBatch): Promise<Member[]> {
    const { runtime } = this.#options;
    const { tasks } = await this.#tasksOf(leaves);
    return Promise.all(
      tasks.map(async (of, position) => {
        const task = await taskNow(runtime, of.session, of.task);
        // After a change of hands another router may have bound it first: then it is that one's to pay.
        const isOther = task?.context.batch !== undefined && task.context.batch.batch !== batch;
        return { of, position, task: isOther ? undefined : task };
      }),
    );
  }

  async #tasksOf(leaves: Cid): Promise<BatchTasks> {
    const known = this.#tasks.get(leaves);
    if (known !== undefined) return known;
    const { content } = this.#options.runtime.base.ports;
    const tasks = await readTasks(content, leaves);
    this.#tasks.set(leaves, tasks);
    return tasks;
  }

  #see(session: SessionId, fact: TaskFact, more: object = {}): Promise<void> {
    return this.#dispatch(session, { type: 'SeeTaskFact', fact, ...more });
  }

  async #dispatch(session: SessionId, command: Parameters<SessionRuntime['dispatch']>[1]): Promise<void> {
    try {
      await this.#options.runtime.dispatch(session, command, `batch:${session}`);
    } catch (error) {
      // Another router owns it now: it is told once it is owned here again.
      if (errorCode(error) !== 'not_owner') throw error;
    }
  }
}

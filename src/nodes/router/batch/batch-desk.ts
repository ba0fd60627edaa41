import type { PostPrecommits } from '../../../../actors/router/batch-effects.ts';
import { type BatchCommand, type Batches, noBatches } from '../../../../actors/router/batches.ts';
import type { RouterContext } from '../../../../actors/router/context.ts';
import type { SessionContext } from '../../../../actors/session/context.ts';
import type { SessionCommand } from '../../../../actors/session/decide.ts';
import { buildPrecommits } from '../../../core/batch/build.ts';
import { errorCode, errorMessage, PouwError } from '../../../core/errors.ts';
import type { Folded } from '../../../core/fold.ts';
import { type SessionId, sessionNumber, type TaskId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import type { EffectHandler } from '../../../runtime/actor.ts';
import type { SessionRuntime } from '../session-effects.ts';
import { dueCommands } from './deadlines.ts';
import { batchTask, gatherMs, nextBatch, type ReadyTask, readyTasks } from './gather.ts';
import { ForeignBatches } from './foreign-batches.ts';
import { OpenBatches } from './open-batches.ts';
import { type LeafDemand, showDemanded } from './show-demanded.ts';
import { postEffects } from './posts.ts';
import { taskRecords } from '../../../core/batch/content.ts';

/** What a desk stands on. */
export interface BatchDeskOptions {
  readonly runtime: SessionRuntime;
  /** The sessions that are owned now. */
  readonly owned: () => readonly SessionId[];
  readonly book: () => Promise<RouterContext>;
  readonly tell: (command: BatchCommand, cause: string) => Promise<void>;
}

/** How often the desk looks, in milliseconds. */
const lookMs = 100;
/** How long nothing is begun after the chain would not begin a batch, in milliseconds. */
const pauseMs = 5_000;

/**
 * The desk for batched sessions of a router: sees to their deadlines, gathers their tasks into batches, and takes each batch
 * from precommits to its end. All it must not forget is in the streams of router and sessions: it looks there, again and
 * again, for what is to be done next.
 */
export class BatchDesk {
  readonly #options: BatchDeskOptions;
  readonly #batches: OpenBatches;
  readonly #foreign: ForeignBatches;
  /** Sessions of which it is known whether they are settled by batches. */
  readonly #batched = new Map<SessionId, boolean>();
  /** When a ready task was first seen, milliseconds since 1970. */
  readonly #readySince = new Map<TaskId, number>();
  #pausedUntil = 0;
  /** Whether batches have one session each, since the chain would not begin one of several. */
  #isApart = false;

  constructor(options: BatchDeskOptions) {
    this.#options = options;
    this.#batches = new OpenBatches(options);
    this.#foreign = new ForeignBatches(options.runtime);
  }

  /** The handlers of what the desk asks of the chain. */
  effects(): Record<string, EffectHandler> {
    const { runtime, tell } = this.#options;
    return postEffects({ base: () => runtime.base, tell, refused: (effect, reason) => this.#refused(effect, reason) });
  }

  /** The chain has voided a batch: its sessions are told, before it is forgotten here. */
  voided(batch: number, fault: string): Promise<void> {
    return this.#batches.voided(batch, fault);
  }

  /** Somebody has demanded a leaf: it is shown, or the batch would be void. */
  show(demand: LeafDemand): Promise<void> {
    return showDemanded(this.#options, demand);
  }

  /** Looks until the router stops. */
  async run(): Promise<void> {
    const { base } = this.#options.runtime;
    const { clock, log } = base.ports;
    while (!base.stopping.aborted) {
      await clock.sleep(lookMs, base.stopping).catch(() => undefined);
      await this.look().catch((error: unknown) => {
        if (!base.stopping.aborted) log.warn('the desk for batches failed', { error: errorMessage(error) });
      });
    }
  }

  /** Does what is to be done now. */
  async look(): Promise<void> {
    const { batches = noBatches } = await this.#options.book();
    const sessions = await this.#sessions();
    if (sessions.size === 0 && Object.keys(batches.open).length === 0) return;
    await this.#keepTime(sessions);
    await this.#gather(sessions, batches);
    await this.#batches.advance(batches);
    await this.#foreign.look(sessions);
  }

  async #sessions(): Promise<Map<SessionId, Folded<SessionContext>>> {
    const { owned } = this.#options;
    const found = new Map<SessionId, Folded<SessionContext>>();
    for (const session of owned()) {
      if (this.#batched.get(session) === false) continue;
      const state = await this.#read(session);
      if (state === undefined || state.context.terms === null) continue;
      const isBatched = state.context.terms.settlement === 'batched';
      this.#batched.set(session, isBatched);
      if (isBatched && state.value !== 'closed') found.set(session, state);
    }
    return found;
  }

  /** One that cannot be read keeps no other one waiting; whoever takes it up says why. */
  async #read(session: SessionId): Promise<Folded<SessionContext> | undefined> {
    const { runtime } = this.#options;
    try {
      return await runtime.session(session);
    } catch (error) {
      if (runtime.base.stopping.aborted) throw error;
      runtime.base.ports.log.debug('a session cannot be read', { session, code: errorCode(error) });
      return undefined;
    }
  }

  async #keepTime(sessions: ReadonlyMap<SessionId, Folded<SessionContext>>): Promise<void> {
    const { base } = this.#options.runtime;
    const now = base.ports.clock.now();
    for (const [session, state] of sessions) {
      for (const command of dueCommands(state, base.identity.address, now)) {
        await this.#dispatch(session, command, 'deadline');
      }
    }
  }

  async #dispatch(session: SessionId, command: SessionCommand, cause: string): Promise<void> {
    const { runtime } = this.#options;
    try {
      await runtime.dispatch(session, command, `batch:${cause}`);
    } catch (error) {
      // Its next owner looks for itself, and one session holds up no other.
      if (errorCode(error) === 'not_owner') return;
      const { base } = runtime;
      if (base.stopping.aborted || (error instanceof PouwError && error.class === 'unavailable')) throw error;
      const details = { session, code: errorCode(error), error: errorMessage(error) };
      base.ports.log.warn('a batched session does not take what is due', details);
    }
  }

  async #gather(sessions: ReadonlyMap<SessionId, Folded<SessionContext>>, { open }: Batches): Promise<void> {
    const { clock } = this.#options.runtime.base.ports;
    const batches = Object.values(open);
    const now = clock.now();
    if (batches.some(({ step }) => step === 'begun') || now < this.#pausedUntil) return;
    const ready = readyTasks(sessions, await this.#batches.binding(batches));
    this.#noteReady(ready, now);
    if (batches.length >= limits.batchesPostedMax || ready.length === 0) return;
    const since = Math.min(...this.#readySince.values());
    if (ready.length < limits.batchGatheredTasksMax && now - since < gatherMs(batches.length)) return;
    await this.#begin(nextBatch(ready, this.#isApart ? 1 : limits.batchSessionsMax));
  }

  #noteReady(ready: readonly ReadyTask[], now: number): void {
    const there = new Set(ready.map(({ task }) => task.task));
    for (const task of this.#readySince.keys()) if (!there.has(task)) this.#readySince.delete(task);
    for (const task of there) if (!this.#readySince.has(task)) this.#readySince.set(task, now);
  }

  async #begin(chosen: readonly ReadyTask[]): Promise<void> {
    const { content, log } = this.#options.runtime.base.ports;
    const tasks = chosen.map(batchTask).toSorted((a, b) => a.number - b.number);
    const named = { kind: 'batch-tasks', v: 1, tasks } as const;
    const { tree, shares } = buildPrecommits(taskRecords({ tasks: named }));
    const leaves = await content.put(named);
    await content.flush();
    await this.#options.tell({ type: 'BeginBatch', root: tree.root, shares, leaves }, 'batch:gathered');
    log.info('a batch begins', { tasks: tasks.length, sessions: shares.length });
  }

  /** Where it is one session that the chain does not take, its tasks come to nothing; of several, each is tried alone. */
  async #refused({ shares, number }: PostPrecommits, reason: string): Promise<void> {
    const { runtime, book } = this.#options;
    this.#pausedUntil = runtime.base.ports.clock.now() + pauseMs;
    const [share, other] = shares;
    this.#isApart = other !== undefined;
    if (share === undefined || other !== undefined || !sessionRefusals.has(reason)) return;
    const { batches = noBatches } = await book();
    const taken = await this.#batches.binding(Object.values(batches.open));
    for (const [session, state] of await this.#sessions()) {
      if (Number(sessionNumber(session)) !== share.session) continue;
      for (const { task } of readyTasks(new Map([[session, state]]), taken)) {
        const why = `The chain would not set its price aside: ${reason}.`;
        const command = { type: 'GiveUpTask', task: task.task, code: 'batch_refused', reason: why } as const;
        await this.#dispatch(session, command, `refused:${number}`);
      }
    }
  }
}

/** Why the chain takes no task of a session: waiting would not help. */
const sessionRefusals: ReadonlySet<string> = new Set([
  'NotSubmitter',
  'SessionNotOpen',
  'NotBatched',
  'TaskLimitReached',
]);

import type { SessionContext } from '../../../actors/session/context.ts';
import type { SessionCommand } from '../../../actors/session/decide.ts';
import type { SessionEvent } from '../../../actors/session/events.ts';
import type { Event } from '../../core/commit.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { SessionId, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';

/** Departures from which the pace of a queue is read. */
const departuresKept = 64;
/** A client that is refused comes back when about this share of the queue has drained. */
const drainedShare = 1 / 8;

interface Waiting {
  readonly session: SessionId;
  readonly model: string;
  /** Whether the log has the task. */
  isLogged: boolean;
}

/** The tasks of this router's sessions that wait for their miners, and whether there is room for another one. */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #tasks = new Map<TaskId, Waiting>();
  readonly #counts = new Map<string, number>();
  /** When the newest tasks of each model left. */
  readonly #departures = new Map<string, number[]>();
  /** Models whose queue of offers took no more when it was last asked. */
  readonly #full = new Set<string>();

  constructor(clock: Clock, most: number = limits.routerWaitingTasksMax) {
    this.#clock = clock;
    this.#most = most;
  }

  /** Tasks that wait, by model. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Notes whether the queue of offers of a model has room. */
  noteQueue(model: string, isFull: boolean): void {
    if (isFull) this.#full.add(model);
    else this.#full.delete(model);
  }

  /**
   * Runs the submission of a task while a place is kept for it, so that many at the same moment find no more places
   * than there are. A task that waits already has its place.
   *
   * @throws PouwError `queue_full`, and what the submission throws.
   */
  async admit(session: SessionId, task: TaskId, model: string, submit: () => Promise<void>): Promise<void> {
    if (this.#tasks.has(task)) return submit();
    const waiting = this.#counts.get(model) ?? 0;
    if (waiting >= this.#most || (waiting > 0 && this.#full.has(model))) throw this.#fullFor(model, waiting);
    const entry = this.#enter(task, { session, model, isLogged: false });
    try {
      await submit();
    } finally {
      // Refused, or the same request as one that is over: nothing of it waits.
      if (!entry.isLogged && this.#tasks.get(task) === entry) this.#leave(task);
    }
  }

  /** Follows what the log says of tasks. */
  apply(session: SessionId, events: readonly Event[]): void {
    for (const event of events as readonly SessionEvent[]) {
      if (event.type === 'TaskSubmitted') this.#log(session, event.task, event.model);
      else if (departures.has(event.type) && 'task' in event) this.#depart(event.task);
    }
  }

  /** Takes up the waiting tasks of a session that is owned from now on. */
  adopt(session: SessionId, { tasks }: SessionContext): void {
    for (const { value, context } of Object.values(tasks)) {
      if (value === 'queued') this.#log(session, context.task, context.model);
      else this.#leave(context.task);
    }
  }

  /** Lets go of a session that is owned no longer. */
  forget(session: SessionId): void {
    for (const [task, entry] of this.#tasks) if (entry.session === session) this.#leave(task);
  }

  /** After how long there will be room again, by the pace at which tasks have left, in milliseconds. */
  retryAfterMs(model: string): number {
    const times = this.#departures.get(model) ?? [];
    const [oldest = 0] = times;
    const passedMs = Math.max(1, this.#clock.now() - oldest);
    const neededMs = ((this.#counts.get(model) ?? 0) * drainedShare * passedMs) / Math.max(1, times.length);
    const estimate = times.length === 0 ? limits.retryAfterMsMax : Math.ceil(neededMs);
    return Math.min(Math.max(estimate, limits.retryAfterMsMin), limits.retryAfterMsMax);
  }

  #fullFor(model: string, waiting: number): PouwError {
    return new PouwError('queue_full', `The queue of ${model} is full: ${waiting} tasks wait for their miners.`, {
      class: 'busy',
      why: 'Tasks come in faster than the miners of the model do them.',
      hint: 'Send the same request again after the time in retry-after.',
      details: { model, waiting, retryAfterMs: this.retryAfterMs(model) },
    });
  }

  #log(session: SessionId, task: TaskId, model: string): void {
    const known = this.#tasks.get(task);
    if (known === undefined) this.#enter(task, { session, model, isLogged: true });
    else known.isLogged = true;
  }

  #enter(task: TaskId, entry: Waiting): Waiting {
    this.#tasks.set(task, entry);
    this.#counts.set(entry.model, (this.#counts.get(entry.model) ?? 0) + 1);
    return entry;
  }

  #depart(task: TaskId): void {
    const entry = this.#tasks.get(task);
    if (entry === undefined) return;
    const times = [...(this.#departures.get(entry.model) ?? []), this.#clock.now()].slice(-departuresKept);
    this.#leave(task);
    // Of a model that nobody waits for nothing is kept: there may be any number of them.
    if (this.#counts.has(entry.model)) this.#departures.set(entry.model, times);
    else this.#departures.delete(entry.model);
  }

  #leave(task: TaskId): void {
    const entry = this.#tasks.get(task);
    if (entry === undefined) return;
    this.#tasks.delete(task);
    const left = (this.#counts.get(entry.model) ?? 0) - 1;
    if (left > 0) this.#counts.set(entry.model, left);
    else {
      this.#counts.delete(entry.model);
      this.#full.delete(entry.model);
    }
  }
}

/** What a router wants in a client's name: the task of it that waits for miners first. */
export function wishIn(command: SessionCommand): { readonly requestId: Hex; readonly model?: string } | undefined {
  if (command.type === 'SubmitPlan') return command.steps[0];
  return command.type === 'SubmitTask' && command.onChain === null ? command : undefined;
}

/** What ends a task's wait. */
const departures: ReadonlySet<SessionEvent['type']> = new Set([
  'MinersAssigned',
  'TaskSettled',
  'TaskFailed',
  'TaskRefunded',
]);

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { limits } from '../../core/limits.ts';
import { PouwError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** What a {@link GroupCommit} needs from its database. */
export interface GroupCommitOptions {
  readonly clock: Clock;
  /** Runs something soon, after what runs now; `setImmediate` by default. A simulator hands in its own. */
  readonly schedule: (run: () => void) => void;
  /** Makes what was committed durable; undefined where a commit is durable by itself, or need not be. */
  readonly sync: (() => Promise<void>) | undefined;
  /** Writes something that changes nothing: to find out whether the disk takes it again. */
  readonly touch: () => void;
  /** Makes an error of the database one for its users. */
  readonly explain: (error: unknown) => unknown;
  /** Told when a transaction that only held lagging writes failed: nobody else waits for it. */
  readonly onError: (error: unknown) => void;
}

interface WaitingWrite {
  /** Runs the write inside the transaction and keeps its result. */
  readonly run: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Shares transactions, and flushes to the disk, between writes. All writes of one turn of the event loop go into
 * one transaction. Flushes run beside the event loop, one at a time: each covers every transaction that was
 * committed before it began, and then acknowledges their writes in order. Writes that may lag run at once and
 * are made durable by the next transaction, or a short time later.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #options: GroupCommitOptions;
  #waiting: WaitingWrite[] = [];
  /** Committed and not yet flushed. */
  #committed: WaitingWrite[] = [];
  /** Whether something was committed since the last flush began. */
  #unsynced = false;
  #syncing: Promise<void> | undefined;
  /** Set when a flush has failed: nobody knows any more what is on the disk. */
  #broken: { readonly error: unknown } | undefined;
  #scheduled = false;
  #open = false;
  #forgetLag: (() => void) | undefined;
  /** Set when the database has failed, until it takes a write; with what it had changed by then. */
  #failure: { readonly error: unknown; readonly changes: unknown } | undefined;
  #forgetRetry: (() => void) | undefined;
  readonly #rollbackListeners: (() => void)[] = [];
  readonly #selectChanges: StatementSync;

  constructor(database: DatabaseSync, options: GroupCommitOptions) {
    this.#database = database;
    this.#options = options;
    this.#selectChanges = database.prepare('SELECT total_changes() AS changes');
  }

  /** Calls `listener` when a transaction was undone: what was cached of it must go. */
  onRollback(listener: () => void): void {
    this.#rollbackListeners.push(listener);
  }

  /**
   * Why the last write failed; undefined where it did not. As long as it is there, a write is tried every
   * `limits.storeRetryMs`: who is told that the log takes no writes sends none.
   */
  get failure(): { readonly error: unknown } | undefined {
    return this.#broken ?? this.#failure;
  }

  /** Runs `write` in the next transaction; resolves with its result once that is on the disk. */
  async write<T>(write: () => T): Promise<T> {
    this.#refuseWhenBroken();
    if (this.#waiting.length + this.#committed.length >= limits.storePendingWritesMax) throw tooManyWrites();
    return await new Promise<T>((resolve, reject) => {
      let result: T;
      this.#waiting.push({
        run: () => {
          result = write();
        },
        resolve: () => resolve(result),
        reject,
      });
      this.#scheduleGroup();
    });
  }

  /** Runs `write` now. It is read back at once, and durable at the latest after `limits.storeLagMsMax`. */
  writeLagging(write: () => void): void {
    this.#refuseWhenBroken();
    try {
      this.#begin();
      write();
    } catch (error) {
      this.#rollback();
      throw this.#failedWith(error);
    }
    const { clock } = this.#options;
    this.#forgetLag ??= clock.at(clock.now() + limits.storeLagMsMax, () => {
      this.#forgetLag = undefined;
      this.#commitLagging();
    });
  }

  /** Resolves when everything written so far is on the disk. */
  async flush(): Promise<void> {
    if (this.#open || this.#waiting.length > 0 || this.#syncing !== undefined) await this.write(() => undefined);
  }

  /** Resolves when no flush is under way, whatever became of it, and none is begun any more. */
  async end(): Promise<void> {
    await this.#syncing;
    this.#forgetFailure();
  }

  #refuseWhenBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  #scheduleGroup(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.schedule(() => {
      this.#scheduled = false;
      this.#commitGroup();
    });
  }

  #commitGroup(): void {
    const group = this.#waiting.slice(0, limits.storeGroupWritesMax);
    this.#waiting = this.#waiting.slice(group.length);
    if (this.#waiting.length > 0) this.#scheduleGroup();
    try {
      this.#begin();
      for (const write of group) write.run();
      this.#commit();
    } catch (error) {
      this.#rollback();
      const reason = this.#failedWith(error);
      for (const write of group) write.reject(reason);
      return;
    }
    if (this.#options.sync === undefined) for (const write of group) write.resolve();
    else this.#committed.push(...group);
  }

  /** Flushes until everything committed is on the disk. */
  async #syncAll(sync: () => Promise<void>): Promise<void> {
    while (this.#unsynced) {
      this.#unsynced = false;
      const group = this.#committed;
      this.#committed = [];
      try {
        await sync();
        for (const write of group) write.resolve();
      } catch (error) {
        // A second try may succeed over pages that the kernel has given up: only a new start tells what is there.
        this.#broken = { error };
        for (const write of [...group, ...this.#committed.splice(0)]) write.reject(error);
        if (group.length === 0) this.#options.onError(error);
        break;
      }
    }
    this.#syncing = undefined;
  }

  #commitLagging(): void {
    try {
      if (this.#open) this.#commit();
    } catch (error) {
      this.#rollback();
      this.#options.onError(this.#failedWith(error));
    }
  }

  /** Says why a transaction failed, in words for its users, and remembers it. */
  #failedWith(error: unknown): unknown {
    const { clock, explain } = this.#options;
    const reason = explain(error);
    // What a write refuses by itself says nothing about the disk.
    if (reason === error || !this.#database.isOpen) return reason;
    this.#failure = { error: reason, changes: this.#changes() };
    this.#forgetRetry ??= clock.at(clock.now() + limits.storeRetryMs, () => {
      this.#forgetRetry = undefined;
      void this.#retry();
    });
    return reason;
  }

  async #retry(): Promise<void> {
    try {
      await this.write(this.#options.touch);
      this.#forgetFailure();
    } catch {
      // It is remembered like any other.
    }
  }

  /** How many rows were changed so far; a transaction that changes none writes nothing. */
  #changes(): unknown {
    return this.#selectChanges.get()?.['changes'];
  }

  #forgetFailure(): void {
    this.#failure = undefined;
    this.#forgetRetry?.();
    this.#forgetRetry = undefined;
  }

  #begin(): void {
    if (this.#open) return;
    this.#database.exec('BEGIN IMMEDIATE');
    this.#open = true;
  }

  #commit(): void {
    this.#database.exec('COMMIT');
    this.#open = false;
    if (this.#failure !== undefined && this.#changes() !== this.#failure.changes) this.#forgetFailure();
    this.#forgetLag?.();
    this.#forgetLag = undefined;
    const { sync } = this.#options;
    if (sync === undefined) return;
    this.#unsynced = true;
    // After this turn: the writes of the transaction that was just committed are to be in the first flush.
    this.#syncing ??= Promise.resolve().then(() => this.#syncAll(sync));
  }

  #rollback(): void {
    this.#forgetLag?.();
    this.#forgetLag = undefined;
    this.#open = false;
    try {
      // Some failures have rolled the transaction back by themselves.
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch (error) {
      // What led here is told to those who wait; the next BEGIN will tell if the connection is beyond use.
      this.#options.onError(this.#options.explain(error));
    }
    for (const listener of this.#rollbackListeners) listener();
  }
}

function tooManyWrites(): PouwError {
  return new PouwError('log_busy', `More than ${limits.storePendingWritesMax} writes wait for the event log.`, {
    class: 'busy',
    why: 'Writes come in faster than the disk takes them.',
    hint: 'Try again in a moment.',
  });
}

import type { DatabaseSync } from 'node:sqlite';
import { limits } from '../../core/limits.ts';
import { PouwError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** What a {@link GroupCommit} needs from its database. */
export interface GroupCommitOptions {
  readonly clock: Clock;
  /** Runs something soon, after what runs now; `setImmediate` by default. A simulator hands in its own. */
  readonly schedule: (run: () => void) => void;
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
 * Shares transactions, and so flushes to the disk, between writes. All writes of one turn of the event loop
 * go into one transaction and are acknowledged together once it is on the disk. Writes that may lag run at
 * once and are made durable by the next transaction, or a short time later.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #options: GroupCommitOptions;
  #waiting: WaitingWrite[] = [];
  #scheduled = false;
  #open = false;
  #forgetLag: (() => void) | undefined;
  readonly #rollbackListeners: (() => void)[] = [];

  constructor(database: DatabaseSync, options: GroupCommitOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** Calls `listener` when a transaction was undone: what was cached of it must go. */
  onRollback(listener: () => void): void {
    this.#rollbackListeners.push(listener);
  }

  /** Runs `write` in the next transaction; resolves with its result once that is on the disk. */
  async write<T>(write: () => T): Promise<T> {
    if (this.#waiting.length >= limits.storePendingWritesMax) throw tooManyWrites();
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
    try {
      this.#begin();
      write();
    } catch (error) {
      this.#rollback();
      throw this.#options.explain(error);
    }
    const { clock } = this.#options;
    this.#forgetLag ??= clock.at(clock.now() + limits.storeLagMsMax, () => {
      this.#forgetLag = undefined;
      this.#commitLagging();
    });
  }

  /** Resolves when everything written so far is on the disk. */
  async flush(): Promise<void> {
    if (this.#open || this.#waiting.length > 0) await this.write(() => undefined);
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
      const reason = this.#options.explain(error);
      for (const write of group) write.reject(reason);
      return;
    }
    for (const write of group) write.resolve();
  }

  #commitLagging(): void {
    try {
      if (this.#open) this.#commit();
    } catch (error) {
      this.#rollback();
      this.#options.onError(this.#options.explain(error));
    }
  }

  #begin(): void {
    if (this.#open) return;
    this.#database.exec('BEGIN IMMEDIATE');
    this.#open = true;
  }

  #commit(): void {
    this.#database.exec('COMMIT');
    this.#open = false;
    this.#forgetLag?.();
    this.#forgetLag = undefined;
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

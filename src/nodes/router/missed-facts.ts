import type { ChainFact } from '../../core/chain-fact.ts';
import { errorMessage } from '../../core/errors.ts';
import { type SessionId, streamId } from '../../core/ids.ts';
import type { NodeBase } from '../node-base.ts';
import { sessionOf } from './session-facts.ts';

/** What catching up stands on. */
export interface MissedFactsOptions {
  readonly base: NodeBase;
  readonly owns: (session: SessionId) => boolean;
  /** Tells a session its facts, in chain order. */
  readonly see: (facts: readonly ChainFact[]) => Promise<void>;
}

/** Commits at the end of a stream in which its newest fact of the chain is looked for. */
const tailCommits = 64;
const retryMs = 500;
const retryMsMax = 10_000;

/**
 * What the chain said about a session while nobody told it: its last owner was dead, and this router passed
 * the facts over because the session was not its own. They are read once more from the newest block that the
 * session knows of; live facts wait until that is done, so that a session hears everything in order.
 *
 * A session that cannot be told, since its log cannot be read here for one, holds up no other one: the facts that come
 * meanwhile are passed over, and read again once it can.
 */
export class MissedFacts {
  readonly #options: MissedFactsOptions;
  /** First attempts that are under way. */
  readonly #telling = new Map<SessionId, Promise<void>>();
  readonly #openedAt = new Map<SessionId, number>();
  /** Sessions that could not be told, and whether live facts of them were passed over since the last attempt began. */
  readonly #failing = new Map<SessionId, { isBehind: boolean }>();
  #isRetrying = false;

  constructor(options: MissedFactsOptions) {
    this.#options = options;
  }

  /** Remembers the block of a session that the log may not have yet. */
  openedAt(session: SessionId, block: number): void {
    this.#openedAt.set(session, block);
  }

  /** Begins to tell sessions what they missed; goes on by itself until it is done or they are another's. */
  tell(sessions: readonly SessionId[]): void {
    if (sessions.length === 0) return;
    const telling = this.#tellAll(sessions).finally(() => {
      for (const session of sessions) if (this.#telling.get(session) === telling) this.#telling.delete(session);
    });
    for (const session of sessions) this.#telling.set(session, telling);
  }

  /**
   * Resolves once a session has been told what it missed.
   *
   * @returns whether it can be told live facts; where not, the one that is asked for is passed over and read again.
   */
  async told(session: SessionId): Promise<boolean> {
    await this.#telling.get(session);
    const failing = this.#failing.get(session);
    if (failing !== undefined) failing.isBehind = true;
    return failing === undefined;
  }

  /** A session could not be told what is live: it is told again from the chain, by and by. */
  failed(session: SessionId, error: unknown): void {
    const { base } = this.#options;
    if (!this.#failing.has(session))
      base.ports.log.error('a session cannot be told what the chain says', { session, error: errorMessage(error) });
    this.#failing.set(session, { isBehind: true });
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    void this.#retry().finally(() => (this.#isRetrying = false));
  }

  /** All at once, which reads the chain once; where that fails, each by itself. */
  async #tellAll(sessions: readonly SessionId[]): Promise<void> {
    const { owns, base } = this.#options;
    const own = sessions.filter(owns);
    if (own.length === 0 || base.stopping.aborted) return;
    try {
      await this.#tellOnce(own);
    } catch (error) {
      if (base.stopping.aborted) return;
      for (const session of own) this.failed(session, error);
    }
  }

  async #retry(): Promise<void> {
    const { base } = this.#options;
    for (let pauseMs = retryMs; this.#failing.size > 0; pauseMs = Math.min(pauseMs * 2, retryMsMax)) {
      await base.ports.clock.sleep(pauseMs, base.stopping).catch(() => undefined);
      if (base.stopping.aborted) return;
      for (const [session, failing] of this.#failing) await this.#tryAgain(session, failing);
    }
  }

  async #tryAgain(session: SessionId, failing: { isBehind: boolean }): Promise<void> {
    const { base, owns } = this.#options;
    try {
      // What came while it was told was passed over.
      for (failing.isBehind = true; failing.isBehind && owns(session);) {
        failing.isBehind = false;
        await this.#tellOnce([session]);
      }
      this.#failing.delete(session);
    } catch (error) {
      base.ports.log.debug('a session still cannot be told', { session, error: errorMessage(error) });
    }
  }

  async #tellOnce(sessions: readonly SessionId[]): Promise<void> {
    const { base, see } = this.#options;
    const { chain } = base.ports;
    const from = Math.min(...(await Promise.all(sessions.map((session) => this.#newestKnownBlock(session)))));
    const { number: tip } = await chain.block();
    const bySession = new Map<SessionId, ChainFact[]>(sessions.map((session) => [session, []]));
    for (const fact of await chain.facts(from, tip)) {
      const session = sessionOf(fact);
      if (session !== undefined) bySession.get(session)?.push(fact);
    }
    await Promise.all([...bySession.values()].map((facts) => see(facts)));
    for (const session of sessions) this.#openedAt.delete(session);
  }

  /** The newest block of whose facts a session's log speaks; facts of that block may still be missing. */
  async #newestKnownBlock(session: SessionId): Promise<number> {
    const { store, chain } = this.#options.base.ports;
    const stream = streamId('session', session);
    const opened = this.#openedAt.get(session) ?? chain.deployment.fromBlock;
    const head = await store.head(stream);
    if (head === undefined) return opened;
    let newest: number | undefined;
    const last = Math.max(1, head.version - tailCommits + 1);
    for (const fromVersion of last === 1 ? [1] : [last, 1]) {
      for await (const { commit } of store.read(stream, { fromVersion })) {
        for (const event of commit.events) newest = Math.max(newest ?? 0, seenBlock(event['seen']) ?? 0);
      }
      if (newest !== undefined && newest > 0) return newest;
    }
    return opened;
  }
}

function seenBlock(seen: unknown): number | undefined {
  const block = (seen as { block?: unknown } | null | undefined)?.block;
  return typeof block === 'number' ? block : undefined;
}

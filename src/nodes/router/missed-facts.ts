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

/**
 * What the chain said about a session while nobody told it: its last owner was dead, and this router passed
 * the facts over because the session was not its own. They are read once more from the newest block that the
 * session knows of; live facts wait until that is done, so that a session hears everything in order.
 */
export class MissedFacts {
  readonly #options: MissedFactsOptions;
  readonly #telling = new Map<SessionId, Promise<void>>();
  readonly #openedAt = new Map<SessionId, number>();

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
    const telling = this.#untilTold(sessions).finally(() => {
      for (const session of sessions) if (this.#telling.get(session) === telling) this.#telling.delete(session);
    });
    for (const session of sessions) this.#telling.set(session, telling);
  }

  /** Resolves once a session has been told what it missed. */
  async told(session: SessionId): Promise<void> {
    await this.#telling.get(session);
  }

  async #untilTold(sessions: readonly SessionId[]): Promise<void> {
    const { base, owns } = this.#options;
    const { clock, log } = base.ports;
    for (;;) {
      const own = sessions.filter(owns);
      if (own.length === 0 || base.stopping.aborted) return;
      try {
        await this.#tellOnce(own);
        return;
      } catch (error) {
        if (base.stopping.aborted) return;
        const details = { sessions: own.length, error: errorMessage(error), retryInMs: retryMs };
        log.warn('sessions could not be told what they missed', details);
        await clock.sleep(retryMs, base.stopping).catch(() => undefined);
      }
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

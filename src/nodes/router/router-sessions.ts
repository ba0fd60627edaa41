import type { SessionContext } from '../../../actors/session/context.ts';
import type { SessionCommand } from '../../../actors/session/decide.ts';
import { sessionActor } from '../../../actors/session/definition.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { type Address, parseStreamId, type SessionId, type StreamId, streamId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { tokenSubject } from '../../messages/subjects.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { LogIndex } from '../log-index.ts';
import type { NodeBase } from '../node-base.ts';
import { deadAfterMs, type Presence } from '../presence.ts';
import type { Feeds } from './feeds.ts';
import { hearTokens } from './hear-tokens.ts';
import { MissedFacts } from './missed-facts.ts';
import { SessionOwnership } from './ownership.ts';
import type { SessionRuntime } from './session-effects.ts';
import { seeSessionFact, sessionOf } from './session-facts.ts';
import { SessionReader } from './session-reader.ts';
import type { WaitingRoom } from './waiting-room.ts';
import { WatchedTasks } from './watched-tasks.ts';

/** What hosting sessions stands on. */
export interface RouterSessionsOptions {
  readonly base: NodeBase;
  readonly feeds: Feeds;
  readonly presence: Presence;
  readonly waiting: WaitingRoom;
  /** How long a lease on sessions lasts, in milliseconds. */
  readonly leaseMs: number;
  /** The sessions of the log, whoever writes them. */
  readonly index: LogIndex;
}

/** Why a session takes a fact neither now nor when it is told again. */
const misfits: ReadonlySet<string> = new Set(['event_out_of_step', 'escrow_mismatch', 'refund_mismatch']);
/** How long a session that another router should write may take to appear in the log before its fact is told again. */
const loggedWithinMs = 10_000;
const lookMs = 10;

/** The sessions a router owns: takes them up, tells them what the chain says, reads their tokens, lets them go. */
export class RouterSessions implements SessionRuntime {
  readonly base: NodeBase;
  readonly feeds: Feeds;
  readonly presence: Presence;
  readonly ownership: SessionOwnership;
  readonly #waiting: WaitingRoom;
  /** The tasks that are watched here, of sessions that are owned here or not. */
  readonly watched: WatchedTasks;
  readonly #reader: SessionReader;
  readonly #missed: MissedFacts;
  readonly #index: LogIndex;
  readonly #tokens = new Map<SessionId, Subscription>();
  /** Closed sessions that are still answered for, oldest first. */
  readonly #closed = new Set<SessionId>();
  /** Sessions whose first fact is being taken: nothing was missed of them. */
  readonly #arriving = new Set<SessionId>();

  constructor({ base, feeds, presence, waiting, leaseMs, index }: RouterSessionsOptions) {
    this.#waiting = waiting;
    this.base = base;
    this.feeds = feeds;
    this.presence = presence;
    this.#index = index;
    this.#reader = new SessionReader(base.ports);
    const owns = (session: SessionId): boolean => this.owns(session);
    this.watched = new WatchedTasks({ base, feeds, reader: this.#reader, owns });
    this.#missed = new MissedFacts({ base, owns, see: (facts) => this.#see(facts) });
    const { clock, leases, log } = base.ports;
    this.ownership = new SessionOwnership({
      address: base.identity.address,
      leases,
      clock,
      log,
      leaseMs,
      isAlive: (router) => presence.isAlive(router, clock.now()),
      patienceMs: deadAfterMs,
      isQuiet: (session) => feeds.isQuiet(session),
      adopt: (sessions) => this.#adopt(sessions),
      surrender: (sessions) => this.#surrender(sessions),
      stopping: base.stopping,
    });
  }

  /** Makes the sessions of the log known and takes up those that are this router's. */
  async start(sessions: ReadonlyMap<SessionId, readonly Address[]>): Promise<void> {
    await Promise.all([...sessions].map(([session, routers]) => this.ownership.learn(session, routers)));
  }

  owns(session: SessionId): boolean {
    return this.ownership.owns(session);
  }

  /** For the host: the fence of a session's stream; the router's own stream needs none. @throws PouwError `not_owner`. */
  fenceOf(stream: StreamId): number | null {
    const { kind, key } = parseStreamId(stream);
    return kind === 'session' ? this.ownership.fence(key as SessionId, stream) : null;
  }

  /** A session's state: the live one of a session that is owned here, else what the log has. */
  async session(id: SessionId): Promise<Folded<SessionContext>> {
    const stream = streamId('session', id);
    if (this.owns(id)) return (await this.base.host.state(sessionActor, stream)).state;
    return (await this.#reader.read(id)).state;
  }

  /** @throws PouwError `not_owner`, and what the session refuses. */
  async dispatch(session: SessionId, command: SessionCommand, cause: string): Promise<void> {
    await this.base.dispatch(sessionActor, streamId('session', session), command, cause);
  }

  async onFacts(facts: readonly ChainFact[]): Promise<void> {
    const bySession = new Map<SessionId, ChainFact[]>();
    for (const fact of facts) {
      const session = sessionOf(fact);
      if (session === undefined) continue;
      const before = bySession.get(session);
      if (before === undefined) bySession.set(session, [fact]);
      else before.push(fact);
    }
    // Every session is a stream of its own, and of another owner perhaps: none waits for another.
    await Promise.all([...bySession].map(([session, own]) => this.#seeOf(session, own)));
  }

  async onRemoved(facts: readonly ChainFact[]): Promise<void> {
    for (const fact of facts) {
      const session = sessionOf(fact);
      if (session === undefined || !this.owns(session) || !(await this.#missed.told(session))) continue;
      await this.#tell(session, () =>
        this.#whateverFits(fact, () =>
          this.dispatch(session, { type: 'UnseeFact', fact }, `reorg:${fact.place.txHash}`),
        ),
      );
    }
  }

  /** A session the chain opens. It must not be lost: it is written here, or seen to be written by its owner. */
  async #open(session: SessionId, routers: readonly Address[], block: number): Promise<void> {
    const { address } = this.base.identity;
    if (!routers.includes(address)) return;
    const { clock } = this.base.ports;
    this.#missed.openedAt(session, block);
    this.#arriving.add(session);
    await this.ownership.learn(session, routers);
    this.#arriving.delete(session);
    const giveUpAt = clock.now() + loggedWithinMs;
    while (!this.owns(session) && this.#index.routersOf(session).length === 0) {
      if (clock.now() >= giveUpAt) return this.#leave(session, routers);
      await clock.sleep(lookMs, this.base.stopping);
    }
  }

  /** A session that another router of it has taken, and does not write: that one holds up no other session here. */
  async #leave(session: SessionId, routers: readonly Address[]): Promise<void> {
    const owner = await this.ownership.ownerOf(session, routers);
    if (owner === undefined)
      throw new PouwError('session_unowned', `Nobody has taken up the session ${session} yet.`, {
        class: 'unavailable',
        hint: 'Its routers take it up once they can reach the store of leases.',
      });
    if (owner !== this.base.identity.address)
      this.base.ports.log.warn('a session is not written by the router that has taken it', { session, owner });
  }

  async #seeOf(session: SessionId, facts: readonly ChainFact[]): Promise<void> {
    const opened = facts.find((fact) => fact.type === 'SessionOpened');
    if (opened !== undefined) await this.#open(session, opened.terms.routers, opened.place.block);
    if (!this.owns(session) || !(await this.#missed.told(session))) return;
    await this.#tell(session, () => this.#see(facts));
  }

  /** What keeps one session from being told holds up no other one; what is away for all is waited for by all. */
  async #tell(session: SessionId, tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      // Its next owner finds these facts again on chain.
      if (errorCode(error) === 'not_owner') return;
      if (this.base.stopping.aborted || (error instanceof PouwError && error.class === 'unavailable')) throw error;
      this.#missed.failed(session, error);
    }
  }

  async #see(facts: readonly ChainFact[]): Promise<void> {
    for (const fact of facts) {
      if ('session' in fact) await this.#whateverFits(fact, () => seeSessionFact(this, fact));
    }
  }

  /** A fact that its session does not take, now or later, must not stop the ones behind it. */
  async #whateverFits(fact: ChainFact, take: () => Promise<void>): Promise<void> {
    try {
      await take();
    } catch (error) {
      if (!misfits.has(errorCode(error))) throw error;
      const session = sessionOf(fact) ?? '';
      const details = { session, fact: fact.type, error: errorMessage(error) };
      this.base.ports.log.error('a fact of the chain does not fit the session', details);
    }
  }

  async #adopt(sessions: readonly SessionId[]): Promise<void> {
    for (const session of sessions) {
      this.#readTokens(session);
      this.watched.adopted(session);
    }
    const earlier = sessions.filter((session) => !this.#arriving.has(session));
    this.#missed.tell(earlier);
    for (const session of earlier) {
      await this.#takeUp(session).catch((error: unknown) => {
        if (this.base.stopping.aborted || errorCode(error) === 'not_owner') throw error;
        const details = { session, code: errorCode(error), error: errorMessage(error) };
        this.base.ports.log.error('a session was taken up and cannot be read', details);
      });
    }
  }

  async #takeUp(session: SessionId): Promise<void> {
    const state = await this.session(session);
    this.endIfClosed(session, state);
    this.#waiting.adopt(session, state.context);
    for (const folded of Object.values(state.context.tasks)) this.feeds.update(session, folded.context.task, folded);
  }

  /** Of a closed session no task says anything any more; it is still answered for, up to `limits.closedSessionsKept`. */
  endIfClosed(session: SessionId, { value }: Folded<SessionContext>): void {
    if (value !== 'closed' || this.#closed.has(session)) return;
    this.#closed.add(session);
    const tokens = this.#tokens.get(session);
    this.#tokens.delete(session);
    tokens?.close().catch((error: unknown) => {
      const details = { session, error: errorMessage(error) };
      this.base.ports.log.warn('a closed session is still listened to', details);
    });
    if (this.#closed.size <= limits.closedSessionsKept) return;
    const [oldest] = this.#closed;
    if (oldest === undefined) return;
    this.#closed.delete(oldest);
    this.ownership.forget(oldest);
  }

  async #surrender(sessions: readonly SessionId[]): Promise<void> {
    for (const session of sessions) {
      const tokens = this.#tokens.get(session);
      this.#tokens.delete(session);
      await tokens?.close();
    }
    await this.base.host.release(sessions.map((session) => streamId('session', session)));
    for (const session of sessions) {
      this.feeds.drop(session);
      this.#waiting.forget(session);
      this.watched.surrendered(session);
    }
  }

  #readTokens(session: SessionId): void {
    if (this.#tokens.has(session)) return;
    const subscription = hearTokens(this.base, this.feeds, tokenSubject(session, '*', '*'));
    this.#tokens.set(session, subscription);
  }
}

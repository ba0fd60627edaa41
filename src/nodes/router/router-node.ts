import { routerActor } from '../../../actors/router/definition.ts';
import type { RouterContext } from '../../../actors/router/context.ts';
import type { RouterCommand } from '../../../actors/router/decide.ts';
import type { AnchorOnChain } from '../../../actors/router/effects.ts';
import type { SessionContext } from '../../../actors/session/context.ts';
import type { SessionCommand } from '../../../actors/session/decide.ts';
import { sessionActor } from '../../../actors/session/definition.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import type { RecordOutcome, SelectMiners } from '../../../actors/task/effects.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import type { Commit } from '../../core/commit.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { sha256 } from '../../core/hash.ts';
import { type Address, parseStreamId, type SessionId, streamId } from '../../core/ids.ts';
import { heartbeatBody, tokenBody } from '../../messages/bodies.ts';
import { heartbeatSubject, tokenSubject } from '../../messages/subjects.ts';
import type { Inference } from '../../ports/inference.ts';
import type { EffectContext, EffectHandler } from '../../runtime/actor.ts';
import type { FactReader } from '../fact-pump.ts';
import { NodeBase } from '../node-base.ts';
import type { NodeIdentity, NodePorts } from '../ports.ts';
import { Presence } from '../presence.ts';
import { Anchorer } from './anchorer.ts';
import { Feeds } from './feeds.ts';
import { type SelectionDesk, selectMiners } from './select.ts';
import { sessionEffects, type SessionRuntime } from './session-effects.ts';
import { causeOf, seeSessionFact, sessionOf } from './session-facts.ts';
import { guardStreams } from './stream-guard.ts';

/** What a router is started with. */
export interface RouterOptions {
  readonly identity: NodeIdentity;
  readonly ports: NodePorts;
  /** Counts the tokens of prompts. */
  readonly inference: Inference;
  /** Time between two anchors of the log, in milliseconds. */
  readonly anchorEveryMs: number;
  /** Told when a task of this router's sessions has ended. */
  readonly onTaskEnded?: (session: SessionId, task: Folded<TaskContext>) => void;
}

/** Why a session takes a fact neither now nor when it is told again. */
const misfits: ReadonlySet<string> = new Set(['event_out_of_step', 'escrow_mismatch', 'refund_mismatch']);

/** Which of its routers leads a session: the smallest hash, so that sessions spread over them. */
export function leadingRouter(session: SessionId, routers: readonly Address[]): Address | undefined {
  return routers.toSorted((a, b) => (sha256(`${session}/${a}`) < sha256(`${session}/${b}`) ? -1 : 1))[0];
}

/** Hosts sessions, schedules their tasks, relays their streams, keeps the book and anchors the log. */
export class RouterNode implements FactReader, SessionRuntime, SelectionDesk {
  readonly base: NodeBase;
  readonly feeds: Feeds;
  readonly presence = new Presence();
  readonly anchorer: Anchorer;
  readonly inference: Inference;
  readonly #stream;
  readonly #sessions = new Set<SessionId>();
  readonly #background: Promise<void>[] = [];
  #selecting: Promise<void> = Promise.resolve();

  constructor(options: RouterOptions) {
    const { identity, ports, inference, anchorEveryMs, onTaskEnded } = options;
    this.inference = inference;
    this.#stream = streamId('router', identity.address);
    this.feeds = new Feeds({ ended: (session, task) => onTaskEnded?.(session, task) });
    const handlers: Record<string, EffectHandler> = {
      ...sessionEffects(this),
      selectMiners: (effect, context) => selectMiners(this, this, effect as SelectMiners, context),
      recordOutcome: (effect, context) => this.#recordOutcome(effect as RecordOutcome, context),
      anchorOnChain: (effect, context) => this.#anchorOnChain(effect as AnchorOnChain, context),
    };
    this.base = new NodeBase(identity, ports, {
      actors: [sessionActor, routerActor],
      handlers,
      onCommit: (commit, state) => this.#committed(commit, state),
    });
    this.anchorer = new Anchorer({
      base: this.base,
      everyMs: anchorEveryMs,
      book: () => this.book(),
      dispatch: (command, cause) => this.#tell(command, cause),
    });
  }

  get address(): Address {
    return this.base.identity.address;
  }

  /** Takes up the sessions that this router leads, which nobody else may do beside it, then listens. */
  async start(sessions: readonly SessionId[]): Promise<void> {
    await this.#tell({ type: 'StartRouter', router: this.address }, 'start');
    for (const session of sessions) await this.#adopt(session);
    const { clock } = this.base.ports;
    this.base.listen(heartbeatSubject('*', '*'), heartbeatBody, async ({ from, body }, message) => {
      if (message.subject !== heartbeatSubject(body.role, from))
        return this.base.drop('sender_not_allowed', message.subject, 'a heartbeat of somebody else');
      this.presence.beat(from, body, clock.now());
      await this.#tell({ type: 'SeeNode', node: from, models: body.models }, `heartbeat:${from}`);
    });
    this.base.startHeartbeat(() => ({ models: [], load: this.#sessions.size, capacity: 0, draining: false }));
    this.#background.push(
      this.#watchPresence(),
      this.anchorer.run(),
      guardStreams({ base: this.base, feeds: this.feeds, presence: this.presence, dispatch: this.dispatch.bind(this) }),
    );
  }

  /** Whether this router leads a session. */
  owns(session: SessionId): boolean {
    return this.#sessions.has(session);
  }

  /** The router's book about the network. */
  readonly book = async (): Promise<RouterContext> => {
    return (await this.base.host.state(routerActor, this.#stream)).state.context;
  };

  /** One selection at a time: each sees the load of the ones before it. */
  readonly alone = (run: () => Promise<void>): Promise<void> => {
    const mine = this.#selecting.then(run);
    this.#selecting = mine.catch(() => undefined);
    return mine;
  };

  async session(id: SessionId): Promise<Folded<SessionContext>> {
    return (await this.base.host.state(sessionActor, streamId('session', id))).state;
  }

  async dispatch(session: SessionId, command: SessionCommand, cause: string): Promise<void> {
    await this.base.dispatch(sessionActor, streamId('session', session), command, cause);
  }

  async onFacts(facts: readonly ChainFact[]): Promise<void> {
    const bySession = new Map<SessionId, ChainFact[]>();
    for (const fact of facts) {
      if (!('session' in fact)) continue;
      if (fact.type === 'SessionOpened' && leadingRouter(fact.session, fact.terms.routers) === this.address)
        this.#follow(fact.session);
      if (this.owns(fact.session)) bySession.set(fact.session, [...(bySession.get(fact.session) ?? []), fact]);
    }
    // The book and every session are streams of their own: none waits for another's flush to the disk.
    await Promise.all([this.#noteInOrder(facts), ...[...bySession.values()].map((own) => this.#seeInOrder(own))]);
  }

  async onRemoved(facts: readonly ChainFact[]): Promise<void> {
    for (const fact of facts) {
      if (!('session' in fact) || !this.owns(fact.session)) continue;
      const { session } = fact;
      await this.#whateverFits(fact, () =>
        this.dispatch(session, { type: 'UnseeFact', fact }, `reorg:${fact.place.txHash}`),
      );
    }
  }

  /** Stops listening and lets what runs come to an end. */
  async stop(graceMs: number): Promise<void> {
    this.feeds.close();
    await this.base.stop(graceMs);
    await Promise.all(this.#background);
  }

  async #tell(command: RouterCommand, cause: string): Promise<void> {
    await this.base.dispatch(routerActor, this.#stream, command, cause);
  }

  async #noteInOrder(facts: readonly ChainFact[]): Promise<void> {
    for (const fact of facts) await this.#tell({ type: 'SeeFact', fact }, causeOf(fact));
  }

  async #seeInOrder(facts: readonly ChainFact[]): Promise<void> {
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

  /** Leads a session from now on: its tokens are read. */
  #follow(session: SessionId): void {
    if (this.#sessions.has(session)) return;
    this.#sessions.add(session);
    this.base.listen(tokenSubject(session, '*', '*'), tokenBody, ({ from, body }, message) => {
      const taken =
        message.subject.endsWith(`.${body.task}.${from}`) && this.feeds.accept(from, body, this.base.ports.clock.now());
      if (!taken)
        this.base.drop('token_not_expected', message.subject, 'no miner of the task, an old attempt, or out of order');
    });
  }

  async #adopt(session: SessionId): Promise<void> {
    this.#follow(session);
    const { context } = await this.session(session);
    for (const [task, folded] of Object.entries(context.tasks)) {
      if (folded.value !== 'settled' && folded.value !== 'refunded')
        this.feeds.update(session, task as TaskContext['task'], folded);
    }
  }

  #committed(commit: Commit, state: Folded<unknown>): void {
    const { kind, key } = parseStreamId(commit.stream);
    if (kind === 'session') this.feeds.apply(key as SessionId, commit.events, state as Folded<SessionContext>);
  }

  async #recordOutcome(effect: RecordOutcome, { id }: EffectContext): Promise<void> {
    const { task, honest, outliers, timedOut } = effect;
    await this.#tell({ type: 'RecordOutcome', task, honest, outliers, timedOut }, id);
  }

  async #anchorOnChain({ root, manifestDigest, commits }: AnchorOnChain, { id }: EffectContext): Promise<void> {
    try {
      await this.base.send({ call: 'anchor', root, manifestDigest, commits }, id);
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      await this.#tell(
        { type: 'EffectFailed', effect: 'anchorOnChain', code: 'chain_reverted', reason: errorMessage(error) },
        id,
      );
    }
  }

  async #watchPresence(): Promise<void> {
    const { clock, log } = this.base.ports;
    while (!this.base.stopping.aborted) {
      await clock.sleep(500, this.base.stopping).catch(() => undefined);
      for (const { node } of this.presence.takeLost(clock.now())) {
        await this.#tell({ type: 'LoseNode', node }, `silence:${node}`).catch((error: unknown) =>
          log.warn('a loss was not recorded', { node, error: errorMessage(error) }),
        );
      }
    }
  }
}

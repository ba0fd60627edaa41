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
import { digestToCid } from '../../core/cid.ts';
import type { Commit } from '../../core/commit.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { type Address, parseStreamId, type SessionId, streamId, taskId } from '../../core/ids.ts';
import { type BindKeyBody, bindKeyBody, type ClaimBody, claimBody } from '../../messages/bodies.ts';
import { type CarryBody, carryBody } from '../../messages/carry.ts';
import type { Scheduling } from '../../core/scheduling.ts';
import type { Inference } from '../../ports/inference.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { EffectContext, EffectHandler } from '../../runtime/actor.ts';
import type { FactReader } from '../fact-pump.ts';
import type { LogIndex } from '../log-index.ts';
import { NodeBase } from '../node-base.ts';
import type { NodeIdentity, NodePorts } from '../ports.ts';
import { lookMs, Presence } from '../presence.ts';
import { Anchorer } from './anchorer.ts';
import { BatchDesk } from './batch/batch-desk.ts';
import { takePart } from './batch/parts.ts';
import { CarryDesk } from './carry/carry-desk.ts';
import { createManifests } from './carry/manifests.ts';
import { CopyDesk } from './copies/copy-desk.ts';
import { Feeds } from './feeds.ts';
import { OfferDesk } from './offer-desk.ts';
import { requireServed } from './require-served.ts';
import { RouterSessions } from './router-sessions.ts';
import { type SelectionDesk, selectMiners } from './select.ts';
import { SessionDesk } from './session-desk.ts';
import { sessionEffects, type SessionRuntime } from './session-effects.ts';
import { causeOf } from './session-facts.ts';
import { SessionWrites } from './session-writes.ts';
import { hearNodes } from './hear-nodes.ts';
import { guardStreams } from './stream-guard.ts';
import { StreamRepair } from './stream-repair.ts';
import type { TaskFeed } from './task-feed.ts';
import { WaitingRoom, wishIn } from './waiting-room.ts';

/** What a router is started with. */
export interface RouterOptions {
  readonly identity: NodeIdentity;
  readonly ports: NodePorts;
  /** Counts the tokens of prompts. */
  readonly inference: Inference;
  /** Time between two anchors of the log, in milliseconds. */
  readonly anchorEveryMs: number;
  /** How long a lease on sessions lasts, in milliseconds. */
  readonly leaseMs: number;
  /** The queue in which it offers the places of tasks to whoever comes first; it draws miners where there is none. */
  readonly offers?: JobQueue | undefined;
  /** Tasks of a model that may wait for their miners. Default `limits.routerWaitingTasksMax`. */
  readonly waitingTasksMax?: number | undefined;
  /** The sessions and tasks of the log, whoever writes them. */
  readonly index: LogIndex;
  /** Whether all nodes have this router's content: then nothing of it needs a copy. */
  readonly isContentShared?: boolean;
}

/** Hosts sessions, schedules their tasks, relays their streams, keeps the book and anchors the log. */
export class RouterNode implements FactReader, SessionRuntime, SelectionDesk {
  readonly base: NodeBase;
  readonly feeds: Feeds;
  readonly presence = new Presence();
  readonly anchorer: Anchorer;
  readonly inference: Inference;
  readonly sessions: RouterSessions;
  readonly offers: OfferDesk | undefined;
  readonly waiting: WaitingRoom;
  /** Carries to the chain what others have signed. */
  readonly carrying: CarryDesk;
  /** Tasks and cancellations, for whichever router owns their session. */
  readonly writes: SessionWrites;
  /** Told when a task with a feed here has ended; set by the front, which comes after its router. */
  onTaskEnded: (session: SessionId, task: Folded<TaskContext>, feed: TaskFeed) => void = () => {};
  /** Takes the tasks of batched sessions to the chain. */
  readonly batches: BatchDesk;
  readonly #copies: CopyDesk;
  readonly #desk: SessionDesk;
  readonly #stream;
  readonly #background: Promise<void>[] = [];
  readonly #stopFollowing: () => void;
  #selecting: Promise<void> = Promise.resolve();

  constructor(options: RouterOptions) {
    const { identity, ports, inference, anchorEveryMs, leaseMs, index, offers: queue } = options;
    this.inference = inference;
    this.#stream = streamId('router', identity.address);
    this.feeds = new Feeds({ ended: (...ended) => this.#taskEnded(...ended) });
    this.batches = new BatchDesk({
      runtime: this,
      owned: () => this.sessions.ownership.owned(),
      book: () => this.book(),
      tell: (command, cause) => this.#tell(command, cause),
    });
    const handlers: Record<string, EffectHandler> = {
      ...sessionEffects(this, (task) => this.carrying.settled(task)),
      ...this.batches.effects(),
      selectMiners: (effect, context) => selectMiners(this, this, effect as SelectMiners, context),
      recordOutcome: (effect, context) => this.#recordOutcome(effect as RecordOutcome, context),
      anchorOnChain: (effect, context) => this.anchorer.toChain(effect as AnchorOnChain, context),
    };
    this.base = new NodeBase(identity, ports, {
      actors: [sessionActor, routerActor],
      handlers,
      onCommit: (commit, state) => this.#committed(commit, state),
      fenceOf: (stream) => this.sessions.fenceOf(stream),
    });
    const { base, feeds, presence } = this;
    this.waiting = new WaitingRoom(ports.clock, options.waitingTasksMax);
    const { waiting } = this;
    this.sessions = new RouterSessions({ base, feeds, presence, waiting, leaseMs, index });
    const offering = {
      runtime: this,
      presence,
      book: () => this.book(),
      owns: (session: SessionId) => this.owns(session),
      onQueue: (model: string, isFull: boolean) => waiting.noteQueue(model, isFull),
    };
    this.carrying = new CarryDesk({
      base,
      owns: (session) => this.owns(session),
      manifests: createManifests(this),
    });
    const isShared = options.isContentShared ?? false;
    this.#copies = new CopyDesk({ base, index, presence, isShared });
    this.offers = queue === undefined ? undefined : new OfferDesk({ ...offering, queue });
    this.#desk = new SessionDesk({
      base,
      index,
      owns: (session) => this.owns(session),
      session: (session) => this.session(session),
      dispatch: (...command) => this.dispatch(...command),
    });
    const { ownership } = this.sessions;
    this.writes = new SessionWrites({ base, index, ownership, desk: this.#desk, copies: this.#copies });
    this.#stopFollowing = index.listen((session, version) => this.sessions.watched.onCommit(session, version));
    const dispatch = (...told: [RouterCommand, string]): Promise<void> => this.#tell(...told);
    this.anchorer = new Anchorer({ base, everyMs: anchorEveryMs, book: this.book, dispatch });
  }

  get address(): Address {
    return this.base.identity.address;
  }

  /**
   * Listens, and takes up the sessions of the log that are its own to take.
   *
   * @param sessions the sessions of the log with the routers that their terms name.
   */
  async start(sessions: ReadonlyMap<SessionId, readonly Address[]>): Promise<void> {
    await this.#tell({ type: 'StartRouter', router: this.address }, 'start');
    hearNodes(this.base, this.presence, (node, models) =>
      this.#tell({ type: 'SeeNode', node, models }, `heartbeat:${node}`),
    );
    this.base.onCommand('bind-key', 'client', bindKeyBody, ({ id, from, body }) => this.#bindKey(from, body, id));
    this.base.onCommand('claim', 'miner', claimBody, ({ id, from, body }) => this.#claim(from, body, id));
    this.base.onCommand('carry', ['miner', 'validator'], carryBody, ({ id, from, body }) =>
      this.#carry(from, body, id),
    );
    this.#desk.listen();
    this.#copies.listen();
    this.base.startHeartbeat(() => {
      return { models: [], load: this.sessions.ownership.owned().length, capacity: 0, draining: false };
    });
    await this.sessions.start(sessions);
    const { base, feeds, presence } = this;
    const owns = (session: SessionId): boolean => this.owns(session);
    this.#background.push(
      this.#watchPresence(),
      new StreamRepair({ base, feeds, presence, owns }).run(),
      this.anchorer.run(),
      this.sessions.ownership.run(),
      this.batches.run(),
      guardStreams({ base, feeds, presence, owns, dispatch: this.dispatch.bind(this) }),
    );
  }

  /** Whether this router owns a session now. */
  owns(session: SessionId): boolean {
    return this.sessions.owns(session);
  }

  get scheduling(): Scheduling {
    return this.offers === undefined ? 'preassigned' : 'first-come';
  }

  waitingTasks(): ReadonlyMap<string, number> {
    return this.waiting.counts();
  }

  async queuedOffers(model: string): Promise<number> {
    return (await this.offers?.queued(model)) ?? 0;
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

  session(id: SessionId): Promise<Folded<SessionContext>> {
    return this.sessions.session(id);
  }

  /** @throws PouwError `not_owner`, `client_not_served` and `queue_full` for a new task, and what the session refuses. */
  async dispatch(session: SessionId, command: SessionCommand, cause: string): Promise<void> {
    const run = (): Promise<void> => this.sessions.dispatch(session, command, cause);
    const wish = wishIn(command);
    if (wish === undefined) return run();
    const { client, terms, tasks } = (await this.session(session)).context;
    const task = taskId(session, wish.requestId);
    if (tasks[task] === undefined) requireServed(await this.book(), client);
    return this.waiting.admit(session, task, wish.model ?? terms?.model ?? '', run);
  }

  async onFacts(facts: readonly ChainFact[]): Promise<void> {
    // The book and the sessions are streams of their own: neither waits for the other's flush to the disk.
    await Promise.all([this.#noteInOrder(facts), this.sessions.onFacts(facts)]);
    this.carrying.onFacts(facts);
  }

  onRemoved(facts: readonly ChainFact[]): Promise<void> {
    return this.sessions.onRemoved(facts);
  }

  /** Stops listening and lets what runs come to an end. */
  async stop(graceMs: number): Promise<void> {
    this.#stopFollowing();
    this.#copies.stop();
    this.feeds.close();
    await this.base.stop(graceMs);
    await Promise.all([...this.#background, this.#copies.idle()]);
    await this.sessions.ownership.release();
  }

  async #tell(command: RouterCommand, cause: string): Promise<void> {
    await this.base.dispatch(routerActor, this.#stream, command, cause);
  }

  /** Only a session's own client says whose keys may use it. */
  async #bindKey(from: Address, { session, keyHash }: BindKeyBody, cause: string): Promise<void> {
    const { context } = await this.session(session);
    if (context.client !== from) {
      throw new PouwError('sender_not_allowed', `${from} is not the client of ${session}.`, { class: 'forbidden' });
    }
    await this.dispatch(session, { type: 'BindApiKey', keyHash }, cause);
  }

  async #claim(miner: Address, body: ClaimBody, cause: string): Promise<void> {
    if (this.offers === undefined)
      throw new PouwError('offer_closed', 'This router draws miners and offers nothing.', { class: 'conflict' });
    await this.offers.claim(miner, body, cause);
  }

  /** What nodes have signed goes to the chain for a task that is settled by itself, and into a batch for the others. */
  async #carry(from: Address, body: CarryBody, cause: string): Promise<void> {
    const { session } = body;
    const isBatched = this.owns(session) && (await this.session(session)).context.terms?.settlement === 'batched';
    await (isBatched ? takePart(this, from, body, cause) : this.carrying.take(from, body));
    // Before it is on chain: once it is, its miner may be gone.
    if (body.is === 'reveal') this.#copies.copy(digestToCid(body.resultDigest));
  }

  async #noteInOrder(facts: readonly ChainFact[]): Promise<void> {
    for (const fact of facts) {
      // The sessions first: what they are told of is forgotten with it.
      if (fact.type === 'BatchVoid') await this.batches.voided(fact.batch, fact.fault);
      if (fact.type === 'LeafDemanded') await this.batches.show(fact);
      await this.#tell({ type: 'SeeFact', fact }, causeOf(fact));
    }
  }

  #committed(commit: Commit, state: Folded<unknown>): void {
    const { kind, key } = parseStreamId(commit.stream);
    if (kind !== 'session') return;
    const session = state as Folded<SessionContext>;
    this.feeds.apply(key as SessionId, commit.events, session);
    this.waiting.apply(key as SessionId, commit.events);
    this.#copies.apply(commit.events);
    this.sessions.endIfClosed(key as SessionId, session);
  }

  #taskEnded(session: SessionId, task: Folded<TaskContext>, feed: TaskFeed): void {
    this.sessions.watched.ended(session, task.context.task);
    this.onTaskEnded(session, task, feed);
  }

  async #recordOutcome(effect: RecordOutcome, { id }: EffectContext): Promise<void> {
    const { task, honest, outliers, timedOut } = effect;
    await this.#tell({ type: 'RecordOutcome', task, honest, outliers, timedOut }, id);
  }

  async #watchPresence(): Promise<void> {
    const { clock, log } = this.base.ports;
    while (!this.base.stopping.aborted) {
      await clock.sleep(lookMs, this.base.stopping).catch(() => undefined);
      for (const { node } of this.presence.takeLost(clock.now())) {
        await this.#tell({ type: 'LoseNode', node }, `silence:${node}`).catch((error: unknown) =>
          log.warn('a loss was not recorded', { node, error: errorMessage(error) }),
        );
      }
    }
  }
}

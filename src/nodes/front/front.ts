import { hasEnded } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import { PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { type SessionId, streamId, type TaskId, taskId } from '../../core/ids.ts';
import type { Hex } from '../../core/hash.ts';
import { addWei, lessWei, type Wei } from '../../core/wei.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  EmbedRequest,
  EmbedResult,
  GatewayNetwork,
  NetworkHealth,
  TaskHandle,
  TaskPage,
  TaskRequest,
  TaskUpdate,
  WatchFrom,
} from '../../ports/gateway-network.ts';
import type { Inference, ModelInfo } from '../../ports/inference.ts';
import type { SessionView, TaskView } from '../../ports/task-views.ts';
import type { LogIndex } from '../log-index.ts';
import { findTask, findTasks, type FoundTask, type TaskSources } from '../router/find-task.ts';
import type { RouterNode } from '../router/router-node.ts';
import { requestIdReused } from '../router/session-desk.ts';
import type { TaskFeed } from '../router/task-feed.ts';
import type { HeldFeed } from '../router/watched-tasks.ts';
import { sessionView, taskView } from '../task-view.ts';
import { embedByTasks, type EmbedPorts } from './embed.ts';
import { alreadyPaid, chainUnreachable, endingOf, notFound } from './endings.ts';
import { FrontHealth, type WatchedLog } from './front-health.ts';
import { noResult, shownResult } from './shown-result.ts';
import { submittedAtOf } from './submitted-at-of.ts';
import { type PreparedTask, prepareTask } from './task-request.ts';
import { untilSeen } from './until-seen.ts';
import { showEnded, watchHeld } from './watch-task.ts';

/** What moves a session owner's money, where the owner's wallet is kept in this process. */
export interface WalletOf {
  /** @returns whether it was a new one: under a used `requestId` nothing is deposited again. */
  deposit(session: SessionId, amountWei: Wei, requestId?: Hex): Promise<boolean>;
  close(session: SessionId): Promise<void>;
  /** Appeals the outcome of a task; once, however often it is called. */
  appeal(session: SessionId, task: TaskId): Promise<void>;
  /** Whether the wallet of a session's owner is kept here. */
  holds(session: SessionId): boolean;
}

/** What a front stands on. */
export interface FrontOptions {
  readonly routers: readonly RouterNode[];
  readonly index: LogIndex;
  readonly inference: Inference;
  readonly wallet: WalletOf;
  /** The embedding model it serves. */
  readonly embedder: string;
  /** The log, where it is this process that has to write it to its disk. */
  readonly log?: WatchedLog | undefined;
}

/** The network as the gateway sees it, over the routers of this process. */
export class Front implements GatewayNetwork {
  readonly #options: FrontOptions;
  readonly #health: FrontHealth;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#health = new FrontHealth(options.log);
  }

  /** A task has ended: its watchers get its view. Wired to `RouterNode.onTaskEnded`. */
  taskEnded(session: SessionId, task: Folded<TaskContext>, feed: TaskFeed): void {
    const show = this.viewOf(session, task).then((view) => feed.end(endingOf(view)));
    show.catch((error: unknown) => feed.fail(error));
  }

  /** The chain has a new block, for {@link health}. */
  sawBlock(block: number): void {
    this.#health.sawBlock(block);
  }

  /** The chain cannot be reached, or can again: without it no task is taken. */
  chainIs(state: 'down' | 'up'): void {
    this.#health.chainIs(state);
  }

  get isChainDown(): boolean {
    return this.#health.isChainDown;
  }

  authenticate(apiKeyHash: string): SessionId | undefined {
    return this.#options.index.sessionOfKey(apiKeyHash);
  }

  models(): readonly ModelInfo[] {
    const served = new Set(
      this.#options.routers.flatMap((router) =>
        router.presence.alive('miner', router.base.ports.clock.now()).flatMap((miner) => miner.models),
      ),
    );
    return this.#options.inference.models().filter((model) => served.has(model.id));
  }

  knowsModel(id: string): boolean {
    return this.#options.inference.models().some((model) => model.id === id);
  }

  async session(id: SessionId): Promise<SessionView> {
    const folded = await this.routerFor(id).session(id);
    if (folded.context.session === null) throw notFound('session_not_found', 'session', id);
    return sessionView(folded);
  }

  async submit(request: TaskRequest, signal: AbortSignal): Promise<TaskHandle> {
    const { context } = await this.routerFor(request.session).session(request.session);
    if (context.terms === null) throw notFound('session_not_found', 'session', request.session);
    const prepared = await prepareTask(request, context.terms, this.#options.inference);
    return this.#submit(request, prepared, signal);
  }

  async #submit(
    {
      session,
      requestId: given,
      maxPriceWei,
      delivery,
    }: Pick<TaskRequest, 'session' | 'requestId' | 'maxPriceWei' | 'delivery'>,
    { content, promptTokens, maxTokens }: PreparedTask,
    signal: AbortSignal,
  ): Promise<TaskHandle> {
    const router = this.routerFor(session);
    const requestId = given ?? router.base.ports.random.bytes32();
    const task = taskId(session, requestId);
    const { content: store } = router.base.ports;
    const prompt = await store.put(content);
    // The log must not name a prompt that a crash can take away.
    await store.flush();
    signal.throwIfAborted();
    if (this.isChainDown) throw chainUnreachable();
    const before = await this.#find(task);
    if (before !== undefined && before.task.context.prompt !== prompt) throw requestIdReused();
    if (before !== undefined) {
      const submittedAt = await submittedAtOf(router, session, task, before.task);
      return { task, created: false, submittedAt, updates: this.watch(task, signal) };
    }
    const { model } = content;
    const asked = { session, requestId, prompt, promptTokens, maxTokens, model, maxPriceWei: maxPriceWei ?? null };
    // Whoever owns the session: its miners are heard before they may begin.
    const held = await router.sessions.watched.hold(session, task, delivery);
    try {
      const created = await router.writes.submit(asked, signal);
      const submittedAt = await submittedAtOf(router, session, task);
      return { task, created, submittedAt, updates: watchHeld(held, signal) };
    } catch (error) {
      held.release();
      throw error;
    }
  }

  async task(id: TaskId): Promise<TaskView | undefined> {
    const found = await this.#find(id);
    return found === undefined ? undefined : this.viewOf(found.session, found.task);
  }

  async tasks(session: SessionId, page: { readonly after?: TaskId; readonly limit: number }): Promise<TaskPage> {
    const router = this.routerFor(session);
    const ids = this.#options.index.tasksOf(session, page.after, page.limit + 1);
    const shown = ids.slice(0, page.limit);
    const found = await findTasks(this.#sources(router), session, shown);
    const tasks = await Promise.all(found.map(({ task }) => this.viewOf(session, task)));
    const last = shown.at(-1);
    return { tasks, ...(ids.length > page.limit && last !== undefined ? { after: last } : {}) };
  }

  async *watch(id: TaskId, signal: AbortSignal, from?: WatchFrom): AsyncGenerator<TaskUpdate> {
    const found = await this.#find(id);
    if (found === undefined) throw notFound('task_not_found', 'task', id);
    const held = await this.#hold(found, id);
    if (held !== undefined) {
      yield* watchHeld(held, signal, from);
      return;
    }
    yield* showEnded(await this.viewOf(found.session, found.task), from?.after);
  }

  /** The feed of a task that goes on, or whose words are still held here; undefined for others. */
  async #hold({ session, task, isLive }: FoundTask, id: TaskId): Promise<HeldFeed | undefined> {
    const router = this.routerFor(session);
    const isKnown = router.feeds.hasTask(id) && !router.feeds.get(id)?.failed;
    if (!isLive || (hasEnded(task) && !isKnown)) return undefined;
    return router.sessions.watched.hold(session, id, 'fast');
  }

  async cancel(id: TaskId, reason: string): Promise<TaskView> {
    const found = await this.#find(id);
    if (found === undefined) throw notFound('task_not_found', 'task', id);
    const { session, task } = found;
    if (task.value === 'settled') throw alreadyPaid(id);
    if (!hasEnded(task)) await this.routerFor(session).writes.cancel({ session, task: id, reason });
    return (await this.task(id)) ?? this.viewOf(session, task);
  }

  async embed(request: EmbedRequest, signal: AbortSignal): Promise<EmbedResult> {
    this.#requireEmbedder(request.model);
    const { session } = request;
    const submit: EmbedPorts['submit'] = (content, promptTokens, requestId, ends) => {
      const named = requestId === undefined ? {} : { requestId };
      return this.#submit({ session, delivery: 'verified', ...named }, { content, promptTokens, maxTokens: 1 }, ends);
    };
    return embedByTasks({ submit, cancel: (task, reason) => this.cancel(task, reason) }, request, signal);
  }

  async decode(model: string, lists: readonly (readonly number[])[]): Promise<readonly string[]> {
    this.#requireEmbedder(model);
    return this.#options.inference.decode(model, lists);
  }

  #requireEmbedder(model: string): void {
    const { embedder } = this.#options;
    if (model === embedder) return;
    throw new PouwError('model_not_found', `There is no embedding model ${model} here.`, {
      class: 'not-found',
      param: 'model',
      hint: `Use ${embedder}.`,
    });
  }

  async deposit(session: SessionId, amountWei: Wei, requestId?: Hex): Promise<SessionView> {
    const look = () => this.session(session);
    const before = (await look()).money.depositedWei;
    const isNew = await this.#wallet(session).deposit(session, amountWei, requestId);
    if (!isNew) return this.session(session);
    return untilSeen(
      this.#clockFor(session),
      look,
      ({ money }) => !lessWei(money.depositedWei, addWei(before, amountWei)),
    );
  }

  async closeSession(session: SessionId): Promise<SessionView> {
    const look = () => this.session(session);
    const { state } = await look();
    if (state === 'closed' || state === 'draining') return this.session(session);
    await this.#wallet(session).close(session);
    return untilSeen(this.#clockFor(session), look, (view) => view.state === 'closed' || view.state === 'draining');
  }

  async appeal(id: TaskId): Promise<TaskView> {
    const found = await this.#find(id);
    if (found === undefined) throw notFound('task_not_found', 'task', id);
    const { session } = found;
    await this.#wallet(session).appeal(session, id);
    const look = async (): Promise<TaskView> => (await this.task(id)) ?? this.viewOf(session, found.task);
    return untilSeen(this.#clockFor(session), look, ({ appeal }) => appeal !== undefined);
  }

  health(): NetworkHealth {
    const { routers } = this.#options;
    const first = routers[0];
    const miners = first === undefined ? 0 : first.presence.alive('miner', first.base.ports.clock.now()).length;
    return this.#health.report(miners);
  }

  #clockFor(session: SessionId): Clock {
    return this.routerFor(session).base.ports.clock;
  }

  #wallet(session: SessionId): WalletOf {
    const { wallet } = this.#options;
    if (wallet.holds(session)) return wallet;
    throw new PouwError('wallet_not_held', 'The wallet of the session’s owner is not kept here.', {
      class: 'forbidden',
      hint: 'Do it on chain, from the owner’s account.',
    });
  }

  /**
   * The router of this process that answers for a session: its owner, else one that its terms name, else any.
   *
   * @throws PouwError `session_not_found` where the log has no such session.
   */
  routerFor(session: SessionId): RouterNode {
    const { routers, index } = this.#options;
    const named = index.routersOf(session);
    const router =
      routers.find((one) => one.owns(session)) ?? routers.find(({ address }) => named.includes(address)) ?? routers[0];
    if (router === undefined || named.length === 0) throw notFound('session_not_found', 'session', session);
    return router;
  }

  async #find(id: TaskId): Promise<FoundTask | undefined> {
    const { index, routers } = this.#options;
    const fed = routers.map(({ feeds }) => feeds.sessionOf(id)).find((one) => one !== undefined);
    const session = index.task(id)?.session ?? fed;
    return session === undefined ? undefined : findTask(this.#sources(this.routerFor(session)), id, session);
  }

  #sources(router: RouterNode): TaskSources {
    return { index: this.#options.index, store: router.base.ports.store, session: (id) => router.session(id) };
  }

  /** A task as clients see it. */
  async viewOf(session: SessionId, task: Folded<TaskContext>): Promise<TaskView> {
    const { verdict, slots, task: id } = task.context;
    const result = slots.find((slot) => slot.miner === verdict?.winner)?.result ?? null;
    const content = result === null ? noResult : await shownResult(this.routerFor(session).base.ports, result);
    const endedVersion = this.#options.index.task(id)?.endedVersion;
    const covering = endedVersion === undefined ? null : (this.#covering(session, endedVersion) ?? null);
    return taskView(session, task, { ...content, anchor: covering });
  }

  #covering(session: SessionId, version: number): TaskView['anchor'] {
    for (const router of this.#options.routers) {
      const found = router.anchorer.covering(streamId('session', session), version);
      if (found !== null) return { epoch: found.epoch, root: found.root };
    }
    return null;
  }
}

import { taskOf } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import { PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { type SessionId, streamId, type TaskId, taskId } from '../../core/ids.ts';
import type { Hex } from '../../core/hash.ts';
import { addWei, lessWei, type Wei } from '../../core/wei.ts';
import type {
  EmbedRequest,
  EmbedResult,
  GatewayNetwork,
  NetworkHealth,
  TaskHandle,
  TaskPage,
  TaskRequest,
  TaskUpdate,
} from '../../ports/gateway-network.ts';
import type { Inference, ModelInfo } from '../../ports/inference.ts';
import type { SessionView, TaskView } from '../../ports/task-views.ts';
import type { LogIndex } from '../log-index.ts';
import type { RouterNode } from '../router/router-node.ts';
import { sessionView, taskView } from '../task-view.ts';
import { embedByTasks, type EmbedPorts } from './embed.ts';
import { chainUnreachable, endingOf, notFound, requestIdReused } from './endings.ts';
import { findTasks, type FoundTask, type TaskSources } from './find-task.ts';
import { noResult, shownResult } from './shown-result.ts';
import { type PreparedTask, prepareTask } from './task-request.ts';

/** How long a fact of the chain may take to reach a router. */
const factWithinMs = 5_000;

/** What moves a session owner's money, where the owner's wallet is kept in this process. */
export interface WalletOf {
  /** @returns whether it was a new one: under a used `requestId` nothing is deposited again. */
  deposit(session: SessionId, amountWei: Wei, requestId?: Hex): Promise<boolean>;
  close(session: SessionId): Promise<void>;
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
}

/** The network as the gateway sees it, over the routers of this process. */
export class Front implements GatewayNetwork {
  readonly #options: FrontOptions;
  #block = 0;
  #chain: 'down' | 'up' = 'up';

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  /** A task has ended: its watchers get its view. Wired to `RouterOptions.onTaskEnded`. */
  taskEnded(session: SessionId, task: Folded<TaskContext>): void {
    const feed = this.#routerOf(session)?.feeds.get(task.context.task);
    if (feed === undefined) return;
    const show = this.#view(session, task).then((view) => feed.end(endingOf(view)));
    show.catch((error: unknown) => feed.fail(error));
  }

  /** The chain has a new block, for {@link health}. */
  sawBlock(block: number): void {
    this.#block = Math.max(this.#block, block);
  }

  /** The chain cannot be reached, or can again: without it no task is taken. */
  chainIs(state: 'down' | 'up'): void {
    this.#chain = state;
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

  async session(id: SessionId): Promise<SessionView> {
    const router = this.#routerOf(id);
    const folded = router === undefined ? undefined : await router.session(id);
    if (folded === undefined || folded.context.session === null) throw notFound('session_not_found', 'session', id);
    return sessionView(folded);
  }

  async submit(request: TaskRequest, signal: AbortSignal): Promise<TaskHandle> {
    const { context } = await this.#mustOwn(request.session).session(request.session);
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
    const router = this.#mustOwn(session);
    const requestId = given ?? router.base.ports.random.bytes32();
    const task = taskId(session, requestId);
    const { content: store } = router.base.ports;
    const prompt = await store.put(content);
    // The log must not name a prompt that a crash can take away.
    await store.flush();
    signal.throwIfAborted();
    if (this.#chain === 'down') throw chainUnreachable();
    const before = await this.#find(task);
    if (before !== undefined && before.task.context.prompt !== prompt) throw requestIdReused();
    if (before !== undefined) return { task, created: false, updates: this.watch(task, signal) };
    const isOurs = router.feeds.get(task) === undefined;
    const feed = router.feeds.open(session, task, delivery);
    try {
      const by = router.address;
      const common = {
        prompt,
        promptTokens,
        maxTokens,
        model: content.model,
        maxPriceWei: maxPriceWei ?? null,
        onChain: null,
      };
      await router.dispatch(session, { type: 'SubmitTask', requestId, by, ...common }, `request:${requestId}`);
    } catch (error) {
      // Another request with the same id may have won meanwhile: then the feed is that one's.
      const { context } = await router.session(session);
      if (isOurs && taskOf(context, task) === undefined) router.feeds.discard(task);
      throw error;
    }
    return { task, created: isOurs, updates: feed.watch(signal) };
  }

  async task(id: TaskId): Promise<TaskView | undefined> {
    const found = await this.#find(id);
    return found === undefined ? undefined : this.#view(found.session, found.task);
  }

  async tasks(session: SessionId, page: { readonly after?: TaskId; readonly limit: number }): Promise<TaskPage> {
    const router = this.#mustOwn(session);
    const ids = this.#options.index.tasksOf(session, page.after, page.limit + 1);
    const shown = ids.slice(0, page.limit);
    const found = await findTasks(this.#sources(router), session, shown);
    const tasks = await Promise.all(found.map(({ task }) => this.#view(session, task)));
    const last = shown.at(-1);
    return { tasks, ...(ids.length > page.limit && last !== undefined ? { after: last } : {}) };
  }

  async *watch(id: TaskId, signal: AbortSignal): AsyncGenerator<TaskUpdate> {
    const found = await this.#find(id);
    if (found === undefined) throw notFound('task_not_found', 'task', id);
    const feed = found.isLive ? this.#routerOf(found.session)?.feeds.get(id) : undefined;
    if (feed !== undefined) {
      yield* feed.watch(signal);
      return;
    }
    const view = await this.#view(found.session, found.task);
    yield { type: 'state', state: view.state };
    if (view.text !== null && view.finishReason !== null) {
      yield {
        type: 'done',
        text: view.text,
        finishReason: view.finishReason,
        promptTokens: view.promptTokens,
        outputTokens: view.outputTokens,
      };
    }
    yield endingOf(view);
  }

  async cancel(id: TaskId, reason: string): Promise<TaskView> {
    const found = await this.#find(id);
    if (found === undefined) throw notFound('task_not_found', 'task', id);
    const ended = found.task.value === 'settled' || found.task.value === 'refunded';
    if (!ended)
      await this.#mustOwn(found.session).dispatch(
        found.session,
        { type: 'CancelTask', task: id, reason },
        `cancel:${id}`,
      );
    return (await this.task(id)) ?? this.#view(found.session, found.task);
  }

  async embed(request: EmbedRequest, signal: AbortSignal): Promise<EmbedResult> {
    const { embedder } = this.#options;
    if (request.model !== embedder) {
      throw new PouwError('model_not_found', `There is no embedding model ${request.model} here.`, {
        class: 'not-found',
        param: 'model',
        hint: `Use ${embedder}.`,
      });
    }
    const { session } = request;
    const submit: EmbedPorts['submit'] = (content, promptTokens, requestId, ends) => {
      const named = requestId === undefined ? {} : { requestId };
      return this.#submit({ session, delivery: 'verified', ...named }, { content, promptTokens, maxTokens: 1 }, ends);
    };
    return embedByTasks({ submit, cancel: (task, reason) => this.cancel(task, reason) }, request, signal);
  }

  async deposit(session: SessionId, amountWei: Wei, requestId?: Hex): Promise<SessionView> {
    const before = (await this.session(session)).money.depositedWei;
    const isNew = await this.#wallet(session).deposit(session, amountWei, requestId);
    if (!isNew) return this.session(session);
    return this.#until(session, ({ money }) => !lessWei(money.depositedWei, addWei(before, amountWei)));
  }

  async closeSession(session: SessionId): Promise<SessionView> {
    const { state } = await this.session(session);
    if (state === 'closed' || state === 'draining') return this.session(session);
    await this.#wallet(session).close(session);
    return this.#until(session, (view) => view.state === 'closed' || view.state === 'draining');
  }

  health(): NetworkHealth {
    const { routers } = this.#options;
    const first = routers[0];
    const miners = first === undefined ? 0 : first.presence.alive('miner', first.base.ports.clock.now()).length;
    if (this.#chain === 'down') {
      return { ready: false, reason: 'The chain cannot be reached.', miners, block: this.#block };
    }
    return miners > 0
      ? { ready: true, miners, block: this.#block }
      : { ready: false, reason: 'No miner is alive.', miners, block: this.#block };
  }

  #wallet(session: SessionId): WalletOf {
    const { wallet } = this.#options;
    if (wallet.holds(session)) return wallet;
    throw new PouwError('wallet_not_held', 'The wallet of the session’s owner is not kept here.', {
      class: 'forbidden',
      hint: 'Do it on chain, from the owner’s account.',
    });
  }

  /** The chain's word reaches the wallet first and the router a moment later. */
  async #until(session: SessionId, test: (view: SessionView) => boolean): Promise<SessionView> {
    const { clock } = this.#mustOwn(session).base.ports;
    const giveUpAt = clock.now() + factWithinMs;
    for (;;) {
      const view = await this.session(session);
      if (test(view) || clock.now() >= giveUpAt) return view;
      await clock.sleep(10);
    }
  }

  #routerOf(session: SessionId): RouterNode | undefined {
    return this.#options.routers.find((router) => router.owns(session));
  }

  #mustOwn(session: SessionId): RouterNode {
    const router = this.#routerOf(session);
    if (router === undefined) throw notFound('session_not_found', 'session', session);
    return router;
  }

  async #find(id: TaskId): Promise<FoundTask | undefined> {
    const session = this.#options.index.task(id)?.session;
    const router = session === undefined ? undefined : this.#routerOf(session);
    if (session === undefined || router === undefined) return undefined;
    return (await findTasks(this.#sources(router), session, [id]))[0];
  }

  #sources(router: RouterNode): TaskSources {
    return { index: this.#options.index, store: router.base.ports.store, session: (id) => router.session(id) };
  }

  async #view(session: SessionId, task: Folded<TaskContext>): Promise<TaskView> {
    const { verdict, slots, task: id } = task.context;
    const result = slots.find((slot) => slot.miner === verdict?.winner)?.result ?? null;
    const content = result === null ? noResult : await shownResult(this.#mustOwn(session).base.ports, result);
    const endedVersion = this.#options.index.task(id)?.endedVersion;
    const covering = endedVersion === undefined ? null : (this.#covering(session, endedVersion) ?? null);
    return taskView(session, task, {
      ...content,
      anchor: covering,
    });
  }

  #covering(session: SessionId, version: number): TaskView['anchor'] {
    for (const router of this.#options.routers) {
      const found = router.anchorer.covering(streamId('session', session), version);
      if (found !== null) return { epoch: found.epoch, root: found.root };
    }
    return null;
  }
}

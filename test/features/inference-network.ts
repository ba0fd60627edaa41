import { EventEmitter, once } from 'node:events';
import { present } from '../../src/core/assert.ts';
import { contentCid } from '../../src/core/cid.ts';
import { errorCode, errorMessage, PouwError } from '../../src/core/errors.ts';
import { bytesToHex, type Hex, keccak256, sha256 } from '../../src/core/hash.ts';
import { sessionId, type SessionId, taskId, type TaskId, toAddress } from '../../src/core/ids.ts';
import { samplingSeed } from '../../src/core/precommit.ts';
import { plainTerms } from '../../src/core/session-terms.ts';
import { addWei, lessWei, subWei, timesWei, type Wei, wei, zeroWei } from '../../src/core/wei.ts';
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
} from '../../src/ports/gateway-network.ts';
import type { Inference, ModelInfo } from '../../src/ports/inference.ts';
import type { SessionView, TaskState, TaskView } from '../../src/ports/task-views.ts';

const miner = toAddress(`0x${'11'.repeat(20)}`);
const validator = toAddress(`0x${'22'.repeat(20)}`);
const client = toAddress(`0x${'33'.repeat(20)}`);
const contract = toAddress(`0x${'44'.repeat(20)}`);
const generationTimeoutMs = 60_000;

/** A task: what has happened to it so far, for whoever watches, however late. */
interface RunningTask {
  view: TaskView;
  readonly request: TaskRequest;
  readonly submittedAt: number;
  readonly updates: TaskUpdate[];
  readonly changed: EventEmitter;
  readonly cancelled: AbortController;
}

/** What an {@link InferenceNetwork} is made of. */
export interface InferenceNetworkOptions {
  readonly inference: Inference;
  readonly chatModel: string;
  /** The sessions' balances by API key. */
  readonly balances: Readonly<Record<string, Wei>>;
}

/**
 * A network of one miner that everybody trusts: it runs real models and keeps sessions and tasks in memory, so
 * that the gateway can be tried with everything it asks of a network and without a chain.
 */
export class InferenceNetwork implements GatewayNetwork {
  /** Generations under way. */
  running = 0;
  /** Updates that watchers have taken, all together. */
  watched = 0;
  /** Set to have every call fail that a broken network would fail. */
  outage: PouwError | undefined;
  readonly #options: InferenceNetworkOptions;
  readonly #sessions = new Map<SessionId, SessionView>();
  readonly #keys = new Map<string, SessionId>();
  readonly #tasks = new Map<TaskId, RunningTask>();

  constructor(options: InferenceNetworkOptions) {
    this.#options = options;
    Object.entries(options.balances).forEach(([key, balanceWei], index) => {
      const id = sessionId(31_337, contract, index + 1);
      this.#keys.set(sha256(key), id);
      this.#sessions.set(id, newSession(id, options.chatModel, balanceWei));
    });
  }

  authenticate(apiKeyHash: string): SessionId | undefined {
    return this.#keys.get(apiKeyHash);
  }

  knowsModel(id: string): boolean {
    return this.models().some((model) => model.id === id);
  }

  models(): readonly ModelInfo[] {
    return this.#options.inference.models();
  }

  async session(id: SessionId): Promise<SessionView> {
    if (this.outage !== undefined) throw this.outage;
    return present(this.#sessions.get(id), `session ${id}`);
  }

  async submit(request: TaskRequest, signal: AbortSignal): Promise<TaskHandle> {
    if (this.outage !== undefined) throw this.outage;
    signal.throwIfAborted();
    const requestId = request.requestId ?? bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
    const id = taskId(request.session, requestId);
    const known = this.#tasks.has(id);
    if (!known) this.#start(id, request);
    const { submittedAt } = present(this.#tasks.get(id), id);
    return { task: id, created: !known, submittedAt, updates: this.watch(id, signal) };
  }

  async task(id: TaskId): Promise<TaskView | undefined> {
    return this.#tasks.get(id)?.view;
  }

  async tasks(session: SessionId, { after, limit }: { after?: TaskId; limit: number }): Promise<TaskPage> {
    const ids = [...this.#tasks].filter(([, { view }]) => view.session === session).map(([id]) => id);
    const newestFirst = ids.toReversed();
    const from = after === undefined ? 0 : newestFirst.indexOf(after) + 1;
    const page = newestFirst.slice(from, from + limit);
    const last = page.at(-1);
    const more = from + limit < newestFirst.length && last !== undefined;
    return { tasks: page.map((id) => present(this.#tasks.get(id), id).view), ...(more ? { after: last } : {}) };
  }

  async *watch(
    id: TaskId,
    signal: AbortSignal,
    { after = -1, delivery = 'fast' }: WatchFrom = {},
  ): AsyncIterable<TaskUpdate> {
    const task = this.#tasks.get(id);
    if (task === undefined) throw new PouwError('task_not_found', `There is no task ${id}.`, { class: 'not-found' });
    const words: TaskUpdate[] = [];
    for (let next = 0; ; next += 1) {
      while (task.updates.length === next) {
        signal.throwIfAborted();
        await once(task.changed, 'changed', { signal }).catch(() => signal.throwIfAborted());
      }
      signal.throwIfAborted();
      const update = present(task.updates[next], 'an update');
      this.watched += 1;
      const isLast = update.type === 'verdict' || update.type === 'failed';
      if (update.type === 'verdict') yield* words;
      if (update.type === 'token' && update.index <= after) continue;
      if (delivery === 'verified' && (update.type === 'token' || update.type === 'done')) words.push(update);
      else yield update;
      if (isLast) return;
    }
  }

  async cancel(id: TaskId, reason: string): Promise<TaskView> {
    const task = present(this.#tasks.get(id), `task ${id}`);
    task.cancelled.abort(new PouwError('task_cancelled', `The task was cancelled: ${reason}`, { class: 'invalid' }));
    return task.view;
  }

  async embed({ model, texts }: EmbedRequest, signal: AbortSignal): Promise<EmbedResult> {
    return this.#options.inference.embed(model, texts, signal);
  }

  decode(model: string, lists: readonly (readonly number[])[]): Promise<readonly string[]> {
    return this.#options.inference.decode(model, lists);
  }

  async deposit(id: SessionId, amountWei: Wei): Promise<SessionView> {
    const { money } = await this.session(id);
    return this.#pay(id, {
      depositedWei: addWei(money.depositedWei, amountWei),
      balanceWei: addWei(money.balanceWei, amountWei),
    });
  }

  async appeal(id: TaskId): Promise<TaskView> {
    const view = await this.task(id);
    if (view === undefined) throw new PouwError('task_not_found', 'no such task', { class: 'not-found' });
    return { ...view, appeal: { state: 'open', appellant: toAddress(`0x${'0c'.repeat(20)}`), attestBy: 9_000 } };
  }

  async closeSession(id: SessionId): Promise<SessionView> {
    const session = await this.session(id);
    const { balanceWei, refundedWei } = session.money;
    this.#sessions.set(id, { ...session, state: 'closed' });
    return this.#pay(id, { balanceWei: zeroWei, refundedWei: addWei(refundedWei, balanceWei) });
  }

  health(): NetworkHealth {
    const reason = this.outage?.message;
    return { ready: reason === undefined, miners: 1, block: 1, ...(reason === undefined ? {} : { reason }) };
  }

  #start(id: TaskId, request: TaskRequest): void {
    const { money, terms, state, counts } = present(this.#sessions.get(request.session), 'a session');
    if (state === 'closed')
      throw new PouwError('session_closing', 'The session is closed.', { class: 'forbidden', hint: 'Open a new one.' });
    const escrowWei = timesWei(terms.outputTokenWei, request.maxTokens);
    if (lessWei(money.balanceWei, escrowWei)) {
      const topUpWei = subWei(escrowWei, money.balanceWei);
      throw new PouwError('insufficient_balance', `The task may cost ${escrowWei} wei.`, {
        class: 'payment',
        hint: `Deposit at least ${topUpWei} wei more.`,
        details: { topUpWei },
      });
    }
    this.#count(request.session, { submitted: counts.submitted + 1 });
    this.#pay(request.session, {
      balanceWei: subWei(money.balanceWei, escrowWei),
      escrowedWei: addWei(money.escrowedWei, escrowWei),
    });
    const view = newTask(id, request, escrowWei);
    const cancelled = new AbortController();
    const submittedAt = Date.now();
    const task: RunningTask = { view, request, submittedAt, updates: [], changed: new EventEmitter(), cancelled };
    task.changed.setMaxListeners(0);
    this.#tasks.set(id, task);
    void this.#run(task).catch((error: unknown) => this.#fail(task, error));
  }

  async #run(task: RunningTask): Promise<void> {
    const { session, model, prompt, sampling, maxTokens, stop, topLogprobs, delivery } = task.request;
    for (const state of ['queued', 'assigned', 'executing'] as const) enter(task, state);
    const seed = samplingSeed(session, task.view.task, 0, 0, miner);
    const { signal } = task.cancelled;
    const held: TaskUpdate[] = [];
    let text = '';
    this.running += 1;
    try {
      const events = this.#options.inference.generate({
        model,
        prompt,
        maxTokens,
        stop,
        topLogprobs,
        signal,
        sampling: { ...sampling, seed },
        timeoutMs: generationTimeoutMs,
      });
      for await (const event of events) {
        if (event.type === 'prefix') continue;
        text += event.text;
        held.push(event);
        if (event.type === 'done') finish(task, text, event);
        if (delivery === 'fast' && event.type === 'token') report(task, ...held.splice(0));
      }
    } finally {
      this.running -= 1;
    }
    signal.throwIfAborted();
    for (const state of ['precommitted', 'committed', 'validated'] as const) enter(task, state);
    report(task, ...held);
    this.#settle(task);
  }

  #settle(task: RunningTask): void {
    const { session, outputTokens, escrowWei, text } = task.view;
    const { money, terms, counts } = present(this.#sessions.get(session), 'a session');
    const priceWei = timesWei(terms.outputTokenWei, outputTokens);
    const returnedWei = subWei(escrowWei, priceWei);
    this.#pay(session, {
      escrowedWei: subWei(money.escrowedWei, escrowWei),
      balanceWei: addWei(money.balanceWei, returnedWei),
      paidWei: addWei(money.paidWei, priceWei),
    });
    this.#count(session, { settled: counts.settled + 1 });
    task.view = {
      ...task.view,
      priceWei,
      returnedWei,
      escrowWei: zeroWei,
      winner: miner,
      streamed: 'match',
      miners: [{ miner, attempt: 0, phase: 'committed', verdict: 'honest', similarity: 1, tokens: outputTokens }],
      payments: [{ to: miner, role: 'miner', amountWei: priceWei }],
      result: contentCid({ text }),
      report: contentCid({ winner: miner }),
      manifest: contentCid({ task: task.view.task, text }),
      settlement: { block: 1, txHash: keccak256(task.view.task) },
    };
    enter(task, 'settled');
    report(task, { type: 'verdict', view: task.view });
  }

  #fail(task: RunningTask, error: unknown): void {
    const { session, escrowWei } = task.view;
    const { money, counts } = present(this.#sessions.get(session), 'a session');
    this.#pay(session, {
      escrowedWei: subWei(money.escrowedWei, escrowWei),
      balanceWei: addWei(money.balanceWei, escrowWei),
    });
    this.#count(session, { refunded: counts.refunded + 1 });
    const failure = { code: errorCode(error), reason: errorMessage(error) };
    task.view = { ...task.view, failure, escrowWei: zeroWei, returnedWei: escrowWei };
    enter(task, 'failed');
    enter(task, 'refunded');
    const errorClass = error instanceof PouwError ? error.class : 'internal';
    const rejection = { code: failure.code, message: failure.reason, class: errorClass };
    report(task, { type: 'failed', failure: rejection, view: task.view });
  }

  #pay(id: SessionId, change: Partial<SessionView['money']>): SessionView {
    const session = present(this.#sessions.get(id), 'a session');
    const paid = { ...session, money: { ...session.money, ...change } };
    this.#sessions.set(id, paid);
    return paid;
  }

  #count(id: SessionId, change: Partial<SessionView['counts']>): void {
    const session = present(this.#sessions.get(id), 'a session');
    this.#sessions.set(id, { ...session, counts: { ...session.counts, ...change } });
  }
}

function enter(task: RunningTask, state: TaskState): void {
  task.view = { ...task.view, state };
  report(task, { type: 'state', state });
}

function report(task: RunningTask, ...updates: readonly TaskUpdate[]): void {
  task.updates.push(...updates);
  task.changed.emit('changed');
}

function finish(task: RunningTask, text: string, done: Extract<TaskUpdate, { type: 'done' }>): void {
  const { finishReason, promptTokens, outputTokens } = done;
  task.view = { ...task.view, text, finishReason, promptTokens, outputTokens };
}

function newSession(id: SessionId, model: string, balanceWei: Wei): SessionView {
  return {
    session: id,
    client,
    state: 'open',
    terms: {
      ...plainTerms,
      model,
      redundancy: 1,
      validators: 1,
      similarityBps: 9_000,
      level: 1,
      routerMaySubmit: true,
      maxTaskPriceWei: wei(1_000_000),
      promptTokenWei: zeroWei,
      outputTokenWei: wei(10),
      queueTimeoutS: 60,
      ackTimeoutS: 10,
      executeTimeoutS: 60,
      revealTimeoutS: 10,
      validateTimeoutS: 10,
      routers: [contract],
    },
    money: {
      depositedWei: balanceWei,
      balanceWei,
      escrowedWei: zeroWei,
      paidWei: zeroWei,
      refundedWei: zeroWei,
    },
    counts: { submitted: 0, settled: 0, refunded: 0 },
  };
}

function newTask(task: TaskId, request: TaskRequest, escrowWei: Wei): TaskView {
  const prompt: Hex = keccak256(JSON.stringify(request.prompt));
  return {
    task,
    session: request.session,
    state: 'queued',
    model: request.model,
    maxTokens: request.maxTokens,
    redundancy: 1,
    level: 1,
    prompt: contentCid({ prompt }),
    validators: [validator],
    primary: miner,
    miners: [{ miner, attempt: 0, phase: 'acked', verdict: null, similarity: null, tokens: null }],
    winner: null,
    streamed: 'unseen',
    joins: [],
    text: null,
    unreadable: null,
    finishReason: null,
    promptTokens: 0,
    outputTokens: 0,
    escrowWei,
    priceWei: zeroWei,
    returnedWei: zeroWei,
    payments: [],
    result: null,
    report: null,
    manifest: null,
    settlement: null,
    anchor: null,
    failure: null,
  };
}

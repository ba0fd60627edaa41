import { minerActor } from '../../../actors/miner/definition.ts';
import type {
  AckOnChain,
  Infer,
  PrecommitOnChain,
  RevealOnChain,
  StopInference,
} from '../../../actors/miner/effects.ts';
import type { AppealOnChain, JudgeOutcome } from '../../../actors/miner/disputes.ts';
import { jobKey, type MinerContext } from '../../../actors/miner/context.ts';
import { openJobCount } from '../../../actors/miner/jobs.ts';
import type { MinerCommand } from '../../../actors/miner/commands.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import type { Effect } from '../../core/effect.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { type Address, streamId } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { cancelBody, jobBody, type ResendBody, resendBody, type TokenBody } from '../../messages/bodies.ts';
import { acceptBody } from '../../messages/carry.ts';
import { showBody } from '../../messages/batches.ts';
import { readEnvelope } from '../../messages/envelope.ts';
import { tokenSubject } from '../../messages/subjects.ts';
import type { Inference } from '../../ports/inference.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { EffectContext, EffectHandler } from '../../runtime/actor.ts';
import { LatestState } from '../carry/latest-state.ts';
import type { FactReader } from '../fact-pump.ts';
import { NodeBase } from '../node-base.ts';
import type { NodeIdentity, NodePorts } from '../ports.ts';
import { type IdleOptions, IdleRounds } from '../rounds/idle-rounds.ts';
import { Acceptances } from './acceptances.ts';
import { bringAgain } from './bring-again.ts';
import { DisputeCalls } from './dispute-calls.ts';
import { doJob } from './do-job.ts';
import { BatchCalls } from './batch-calls.ts';
import { Drain, type OnWait } from './drain.ts';
import { HeldResults } from './held-results.ts';
import { MinerCalls } from './miner-calls.ts';
import { OfferTaker } from './offer-taker.ts';
import { SentChunks } from './sent-chunks.ts';

/** What a miner is started with. */
export interface MinerOptions {
  readonly identity: NodeIdentity;
  readonly ports: NodePorts;
  readonly inference: Inference;
  /** The models it serves, for answers and for embeddings. */
  readonly models: readonly string[];
  /** Jobs it takes at a time. */
  readonly capacity: number;
  /** The embedding model with which it judges outcomes that call it an outlier, before it appeals them; it appeals none without. */
  readonly appealsWith?: string | undefined;
  /** Where routers offer the places of tasks to whoever comes first. */
  readonly offers?: JobQueue | undefined;
  /** Its part in idle rounds, in which it works by the first of its models; none where this is left out. */
  readonly idle?: IdleOptions | undefined;
}

/** What a miner does about a dispute that it has begun and was told to leave: its next facts end it. */
async function nothing(): Promise<void> {}

/** Errors that another attempt on this machine would only repeat. */
const permanent = new Set([
  'model_not_found',
  'prompt_too_long',
  'prompt_malformed',
  'prompt_not_of_task',
  'step_prompt_too_long',
  'invalid_sampling',
  'content_corrupt',
  'generation_timeout',
  'model_unreachable',
]);

/** Runs inference jobs: acknowledges, streams, precommits, reveals. */
export class MinerNode implements FactReader {
  readonly base: NodeBase;
  /** Its part in idle rounds; undefined where it has none. */
  readonly idle: IdleRounds | undefined;
  readonly #options: MinerOptions;
  readonly #stream;
  readonly #offers: OfferTaker | undefined;
  readonly #calls: MinerCalls;
  readonly #acceptances: Acceptances;
  readonly #batchCalls: BatchCalls;
  readonly #disputes: DisputeCalls | undefined;
  readonly #running = new Map<string, AbortController>();
  readonly #sent = new SentChunks();
  readonly #held = new HeldResults();
  readonly #drain: Drain;
  #isDraining = false;
  #beat = (): void => {};
  readonly #latest = new LatestState<MinerContext>(minerActor.fold.initial, () =>
    this.base.host.state(minerActor, this.#stream),
  );

  constructor(options: MinerOptions) {
    this.#options = options;
    this.#stream = streamId('miner', options.identity.address);
    const handlers: Record<string, EffectHandler> = {
      ackOnChain: (effect, context) => this.#calls.ack(effect as AckOnChain, context),
      infer: (effect, context) => this.#infer(effect as Infer, context),
      stopInference: (effect) => this.#stopInference(effect as StopInference),
      precommitOnChain: (effect, context) => this.#callsFor(effect).precommit(effect as PrecommitOnChain, context),
      revealOnChain: (effect, context) => this.#callsFor(effect).reveal(effect as RevealOnChain, context),
      judgeOutcome: (effect, context) => this.#disputes?.judge(effect as JudgeOutcome, context) ?? nothing(),
      appealOnChain: (effect, context) => this.#disputes?.appeal(effect as AppealOnChain, context) ?? nothing(),
    };
    const { idle, inference, models: served } = options;
    const [model = ''] = served;
    if (idle !== undefined)
      this.idle = new IdleRounds('miner', options.identity.address, () => this.base, idle, {
        model: { inference, model },
      });
    this.base = new NodeBase(options.identity, options.ports, {
      actors: this.idle === undefined ? [minerActor] : [minerActor, this.idle.actor],
      handlers: { ...handlers, ...this.idle?.handlers },
      onCommit: (commit, state) => {
        if (commit.stream === this.#stream) this.#latest.see(state as Folded<MinerContext>, commit.version);
        this.idle?.see(commit, state);
      },
    });
    idle?.gate.watch(
      () => openJobCount(this.#latest.state.context) + this.#acceptances.held + (this.#offers?.kept ?? 0),
    );
    this.#acceptances = new Acceptances({
      base: this.base,
      changes: this.#latest.changes,
      models: options.models,
      keepsPlace: (task) => this.#offers?.keeps(task) ?? false,
      hasFreePlace: () => this.#offers?.hasPlace() ?? this.#freePlaces() > 0,
      isDraining: () => this.#isDraining,
    });
    this.#drain = new Drain({
      ports: this.base.ports,
      miner: () => this.#latest.state.context,
      coming: () => [...this.#acceptances.tasks(), ...(this.#offers?.tasks() ?? [])],
      held: () => this.#held.list(options.ports.clock.now()),
      begin: () => this.#dispatch({ type: 'DrainMiner' }, 'drain'),
      letGo: ({ task, attempt }) => this.#dispatch({ type: 'LetGoJob', task, attempt }, 'drain'),
    });
    this.#calls = new MinerCalls({
      base: this.base,
      acceptances: this.#acceptances,
      latest: this.#latest,
      dispatch: (command, cause) => this.#dispatch(command, cause),
    });
    this.#batchCalls = new BatchCalls(this.base, (command, cause) => this.#dispatch(command, cause));
    const { offers: queue, models, appealsWith: embedder } = options;
    const dispatch = (command: MinerCommand, cause: string): Promise<void> => this.#dispatch(command, cause);
    if (embedder !== undefined) this.#disputes = new DisputeCalls({ base: this.base, inference, embedder, dispatch });
    if (queue === undefined) return;
    const { base } = this;
    this.#offers = new OfferTaker({
      base,
      queue,
      models,
      freePlaces: () => this.#freePlaces(),
      works: (task) => Object.values(this.#latest.state.context.jobs).some(({ context }) => context.task === task),
    });
  }

  get address(): Address {
    return this.#options.identity.address;
  }

  /** Takes up unfinished jobs, then listens for new ones. */
  async start(): Promise<void> {
    const { models, capacity, appealsWith } = this.#options;
    const settings = { models: [...models], capacity, appeals: appealsWith !== undefined };
    await this.#dispatch({ type: 'StartMiner', miner: this.address, ...settings }, 'start');
    this.base.onCommand('job', 'router', jobBody, async ({ id, from, body }) => {
      const replyTo = tokenSubject(body.session, body.task, this.address);
      const { batched, ...job } = body;
      const how = batched === undefined ? {} : { batched };
      await this.#dispatch({ type: 'ReceiveJob', ...job, ...how, router: from, replyTo }, id);
      this.#offers?.arrived(body.task);
      this.#acceptances.release(body.task);
    });
    this.base.onCommand('accept', 'router', acceptBody, ({ body }) => this.#acceptances.accept(body));
    this.base.onCommand('cancel', 'router', cancelBody, async ({ id, body }) => {
      // Of a claim that has lapsed there is no job yet.
      this.#acceptances.release(body.task);
      const isJob = jobKey(body) in this.#latest.state.context.jobs;
      if (this.#offers?.release(body.task) !== true || isJob) await this.#cancel(body, id);
    });
    this.base.onCommand('show', 'router', showBody, async ({ id, body }) => {
      await this.#latest.refresh();
      await this.#batchCalls.show(this.#latest.state.context.jobs[jobKey(body)], body, id);
      this.#held.shown(body, this.base.ports.clock.now());
    });
    this.base.onCommand('resend', 'router', resendBody, async ({ body }) => this.#resend(body));
    await this.#latest.refresh();
    this.#beat = this.base.startHeartbeat(() => {
      const { value, context } = this.#latest.state;
      const draining = this.#isDraining || value === 'draining' || value === 'drained';
      return { models: [...models], load: openJobCount(context), capacity, draining };
    });
    this.#offers?.start();
    await this.idle?.start();
  }

  async onFacts(facts: readonly ChainFact[]): Promise<void> {
    await this.idle?.onFacts(facts);
    for (const fact of facts) {
      this.#acceptances.note(fact);
      this.#held.note(fact);
      if ('task' in fact)
        await this.#dispatch({ type: 'SeeFact', fact }, `chain:${fact.place.txHash}:${fact.place.logIndex}`);
    }
  }

  /** A miner's facts come again with the same transactions; its sender sees to its own, and it to those of a router. */
  async onRemoved(facts: readonly ChainFact[]): Promise<void> {
    await this.idle?.onRemoved(facts);
    const { base } = this;
    for (const fact of facts) {
      this.#acceptances.forget(fact);
      bringAgain({ base, miner: () => this.#latest.state.context }, fact).catch((error: unknown) => {
        if (!base.stopping.aborted) base.ports.log.warn('a part was not brought again', { error: errorMessage(error) });
      });
    }
  }

  /**
   * Claims and accepts nothing more, and ends what it has, in `graceMs` or, where its stake or its pay hangs on it, as long
   * as the chain waits for it ({@link Drain}); the chain is still followed.
   */
  async drain(graceMs: number, onWait: OnWait = () => {}): Promise<void> {
    this.#isDraining = true;
    // Routers choose others from now on.
    this.#beat();
    await this.#drain.run(graceMs, onWait);
  }

  /** Until when a drain may still wait, in milliseconds since 1970. */
  get waitsUntil(): number {
    return this.#drain.waitsUntil;
  }

  /** What is left undone if the miner ends now. */
  left(): readonly string[] {
    return this.#drain.left();
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([this.base.stop(graceMs), this.#offers?.close()]);
  }

  /** Jobs it could take now. */
  #freePlaces(): number {
    const { value, context } = this.#latest.state;
    const isServing = !this.#isDraining && (value === 'idle' || value === 'busy');
    return isServing ? this.#options.capacity - openJobCount(context) - this.#acceptances.held : 0;
  }

  /** What is left to a router that posts a batch is no router's to carry to the queue. */
  #callsFor(effect: Effect): Pick<MinerCalls, 'precommit' | 'reveal'> {
    return 'by' in effect ? this.#batchCalls : this.#calls;
  }

  async #dispatch(command: MinerCommand, cause: string): Promise<void> {
    await this.base.dispatch(minerActor, this.#stream, command, cause);
  }

  async #cancel({ task, attempt }: { task: Infer['task']; attempt: number }, cause: string): Promise<void> {
    await this.#dispatch({ type: 'CancelJob', task, attempt, reason: 'the router no longer wants it' }, cause);
  }

  async #infer(job: Infer, { signal, id }: EffectContext): Promise<void> {
    const { state } = await this.base.host.state(minerActor, this.#stream);
    const known = state.context.jobs[jobKey(job)];
    if (known === undefined || (known.value !== 'received' && known.value !== 'running')) return;
    const stop = new AbortController();
    this.#running.set(jobKey(job), stop);
    const { chain, content, random } = this.base.ports;
    const { inference } = this.#options;
    const sent = { key: jobKey(job), run: random.bytes32().slice(2, 18) };
    this.#sent.begin(sent);
    let chunks = 0;
    const stream = (chunk: TokenBody): void => {
      const { run } = sent;
      this.#sent.add(sent, this.base.publish(job.replyTo, `${id}:${chunks++}`, { ...chunk, run }));
    };
    try {
      const produced = await doJob(
        { chain, content, inference },
        this.address,
        { ...job, isBatched: known.context.batched === true },
        stream,
        AbortSignal.any([signal, stop.signal]),
      );
      await this.#dispatch({ type: 'ProduceOutput', task: job.task, attempt: job.attempt, ...produced }, id);
    } catch (error) {
      if (stop.signal.aborted) return;
      if (signal.aborted || !permanent.has(errorCode(error))) throw error;
      await this.#dispatch(
        { type: 'FailJob', task: job.task, attempt: job.attempt, code: errorCode(error), reason: errorMessage(error) },
        id,
      );
    } finally {
      this.#running.delete(jobKey(job));
    }
  }

  /** What was said of a job, as it was signed when it was said. @throws PouwError `stream_not_kept`. */
  #resend({ task, attempt, from, run }: ResendBody): JsonObject {
    const page = this.#sent.page(jobKey({ task, attempt }), from, run);
    if (page !== undefined) return { chunks: page.messages.map(readEnvelope), more: page.more };
    throw new PouwError('stream_not_kept', `The words of attempt ${attempt} of task ${task} are not kept here.`, {
      class: 'not-found',
      why: 'The miner never had the job, was restarted since, or has had many others.',
    });
  }

  async #stopInference(effect: StopInference): Promise<void> {
    this.#running.get(jobKey(effect))?.abort(new PouwError('job_cancelled', 'The job was cancelled.'));
  }
}

import { type JobContext, type JobKey, jobKey, type MinerContext } from '../../../actors/miner/context.ts';
import { openJobCount } from '../../../actors/miner/jobs.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import type { TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { NodePorts } from '../ports.ts';
import { type Owed, owedByLog, owedFor, stageOf } from './owed.ts';

/** What draining a miner stands on. */
export interface DrainOptions {
  readonly ports: Pick<NodePorts, 'clock' | 'chain' | 'log'>;
  readonly miner: () => MinerContext;
  /** Tasks that it has claimed or accepted and whose jobs have not come. */
  readonly coming: () => readonly TaskId[];
  /** Ended jobs of batches whose results validators may still ask for. */
  readonly held: () => readonly (Owed & { readonly task: TaskId })[];
  /** Writes down that no further job is taken. */
  readonly begin: () => Promise<void>;
  /** Lets go of a job that binds nothing. */
  readonly letGo: (job: JobContext) => Promise<void>;
}

/** Told what a drain waits for beyond its time, for a person who waits. */
export type OnWait = (line: string) => void;

type Job = Folded<JobContext>;
type Waiting = Owed & { readonly task: TaskId };

/** How often a miner looks whether its jobs have ended, in milliseconds. */
const jobsLookMs = 20;
/** How long one look at the chain may take; what does not answer is asked again. */
const chainMsMax = 2_000;
/** Tasks that one line names. */
const namedMax = 8;

/**
 * The end of a miner's work. In its time it ends what it has; after it, it lets go of all that binds nothing yet, and waits
 * for the rest as long as the chain does: who has precommitted and leaves without its reveal is slashed, and who leaves with
 * the content of its result is found an outlier.
 */
export class Drain {
  readonly #options: DrainOptions;
  readonly #letGo = new Set<TaskId>();
  /** Bound jobs of which the chain wants nothing any more, though their tasks are not over. */
  readonly #quit = new Set<JobKey>();
  /** What the chain last said is owed, for when it does not answer. */
  readonly #known = new Map<JobKey, Owed>();
  #waitsUntil = 0;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** Until when it may still wait, in milliseconds since 1970; the time of its end once it has ended. */
  get waitsUntil(): number {
    return this.#waitsUntil;
  }

  /** What would be left undone should the miner end now: a line for each task. */
  left(): readonly string[] {
    const { miner, coming, held } = this.#options;
    const jobs = Object.entries(miner().jobs).flatMap(([key, job]) => {
      const stage = stageOf(job);
      if (stage === 'over' || this.#quit.has(key)) return [];
      const { task } = job.context;
      return [stage === 'loose' ? `${task} (not bound yet)` : `${task} (${job.value}, ${wanted(job)})`];
    });
    const gone = [...this.#letGo].map(
      (task) => `${task} (let go before it was bound: its place goes to another miner)`,
    );
    return [
      ...jobs,
      ...held().map(({ task }) => `${task} (its content may still be asked for)`),
      ...coming().map((task) => `${task} (accepted, its job had not come)`),
      ...gone,
    ];
  }

  /** Ends or lets go of everything, as above; once. */
  async run(graceMs: number, onWait: OnWait): Promise<void> {
    const { clock, log } = this.#options.ports;
    const giveUpAt = clock.now() + graceMs;
    this.#waitsUntil = giveUpAt;
    await this.#until(giveUpAt, () => this.#options.coming().length === 0);
    const begun = this.#options.begin().then(
      () => undefined,
      (error: unknown) => log.warn('the drain was not written down', { error: errorMessage(error) }),
    );
    await this.#within(Math.max(0, giveUpAt - clock.now()), begun);
    await this.#until(giveUpAt, () => openJobCount(this.#options.miner()) + this.#options.held().length === 0);
    await this.#letGoOfLoose();
    await this.#waitForOwed(giveUpAt, onWait);
    this.#waitsUntil = clock.now();
    for (const task of this.left()) log.warn('left undone', { task });
  }

  async #until(giveUpAt: number, isDone: () => boolean): Promise<void> {
    const { clock } = this.#options.ports;
    while (!isDone() && clock.now() < giveUpAt) await clock.sleep(jobsLookMs);
  }

  async #letGoOfLoose(): Promise<void> {
    const { ports, letGo } = this.#options;
    const ended = this.#jobs('loose').map(async ({ context }) => {
      try {
        await letGo(context);
        this.#letGo.add(context.task);
      } catch (error) {
        ports.log.warn('a job was not let go of', { task: context.task, error: errorMessage(error) });
      }
    });
    await this.#within(chainMsMax, Promise.all(ended));
  }

  /** What a promise resolves to; undefined where that takes too long. */
  async #within<T>(ms: number, work: Promise<T>): Promise<{ readonly value: T } | undefined> {
    const over = new AbortController();
    const late = this.#options.ports.clock.sleep(ms, over.signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      return await Promise.race([work.then((value) => ({ value })), late]);
    } finally {
      over.abort();
    }
  }

  async #waitForOwed(since: number, onWait: OnWait): Promise<void> {
    const { clock, log } = this.#options.ports;
    let sayAt = clock.now();
    for (;;) {
      const waiting = await this.#look(since);
      const now = clock.now();
      if (waiting.length === 0) return;
      this.#waitsUntil = Math.max(...waiting.map(({ until }) => until));
      if (now >= sayAt) {
        const line = sentence(waiting, this.#waitsUntil);
        onWait(line);
        log.info('waiting for what is owed', { tasks: waiting.length, until: this.#waitsUntil });
        sayAt = now + limits.drainSayMs;
      }
      await clock.sleep(limits.drainLookMs);
    }
  }

  /** What is owed now and worth waiting for. */
  async #look(since: number): Promise<readonly Waiting[]> {
    const { ports, held } = this.#options;
    const owed = await Promise.all(this.#jobs('bound').map((job) => this.#owedNow(job, since)));
    const now = ports.clock.now();
    return [...owed.flatMap((one) => one ?? []), ...held()].filter(({ until }) => until > now);
  }

  async #owedNow(job: Job, since: number): Promise<Waiting | undefined> {
    const { ports } = this.#options;
    const { task, batched } = job.context;
    const key = jobKey(job.context);
    if (batched === true) return { task, ...owedByLog(job, since) };
    const answer = await this.#within(
      chainMsMax,
      ports.chain.task(task).catch(() => null),
    );
    if (answer === undefined || answer.value === null)
      return this.#quit.has(key) ? undefined : { task, ...(this.#known.get(key) ?? owedByLog(job, since)) };
    const owed = owedFor(job, answer.value);
    if (owed === undefined) {
      this.#quit.add(key);
      return undefined;
    }
    this.#quit.delete(key);
    this.#known.set(key, owed);
    return { task, ...owed };
  }

  #jobs(stage: 'loose' | 'bound'): Job[] {
    return Object.values(this.#options.miner().jobs).filter((job) => stageOf(job) === stage);
  }
}

function wanted({ value }: Job): string {
  return value === 'revealed' ? 'its content may still be asked for' : 'not revealed';
}

function sentence(waiting: readonly Waiting[], until: number): string {
  const named = waiting.slice(0, namedMax).map(({ task, what }) => `${task} (${what})`);
  const more = waiting.length > namedMax ? ` and ${waiting.length - namedMax} more` : '';
  const at = new Date(until).toISOString().slice(11, 19);
  return `Waiting beyond the drain for what is owed to the chain, at most until ${at} UTC: ${named.join(', ')}${more}.`;
}

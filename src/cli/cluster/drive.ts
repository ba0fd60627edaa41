import type { Clock } from '../../ports/clock.ts';
import type { TaskId } from '../../core/ids.ts';

/** A task as its client saw it. */
export interface DrivenTask {
  readonly prompt: string;
  readonly task: TaskId | null;
  /** How the stream ended: with an answer, or with the failure's code. */
  readonly outcome: 'answered' | 'failed' | 'lost';
  readonly text: string;
  readonly ttftMs: number | null;
  readonly latencyMs: number;
  /** How often the client had to connect again. */
  readonly reconnects: number;
}

/** How to drive tasks through routers over HTTP. */
export interface DriveOptions {
  /** The endpoints that can be reached now; they change while routers die and come back. */
  readonly urls: () => readonly string[];
  readonly apiKeys: readonly string[];
  readonly model: string;
  readonly prompts: readonly string[];
  readonly maxTokens: number;
  readonly concurrency: number;
  readonly clock: Clock;
  /** What makes the requests of this run others than an earlier one's. */
  readonly label: string;
  readonly onEnded: (task: DrivenTask, ended: number) => void;
  /** Nobody waits for the tasks any more. */
  readonly signal: AbortSignal;
}

/** How long one task may take, all its connections together. */
const taskWithinMs = 300_000;
/** How long one connection may stay open. */
const connectionMs = 120_000;
const pauseMs = 200;

/**
 * Sends every prompt as a client would: over HTTP, streamed, again at another router where a connection breaks.
 *
 * @throws the signal's reason.
 */
export async function drive(options: DriveOptions): Promise<DrivenTask[]> {
  const done: DrivenTask[] = [];
  let next = 0;
  let ended = 0;
  const worker = async (): Promise<void> => {
    while (next < options.prompts.length) {
      const index = next;
      next += 1;
      const task = await driveOne(options, index);
      done[index] = task;
      ended += 1;
      options.onEnded(task, ended);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, options.prompts.length) }, worker));
  return done;
}

async function driveOne(options: DriveOptions, index: number): Promise<DrivenTask> {
  const { clock, prompts, signal } = options;
  const prompt = prompts[index] ?? '';
  const startedAt = clock.now();
  const seen: Seen = { task: null, text: '', ttftMs: null, startedAt, outcome: undefined };
  let tries = 0;
  while (seen.outcome === undefined && clock.now() - startedAt < taskWithinMs) {
    signal.throwIfAborted();
    const urls = options.urls();
    const url = urls[(index + tries) % Math.max(1, urls.length)];
    tries += 1;
    if (url !== undefined) await attempt(options, index, url, seen).catch(() => undefined);
    if (seen.outcome === undefined) await clock.sleep(pauseMs, signal);
  }
  const { task, text, ttftMs, outcome = 'lost' } = seen;
  return { prompt, task, outcome, text, ttftMs, latencyMs: clock.now() - startedAt, reconnects: tries - 1 };
}

interface Seen {
  task: TaskId | null;
  text: string;
  ttftMs: number | null;
  readonly startedAt: number;
  outcome: 'answered' | 'failed' | undefined;
}

/** One connection. What it does not bring to an end is asked for again, under the same idempotency key. */
async function attempt(options: DriveOptions, index: number, url: string, seen: Seen): Promise<void> {
  const { model, maxTokens, label, apiKeys, prompts, clock } = options;
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${apiKeys[index % apiKeys.length]}`,
      'content-type': 'application/json',
      'idempotency-key': `${label}-${index}`,
    },
    body: JSON.stringify({
      model,
      max_tokens: maxTokens,
      stream: true,
      messages: [{ role: 'user', content: prompts[index] }],
    }),
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(connectionMs)]),
  });
  if (!response.ok || response.body === null) {
    take((await response.json()) as Chunk, seen, clock);
    return;
  }
  seen.text = '';
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body) {
    const lines = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: {')) take(JSON.parse(line.slice(6)) as Chunk, seen, clock);
  }
}

interface Chunk {
  /** `chatcmpl-` and the task's id without its `0x`. */
  readonly id?: string;
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
  readonly x_pouw?: { readonly state?: string };
  readonly error?: { readonly code?: string };
}

/** Failures that are the task's own end; everything else is the connection's. */
const finalFailures = new Set(['task_cancelled', 'task_expired', 'task_exhausted', 'no_miner', 'task_failed']);

function take({ id, choices, x_pouw: proof, error }: Chunk, seen: Seen, clock: Clock): void {
  const text = choices?.[0]?.delta?.content ?? '';
  if (text !== '') {
    seen.ttftMs ??= clock.now() - seen.startedAt;
    seen.text += text;
  }
  if (id !== undefined) seen.task = `0x${id.slice(id.indexOf('-') + 1)}` as TaskId;
  if (proof?.state === 'settled') seen.outcome = 'answered';
  if (error !== undefined && finalFailures.has(error.code ?? '')) seen.outcome = 'failed';
}

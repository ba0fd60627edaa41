import { limits } from '../../core/limits.ts';

/** Names a job and one making of its answer. */
export interface SentJob {
  /** `<task>:<attempt>`. */
  readonly key: string;
  readonly run: string;
}

/** A part of what was sent for a job. */
export interface SentPage {
  /** The messages as they were sent, the first being the one asked for. */
  readonly messages: readonly Uint8Array[];
  /** Whether there are further ones now. */
  readonly more: boolean;
}

/** What has been sent for one job. */
interface Sent {
  readonly run: string;
  readonly messages: Uint8Array[];
  bytes: number;
}

/**
 * What a miner has said of its newest jobs, message by message, so that it can say it again to a router that missed some.
 * In memory only, and bounded: the jobs that began first are forgotten first.
 */
export class SentChunks {
  readonly #jobs = new Map<string, Sent>();
  readonly #jobsMax: number;
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(jobsMax: number = limits.sentJobsKept, bytesMax: number = limits.sentBytesKept) {
    this.#jobsMax = jobsMax;
    this.#bytesMax = bytesMax;
  }

  /** A job's answer is made, from its beginning: an earlier making of it is forgotten. */
  begin({ key, run }: SentJob): void {
    this.#forget(key);
    this.#jobs.set(key, { run, messages: [], bytes: 0 });
    this.#forgetBeyondBounds();
  }

  /** Keeps a job's next message; nothing of a job that was forgotten meanwhile. */
  add({ key, run }: SentJob, message: Uint8Array): void {
    const sent = this.#jobs.get(key);
    if (sent?.run !== run) return;
    sent.messages.push(message);
    sent.bytes += message.length;
    this.#bytes += message.length;
    this.#forgetBeyondBounds();
  }

  /** The messages of a job from `from` on; from the first where another making than `run` is kept. */
  page(key: string, from: number, run: string | undefined): SentPage | undefined {
    const sent = this.#jobs.get(key);
    if (sent === undefined) return undefined;
    const messages: Uint8Array[] = [];
    let next = run === undefined || run === sent.run ? from : 0;
    for (let bytes = 0; messages.length < limits.resendChunksMax; next += 1) {
      const message = sent.messages[next];
      if (message === undefined) break;
      bytes += message.length;
      if (messages.length > 0 && bytes > limits.resendBytesMax) break;
      messages.push(message);
    }
    return { messages, more: next < sent.messages.length };
  }

  #forgetBeyondBounds(): void {
    for (const key of this.#jobs.keys()) {
      if (this.#jobs.size <= this.#jobsMax && this.#bytes <= this.#bytesMax) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#jobs.get(key)?.bytes ?? 0;
    this.#jobs.delete(key);
  }
}

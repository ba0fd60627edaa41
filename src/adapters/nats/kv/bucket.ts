import { DiscardPolicy, type JetStreamClient, type JetStreamManager, StorageType } from '@nats-io/jetstream';
import { headers, type NatsConnection, nanos, nuid } from 'nats';
import { limits } from '../../../core/limits.ts';
import { encodeToken, subjectRoot } from '../../../messages/subjects.ts';
import type { WantedStream } from '../store/event-stream.ts';
import { natsNames } from '../store/names.ts';
import { isWrongSequence } from '../store/nats-errors.ts';
import { openStreams } from '../store/open-streams.ts';
import type { Reach } from '../store/reach.ts';
import { StreamReader } from '../store/stream-reader.ts';
import type { BucketName } from './own-keys.ts';
import { type BucketSeal, sealed, unsealed, unsealedUnread } from './seal.ts';
import { streamsClient } from '../streams-api.ts';

/** How to open a bucket. */
export interface BucketOptions {
  /** Stays open when the bucket is closed. */
  readonly connection: NatsConnection;
  /** The root of the subjects. Default `pouw.v1`. */
  readonly root?: string;
  /** Servers that keep each entry. Default 1. */
  readonly replicas?: number;
  /** How long servers that do not answer are tried to be reached, in milliseconds. Default `limits.logReachMsMax`. */
  readonly reachMs?: number;
  /** Whose entries count. Default anybody's. */
  readonly seal?: BucketSeal | undefined;
}

/** What is in a bucket under a key. */
export interface BucketEntry {
  readonly key: string;
  /** Grows with every write to the bucket; 0 where there never was one to the key. */
  readonly revision: number;
  /** Undefined where nothing is there, or nothing any more. */
  readonly value: Uint8Array | undefined;
}

const operationHeader = 'KV-Operation';

/**
 * A key-value bucket as NATS has it: a stream with one message per key. Writes may be conditional on the revision of
 * the key; one whose answer is lost is repeated under the same id, so it is known whether it was made.
 */
export class Bucket {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #messages: StreamReader;
  readonly #reach: Reach;
  readonly #stream: string;
  readonly #prefix: string;
  readonly #name: BucketName;
  readonly #seal: BucketSeal | undefined;

  private constructor(
    connection: NatsConnection,
    manager: JetStreamManager,
    reach: Reach,
    { name, bucket }: { readonly name: BucketName; readonly bucket: string },
    seal: BucketSeal | undefined,
  ) {
    this.#name = name;
    this.#seal = seal;
    this.#client = streamsClient(connection);
    this.#manager = manager;
    this.#reach = reach;
    this.#stream = `KV_${bucket}`;
    this.#prefix = `$KV.${bucket}.`;
    this.#messages = new StreamReader({ connection, manager, stream: this.#stream, reach });
  }

  /**
   * Opens a bucket, and makes it where there is none.
   *
   * @param ageMs how long an entry is kept; for ever where it is left out.
   * @throws PouwError `nats_config_ignored`, `nats_unreachable`.
   */
  static async open(name: BucketName, options: BucketOptions, ageMs?: number): Promise<Bucket> {
    const { connection } = options;
    const bucket = natsNames(options.root ?? subjectRoot).bucket(name);
    const wanted = bucketStream(bucket, options.replicas ?? 1, ageMs);
    const { reach, manager } = await openStreams(connection, options.reachMs, [wanted]);
    return new Bucket(connection, manager, reach, { name, bucket }, options.seal);
  }

  /** When the bucket was made, in milliseconds since 1970 on the server's clock. */
  async madeAt(): Promise<number> {
    const { created } = await this.#reach.answer(() => this.#manager.streams.info(this.#stream));
    return Date.parse(created);
  }

  /** What is under a key now. A replica that lags may answer with what was there a moment ago. */
  async get(key: string): Promise<BucketEntry> {
    const found = await this.#reach.answer(() =>
      this.#manager.direct.getMessage(this.#stream, { last_by_subj: `${this.#prefix}${key}` }),
    );
    if (found === null) return { key, revision: 0, value: undefined };
    const isGone = found.header.get(operationHeader) !== '';
    return { key, revision: found.seq, value: isGone ? undefined : await this.#sound(key, found.data) };
  }

  /** Writes a value, whatever is there. @returns its revision. */
  async put(key: string, value: Uint8Array | string): Promise<number> {
    return this.#publish(key, value, undefined, undefined);
  }

  /**
   * Writes a value if nobody has written to the key since `revision`; 0 for never.
   *
   * @returns its revision, undefined where somebody has.
   */
  async swap(key: string, value: Uint8Array | string, revision: number): Promise<number | undefined> {
    return this.#unlessChanged(this.#publish(key, value, revision, undefined));
  }

  /** Takes away what is under a key, if nobody has written to it since `revision`. @returns whether it was. */
  async remove(key: string, revision: number): Promise<boolean> {
    return (await this.#unlessChanged(this.#publish(key, '', revision, 'DEL'))) !== undefined;
  }

  /**
   * The entries whose keys a pattern of subjects matches, as of one moment.
   *
   * @param isSound whether those are left out that nobody has signed who may; else what they say is not to be relied on.
   */
  async entries(pattern = '>', { isSound = true } = {}): Promise<BucketEntry[]> {
    const messages = await this.#messages.newestOfEach(`${this.#prefix}${pattern}`, { withData: true });
    const entries: BucketEntry[] = [];
    for (const { subject, position, data } of messages) {
      if (data.length === 0) continue;
      const key = subject.slice(this.#prefix.length);
      const unread = this.#seal === undefined ? data : unsealedUnread(data);
      const value = isSound ? await this.#sound(key, data) : unread;
      if (value !== undefined) entries.push({ key, revision: position, value });
    }
    return entries;
  }

  /** Gives the connection's events up. */
  close(): void {
    this.#reach.close();
  }

  async #sound(key: string, value: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#seal === undefined) return value;
    return unsealed(this.#seal, { bucket: this.#name, key, subject: `${this.#prefix}${key}` }, value);
  }

  async #publish(
    key: string,
    content: Uint8Array | string,
    lastSubjectSequence: number | undefined,
    operation: 'DEL' | undefined,
  ): Promise<number> {
    const msgID = nuid.next();
    const isSealed = this.#seal !== undefined && operation === undefined;
    const value = isSealed ? sealed(this.#seal, `${this.#prefix}${key}`, content) : content;
    const answer = await this.#reach.answer((answerMs) => {
      const extra = headers();
      if (operation !== undefined) extra.set(operationHeader, operation);
      return this.#client.publish(`${this.#prefix}${key}`, value, {
        msgID,
        headers: extra,
        timeout: answerMs,
        ...(lastSubjectSequence === undefined ? {} : { expect: { lastSubjectSequence } }),
      });
    });
    return answer.seq;
  }

  async #unlessChanged(written: Promise<number>): Promise<number | undefined> {
    try {
      return await written;
    } catch (error) {
      if (isWrongSequence(error)) return undefined;
      throw error;
    }
  }
}

/** The key for a name that may hold any character: its parts between dots stay apart. */
export function keyOf(name: string): string {
  return name.split('.').map(encodeToken).join('.');
}

/** The stream behind a bucket, as the NATS client makes it too. */
export function bucketStream(bucket: string, replicas: number, ageMs?: number): WantedStream {
  return {
    name: `KV_${bucket}`,
    subjects: [`$KV.${bucket}.>`],
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    max_age: nanos(ageMs ?? 0),
    deny_delete: true,
    // Else who may write one key could have the server forget all others with a header.
    allow_rollup_hdrs: false,
    allow_direct: true,
    duplicate_window: nanos(Math.min(limits.bucketDuplicateWindowMs, ageMs ?? Number.MAX_SAFE_INTEGER)),
    num_replicas: replicas,
  };
}

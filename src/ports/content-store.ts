import type { Cid } from '../core/ids.ts';
import type { Json } from '../core/json.ts';

/** Content by identifier: prompts, results, reports, manifests. Blocks are dag-json with SHA-256. */
export interface ContentStore {
  /** The CID a value will have, without storing it. Pure. */
  cidOf(value: Json): Cid;
  /**
   * Stores and pins a value. Storing the same value again is free.
   *
   * @throws PouwError `content_too_large` beyond `limits.contentBytesMax`.
   */
  put(value: Json): Promise<Cid>;
  /**
   * Fetches a value and checks it against its CID. What another process or node had is held and pinned here afterwards.
   *
   * @throws PouwError `content_not_found` after `timeoutMs`, `content_corrupt` where the bytes do not match.
   */
  get(cid: Cid, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Json>;
  /** Whether a block is held and pinned here. */
  has(cid: Cid): Promise<boolean>;
  /** Resolves once all puts so far are durable. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

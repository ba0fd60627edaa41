/** Time as the system sees it. The only way to read or wait for it outside adapters. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once at or after `atMs`; the disposer forgets it. */
  at(atMs: number, run: () => void): () => void;
  /** Resolves after `ms`, rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Chance as the system sees it. */
export interface Random {
  /** 32 fresh random bytes in hex. */
  bytes32(): `0x${string}`;
}

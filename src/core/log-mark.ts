/** How far a log was, written down beside it: whoever has one was there when the log had this commit on the disk. */
export interface LogMark {
  /** {@link StoredCommit.position} */
  readonly position: number;
  /** The hash of the commit there. */
  readonly hash: string;
}

/** A mark as a file has it; undefined for what is none. */
export function parseLogMark(value: unknown): LogMark | undefined {
  if (typeof value !== 'object' || value === null || !('position' in value) || !('hash' in value)) return undefined;
  const { position, hash } = value;
  if (typeof position !== 'number' || !Number.isSafeInteger(position) || position < 1) return undefined;
  return typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash) ? { position, hash } : undefined;
}

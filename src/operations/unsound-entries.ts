import { limits } from '../core/limits.ts';
import { LinesPerSecond } from '../nodes/lines-per-second.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Metrics } from '../ports/metrics.ts';

/** An entry that nobody has signed who may write it. */
interface Unsound {
  readonly bucket: string;
  readonly key: string;
}

/** Counts entries of buckets that do not count, and says which, but not all of many. */
export function countUnsound(options: {
  readonly metrics: Pick<Metrics, 'add'>;
  readonly log: Pick<Log, 'warn'>;
  readonly clock: Pick<Clock, 'now'>;
}): (unsound: Unsound) => void {
  const { metrics, log, clock } = options;
  const lines = new LinesPerSecond(limits.unsoundLogLinesPerS);
  return ({ bucket, key }) => {
    metrics.add('pouw_entries_unsound_total', { bucket });
    const unsaid = lines.next(clock.now());
    if (unsaid === undefined) return;
    // Not `key`: fields of that name hold secrets, and are not written.
    log.warn('an entry on NATS is not signed by who may write it, and does not count', { bucket, entry: key, unsaid });
  };
}

import { assert } from '../../../core/assert.ts';
import type { Address } from '../../../core/ids.ts';
import { subjectRoot } from '../../../messages/subjects.ts';

/** What the streams and buckets of one network are called on a NATS account. */
export interface NatsNames {
  /** The root of its subjects. */
  readonly root: string;
  /** The JetStream stream of the event log. */
  readonly log: string;
  /** The JetStream stream of the jobs that wait. */
  readonly jobs: string;
  /** The JetStream stream of the jobs that nobody could do. */
  readonly deadJobs: string;
  /** A key-value bucket: `lease`, `snap`, `done`, `node`. */
  bucket(name: 'lease' | 'snap' | 'done' | 'node'): string;
}

/**
 * The names that belong to a root of subjects. They begin with it, so that several networks, and other programs, can
 * share an account: `pouw.v1` keeps its log in `pouw_v1_evt` and its leases in the bucket `pouw_v1_lease`.
 */
export function natsNames(root: string = subjectRoot): NatsNames {
  assert(/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(root), `not a root of subjects: ${root}`);
  const prefix = root.replaceAll('.', '_');
  return {
    root,
    log: `${prefix}_evt`,
    jobs: `${prefix}_job`,
    deadJobs: `${prefix}_dead`,
    bucket: (name) => `${prefix}_${name}`,
  };
}

/** The one consumer that a node may make on the log who reads no stream but its own. */
export function ownConsumerName(node: Address): string {
  return `own_${node}`;
}

import { PouwError } from '../../../core/errors.ts';

/** A version as numbers, most significant first. */
export type NatsVersion = readonly [major: number, minor: number, patch: number];

/**
 * What pouw uses of a server that not every version has, with the first one that has it. Older servers do not refuse
 * these, they ignore them, so that a log would be less durable or a consumer see more than was asked for.
 */
export const natsFeatures = {
  /** `sync_interval: always`: an acknowledged commit is on the disk. */
  syncAlways: '2.10.0',
  /** Consumers with several filter subjects: a node reads its own streams and nothing else. */
  filterSubjects: '2.10.0',
  /** Metadata of streams, which tells the layout of a log. */
  streamMetadata: '2.10.0',
  /** Many messages with one direct get: how the log is read. */
  batchDirectGet: '2.11.0',
} as const;

/** The oldest server that pouw works with: the newest of what it uses. */
export const natsVersionFloor: string = Object.values(natsFeatures).reduce((newest, version) =>
  compareNatsVersions(version, newest) > 0 ? version : newest,
);

/** Reads `2.10.27`, `v2.12.1` or `2.11.0-RC.2`; undefined for anything else. A pre-release counts as its release. */
export function parseNatsVersion(text: string): NatsVersion | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?$/.exec(text.trim());
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Negative where `a` is older than `b`, 0 where they are the same; what is no version is older than all. */
export function compareNatsVersions(a: string, b: string): number {
  const [left, right] = [parseNatsVersion(a) ?? [-1, 0, 0], parseNatsVersion(b) ?? [-1, 0, 0]];
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}

/** Whether pouw can work with a server of this version. */
export function isNatsVersionEnough(version: string, floor: string = natsVersionFloor): boolean {
  return compareNatsVersions(version, floor) >= 0;
}

/**
 * Refuses a server that is too old.
 *
 * @param where the server's address or the path of its program, for the message.
 * @throws PouwError `nats_too_old`.
 */
export function requireNatsVersion(version: string, where: string, floor: string = natsVersionFloor): void {
  if (isNatsVersionEnough(version, floor)) return;
  throw new PouwError(
    'nats_too_old',
    `The NATS server ${where} has version ${version}; pouw needs ${floor} or newer.`,
    {
      class: 'unavailable',
      why: 'Older servers silently ignore settings that the event log relies on.',
      hint: 'Update the server, or let pouw start its own: npm run nats-server installs one.',
      details: { version, floor },
    },
  );
}

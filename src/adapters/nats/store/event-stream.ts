import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from 'nats';
import { PouwError } from '../../../core/errors.ts';
import { limits } from '../../../core/limits.ts';
import { isNameInUse, isStreamMissing } from './nats-errors.ts';
import type { NatsNames } from './names.ts';

type Wanted = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;

/**
 * The configuration of the log's stream. Nothing is ever taken out of it: no retention limit, no deletion, no purge;
 * and where an operator gives it a size, a full log refuses commits in place of forgetting old ones (`discard: new`).
 * Each stored commit is told on `<root>.new.>` by its headers alone, so that followers know when to read.
 */
export function eventStreamConfig(names: NatsNames, replicas: number): Wanted {
  return {
    name: names.log,
    description: 'The event log of pouw: one message is one commit.',
    subjects: [`${names.root}.evt.>`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_age: 0,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    deny_delete: true,
    deny_purge: true,
    allow_direct: true,
    allow_rollup_hdrs: false,
    duplicate_window: nanos(limits.logDuplicateWindowMs),
    num_replicas: replicas,
    republish: { src: `${names.root}.evt.>`, dest: `${names.root}.new.>`, headers_only: true },
    metadata: { 'pouw.layout': '1' },
  };
}

/**
 * Finds a stream, makes it where it is missing, and compares what the server has with what is wanted: servers ignore
 * settings that they do not know, and somebody else may have made it otherwise.
 *
 * @throws PouwError `nats_stream_differs`.
 */
export async function declareStream(manager: JetStreamManager, wanted: Wanted): Promise<StreamInfo> {
  const info = await findOrMake(manager, wanted);
  const differing = differences(wanted, info.config);
  if (differing.length === 0) return info;
  throw new PouwError('nats_stream_differs', `The JetStream stream ${wanted.name} is not set up as pouw needs it.`, {
    class: 'unavailable',
    why: `These settings differ: ${differing.map((key) => `${key} is ${shown(info.config, key)}, not ${shown(wanted, key)}`).join('; ')}.`,
    hint: 'Set them with `nats stream edit`, or use the number of replicas the stream has.',
    details: { stream: wanted.name, settings: differing },
  });
}

async function findOrMake(manager: JetStreamManager, wanted: Wanted): Promise<StreamInfo> {
  try {
    return await manager.streams.info(wanted.name);
  } catch (error) {
    if (!isStreamMissing(error)) throw error;
  }
  try {
    return await manager.streams.add(wanted);
  } catch (error) {
    // Another node was faster, with other settings; the comparison tells which.
    if (!isNameInUse(error)) throw error;
    return manager.streams.info(wanted.name);
  }
}

/** The settings that are not as wanted. A server leaves those out that have their zero value. */
function differences(wanted: Wanted, found: StreamConfig): string[] {
  const keys = Object.keys(wanted).filter((key) => key !== 'description');
  return keys.filter((key) => !holds(wanted[key as keyof Wanted], found[key as keyof StreamConfig]));
}

/** Whether the found value has all that the wanted one has; servers add metadata of their own. */
function holds(wanted: unknown, found: unknown): boolean {
  if (wanted === false || wanted === 0) return (found ?? wanted) === wanted;
  if (typeof wanted !== 'object' || wanted === null) return wanted === found;
  if (typeof found !== 'object' || found === null) return false;
  return Object.entries(wanted).every(([key, value]) => holds(value, (found as Record<string, unknown>)[key]));
}

function shown(config: Partial<StreamConfig>, key: string): string {
  return JSON.stringify(config[key as keyof StreamConfig] ?? null);
}

import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from 'nats';
import { limits } from '../../../core/limits.ts';
import { requireEcho } from '../config-echo.ts';
import { isNameInUse, isStreamMissing } from './nats-errors.ts';
import type { NatsNames } from './names.ts';

/** What a stream is to be like. */
export type WantedStream = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;

/**
 * The configuration of the log's stream. Nothing is ever taken out of it: no retention limit, no deletion, no purge;
 * and where an operator gives it a size, a full log refuses commits in place of forgetting old ones (`discard: new`).
 * Each stored commit is told on `<root>.new.>` by its headers alone, so that followers know when to read.
 */
export function eventStreamConfig(names: NatsNames, replicas: number): WantedStream {
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
 * Finds a stream, makes it where it is missing, and compares what the server has with what is wanted.
 *
 * @throws PouwError `nats_config_ignored`.
 */
export async function declareStream(manager: JetStreamManager, wanted: WantedStream): Promise<void> {
  compare(wanted, await findOrMake(manager, wanted));
}

/**
 * Finds a stream and compares it with what is wanted; makes nothing.
 *
 * @throws PouwError `nats_config_ignored`; what the NATS client throws where there is none.
 */
export async function requireStream(manager: JetStreamManager, wanted: WantedStream): Promise<void> {
  compare(wanted, await manager.streams.info(wanted.name));
}

function compare(wanted: WantedStream, { config }: StreamInfo): void {
  const { description: _description, ...asked } = wanted;
  requireEcho(`the stream ${wanted.name}`, asked, config);
}

async function findOrMake(manager: JetStreamManager, wanted: WantedStream): Promise<StreamInfo> {
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

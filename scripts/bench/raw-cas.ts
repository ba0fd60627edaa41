import { type JetStreamClient, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { nanos } from 'nats';
import type { Commit } from '../../src/core/commit.ts';
import { limits } from '../../src/core/limits.ts';
import type { BenchNats } from './nats-server.ts';
import { benchStream, sealHistory, sessionHistory } from './session-log.ts';

/** The stream that the bare client writes. */
export const rawStream = 'raw';

/** Makes the stream of the bare client. */
export async function openRaw({ connection }: BenchNats): Promise<JetStreamClient> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: rawStream,
    subjects: ['raw.>'],
    storage: StorageType.File,
    allow_direct: true,
    duplicate_window: nanos(limits.logDuplicateWindowMs),
  });
  return jetstream(connection);
}

/** Commits of fresh streams, signed before the clock runs. */
export class Histories {
  #stream = 0;

  take(streams: number, commitsEach: number): Commit[][] {
    return Array.from({ length: streams }, () => {
      this.#stream += 1;
      const history = sessionHistory(this.#stream, Math.ceil(commitsEach / 15)).slice(0, commitsEach);
      return sealHistory(benchStream(this.#stream), history);
    });
  }
}

/** A commit with its text, made before the clock runs. */
export function withText(commit: Commit): { readonly commit: Commit; readonly text: string } {
  return { commit, text: JSON.stringify(commit) };
}

/** Compare-and-swap by the bare client: streams side by side, each one commit after the other as ours does. */
export async function publishAll(
  client: JetStreamClient,
  streams: readonly (readonly ReturnType<typeof withText>[])[],
): Promise<void> {
  await Promise.all(
    streams.map(async (commits) => {
      let lastSubjectSequence = 0;
      for (const { commit, text } of commits) {
        const msgID = `${commit.stream}:${commit.version}:${commit.hash}`;
        const options = { msgID, expect: { lastSubjectSequence } };
        ({ seq: lastSubjectSequence } = await client.publish(`raw.${commit.stream}`, text, options));
      }
    }),
  );
}

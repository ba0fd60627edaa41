import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import type { LogRegistry, LogTrust } from '../../src/adapters/nats/store/log-trust.ts';
import { assert } from '../../src/core/assert.ts';
import type { Commit } from '../../src/core/commit.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { Figure, FigureOptions, FigureResult, Row } from './figure.ts';
import { compared, interleave, perSecond } from './interleave.ts';
import { type BenchNats, startBenchNats, withNats } from './nats-server.ts';
import { Histories, openRaw, publishAll, rawStream, withText } from './raw-cas.ts';
import { benchAuthor } from './session-log.ts';

/** How fast the event log on NATS takes commits and gives them back. */
export const natsLog: Figure = {
  name: 'nats-log',
  title: 'commits per second through the event store on JetStream, beside the bare client in the same run',
  run: (options) => withNats(() => measure(options)),
};

const inFlight = 500;

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const rows: Row[] = [];
  let version = '';
  for (const sync of [120_000, 'always'] as const) {
    const nats = await startBenchNats(scratch, sync);
    try {
      ({ version } = nats);
      rows.push(...(await measureOn(nats, { quick, onStep, isDurable: sync === 'always' })));
    } finally {
      await nats.close();
    }
  }
  return {
    rows,
    notes: [
      `nats-server ${version} on this machine, one replica; it and the client share its cores.`,
      'Raw publishes a finished text, one stream after the other version as ours does, with the same id and expectation.',
      'Ours also checks the version and the previous hash, writes canonical JSON, and judges what it reads once in a process:',
      'form, hash, place in the stream, and with a registry the author and its Ed25519 signature.',
    ],
  };
}

async function measureOn(
  nats: BenchNats,
  { quick, onStep, isDurable }: Pick<FigureOptions, 'quick' | 'onStep'> & { readonly isDurable: boolean },
): Promise<Row[]> {
  const rounds = quick ? 2 : isDurable ? 5 : 9;
  const together = quick ? 1_000 : isDurable ? 2_000 : 10_000;
  const raw = await openRaw(nats);
  const store = await openNatsEventStore({ connection: nats.connection });
  const histories = new Histories();
  const what = isDurable ? ', each on the disk (sync_interval: always)' : '';
  try {
    const samples = await interleave(rounds, {
      ours: async (round) => {
        onStep(`append${what}, round ${round}`);
        const streams = histories.take(inFlight, together / inFlight);
        return perSecond(together, () => appendAll(store, streams));
      },
      raw: async () => {
        const streams = histories.take(inFlight, together / inFlight).map((commits) => commits.map(withText));
        return perSecond(together, () => publishAll(raw, streams));
      },
    });
    const against = 'the client: publish with the id and the expected sequence';
    const rows = [
      compared(
        { what: `append, ${inFlight} streams at once${what}`, unit: 'commits/s', against },
        samples.ours,
        samples.raw,
      ),
    ];
    return isDurable ? rows : [...rows, ...(await measureReplay(nats, store, quick, onStep))];
  } finally {
    await store.close();
  }
}

/** Replays what both have stored: the same number of commits of the same kind. */
async function measureReplay(
  nats: BenchNats,
  store: EventStore,
  quick: boolean,
  onStep: FigureOptions['onStep'],
): Promise<Row[]> {
  const count = (await (await jetstreamManager(nats.connection)).streams.info(rawStream)).state.messages;
  const readAll = (from: EventStore): Promise<number> =>
    perSecond(count, async () => {
      let read = 0;
      for await (const { commit } of from.readAll()) read += Math.sign(commit.version);
      assert(read === count, `every commit is read: ${read} of ${count}`);
    });
  /** A process that reads the log for the first time, and has to judge every commit. */
  const readFirst = async (trust: LogTrust): Promise<number> => {
    const fresh = await openNatsEventStore({ connection: nats.connection, trust });
    try {
      return await readAll(fresh);
    } finally {
      await fresh.close();
    }
  };
  const samples = await interleave(quick ? 2 : 7, {
    signed: async (round) => {
      onStep(`replay, signatures checked, round ${round}`);
      return readFirst({ registry: benchRegistry });
    },
    hashed: async (round) => {
      onStep(`replay, hashes checked, round ${round}`);
      return readFirst({});
    },
    again: () => readAll(store),
    parsed: () => perSecond(count, () => consume(nats, count, true)),
    unparsed: () => perSecond(count, () => consume(nats, count, false)),
  });
  const parsed = "the client's ordered consumer and JSON.parse";
  const unparsed = "the client's ordered consumer, nothing parsed";
  const row = (what: string, ours: readonly number[], against: string, raw: readonly number[]): Row =>
    compared({ what: `replay: readAll${what}`, unit: 'commits/s', against }, ours, raw);
  return [
    row(' by who reads for the first time: all of each commit checked', samples.signed, parsed, samples.parsed),
    row(' for the first time without a registry: form, hash, place', samples.hashed, parsed, samples.parsed),
    row(', once the process has judged it', samples.again, parsed, samples.parsed),
    row(', once the process has judged it', samples.again, unparsed, samples.unparsed),
  ];
}

const benchRegistry: LogRegistry = {
  get: (author) => (author === benchAuthor.node ? benchAuthor : undefined),
  learn: async () => {},
};

async function consume(nats: BenchNats, count: number, isParsed: boolean): Promise<void> {
  const consumer = await jetstream(nats.connection).consumers.get(rawStream, {});
  const messages = await consumer.consume({ max_messages: 4_096 });
  let left = count;
  for await (const message of messages) {
    if (isParsed) message.json();
    left -= 1;
    if (left === 0) break;
  }
  await messages.close();
}

async function appendAll(store: EventStore, streams: readonly (readonly Commit[])[]): Promise<void> {
  await Promise.all(
    streams.map(async (commits) => {
      for (const commit of commits) {
        const { outcome } = await store.append(commit);
        assert(outcome === 'stored', `the commit is stored: ${outcome}`);
      }
    }),
  );
}

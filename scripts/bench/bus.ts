import { EventEmitter } from 'node:events';
import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import type { Figure, FigureOptions, FigureResult } from './figure.ts';
import { compared, interleave, perSecond } from './interleave.ts';

/** What the in-process bus costs. */
export const bus: Figure = {
  name: 'bus',
  title: 'messages per second over the in-process bus, 256 bytes each',
  run: measure,
};

const subject = 'pouw.v1.tok.31337-abcdef01-1.0xabc.0xdef';

async function measure({ quick, onStep }: FigureOptions): Promise<FigureResult> {
  const rounds = quick ? 2 : 11;
  const published = quick ? 2_000 : 50_000;
  const asked = quick ? 200 : 5_000;
  const data = new Uint8Array(256);
  const local = createLocalBus();
  const emitter = new EventEmitter();
  const inbox = new Inbox();
  local.subscribe('pouw.v1.tok.31337-abcdef01-1.*.*', () => inbox.took());
  local.subscribe('pouw.v1.cmd.miner.0xabc.job', (message) => message.respond(message.data));
  emitter.on(subject, () => inbox.took());
  try {
    const samples = await interleave(rounds, {
      ours: async (round) => {
        onStep(`round ${round}`);
        return perSecond(published, async () => {
          const arrived = inbox.expect(published);
          for (let sent = 0; sent < published; sent += 1) local.publish(subject, data);
          await arrived;
        });
      },
      raw: () =>
        perSecond(published, async () => {
          const arrived = inbox.expect(published);
          for (let sent = 0; sent < published; sent += 1) emitter.emit(subject, data);
          await arrived;
        }),
      oursAsked: () =>
        perSecond(asked, async () => {
          for (let sent = 0; sent < asked; sent += 1)
            await local.request('pouw.v1.cmd.miner.0xabc.job', data, { timeoutMs: 5_000 });
        }),
      rawAsked: () =>
        perSecond(asked, async () => {
          for (let sent = 0; sent < asked; sent += 1) await nextTurn();
        }),
    });
    return {
      rows: [
        compared(
          {
            what: 'publish to one subscriber with a wildcard',
            unit: 'messages/s',
            against: 'EventEmitter, a plain call',
          },
          samples.ours,
          samples.raw,
        ),
        compared(
          {
            what: 'request and reply, one at a time',
            unit: 'requests/s',
            against: 'two turns of the event loop (setImmediate)',
          },
          samples.oursAsked,
          samples.rawAsked,
        ),
      ],
      notes: [
        'The bus checks the subject, matches it, copies the bytes and hands them over from the event loop, as NATS would.',
      ],
    };
  } finally {
    await local.drain();
  }
}

/** Counts what arrives. */
class Inbox {
  #missing = 0;
  #done: () => void = () => undefined;

  expect(count: number): Promise<void> {
    this.#missing = count;
    return new Promise((resolve) => (this.#done = resolve));
  }

  took(): void {
    this.#missing -= 1;
    if (this.#missing === 0) this.#done();
  }
}

/** A question and its answer take a turn each. */
async function nextTurn(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}

import { expect } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { bytes, type BusHarness, listen, text } from './bus.harness.ts';
import { aMoment, eventually, type Feature, gate } from './feature.ts';
import { pouwError } from './pouw-error.ts';

/** What a bus promises to those who ask and those who answer. */
export const requestFeatures: readonly Feature<BusHarness>[] = [
  {
    name: 'returns the answer to a request, at once or later',
    check: async ({ bus, patienceMs }) => {
      bus.subscribe('cmd.echo', ({ data, respond }) => respond(bytes(`you said ${text(data)}`)));
      bus.subscribe('cmd.slow', async ({ respond }) => {
        await aMoment(5);
        respond(bytes('at last'));
      });
      expect(text(await bus.request('cmd.echo', bytes('hello'), { timeoutMs: patienceMs }))).toBe('you said hello');
      expect(text(await bus.request('cmd.slow', bytes(''), { timeoutMs: patienceMs }))).toBe('at last');
    },
  },
  {
    name: 'keeps the answers of concurrent requests apart',
    check: async ({ bus, patienceMs }) => {
      bus.subscribe('cmd.*', async ({ subject, respond }) => {
        await aMoment(Number(subject.slice(4)) % 3);
        respond(bytes(subject));
      });
      const subjects = Array.from({ length: 30 }, (_, index) => `cmd.${index}`);
      const answers = await Promise.all(
        subjects.map((subject) => bus.request(subject, bytes(''), { timeoutMs: patienceMs })),
      );
      expect(answers.map(text)).toEqual(subjects);
    },
  },
  {
    name: 'takes the first answer and drops the others',
    check: async ({ bus, patienceMs }) => {
      bus.subscribe('cmd', ({ respond }) => {
        respond(bytes('first'));
        respond(bytes('second'));
      });
      bus.subscribe('cmd', async ({ respond }) => {
        await aMoment(5);
        respond(bytes('third'));
      });
      expect(text(await bus.request('cmd', bytes(''), { timeoutMs: patienceMs }))).toBe('first');
      await aMoment();
    },
  },
  {
    name: 'says at once that nobody listens, and says so again when they have left',
    check: async ({ bus }) => {
      const ask = (): Promise<Uint8Array> => bus.request('cmd.nobody', bytes(''), { timeoutMs: 60_000 });
      await expect(ask()).rejects.toEqual(pouwError('no_responders'));
      const subscription = bus.subscribe('cmd.nobody', ({ respond }) => respond(bytes('here')));
      expect(text(await ask())).toBe('here');
      await subscription.close();
      await expect(ask()).rejects.toEqual(pouwError('no_responders'));
    },
  },
  {
    name: 'times a request out, and drops an answer that comes too late',
    check: async ({ bus, errors }) => {
      const late = gate();
      bus.subscribe('cmd', async ({ respond }) => {
        await late.opened;
        respond(bytes('too late'));
      });
      const startMs = performance.now();
      try {
        await expect(bus.request('cmd', bytes(''), { timeoutMs: 200 })).rejects.toEqual(pouwError('request_timeout'));
        expect(performance.now() - startMs).toBeGreaterThanOrEqual(199);
      } finally {
        late.open();
      }
      await aMoment();
      expect(errors).toEqual([]);
    },
  },
  {
    name: 'gives a request up when its signal says so',
    check: async ({ bus, patienceMs }) => {
      const heard = listen(bus, 'cmd');
      const abort = new AbortController();
      const answer = bus.request('cmd', bytes('x'), { timeoutMs: 60_000, signal: abort.signal });
      abort.abort(new Error('changed my mind'));
      await expect(answer).rejects.toThrow('changed my mind');
      const aborted = bus.request('cmd', bytes('never sent'), { timeoutMs: 60_000, signal: abort.signal });
      await expect(aborted).rejects.toThrow('changed my mind');
      await eventually('the request that was sent', () => heard.length > 0, patienceMs);
      await aMoment();
      expect(heard).toEqual(['cmd=x']);
    },
  },
  {
    name: 'asks one member of a queue group',
    check: async ({ bus, patienceMs }) => {
      let asked = 0;
      for (let member = 0; member < 3; member++) {
        bus.subscribe(
          'cmd',
          ({ respond }) => {
            asked += 1;
            respond(bytes(''));
          },
          { queue: 'q' },
        );
      }
      for (let index = 0; index < 9; index++) await bus.request('cmd', bytes(''), { timeoutMs: patienceMs });
      await aMoment();
      expect(asked).toBe(9);
    },
  },
  {
    name: 'answers with bytes of its own, and refuses an answer that is too large',
    check: async ({ bus, errors, patienceMs }) => {
      const reused = Buffer.from('answer');
      bus.subscribe('cmd.reuse', ({ respond }) => {
        respond(reused);
        reused.fill('x');
      });
      expect(text(await bus.request('cmd.reuse', bytes(''), { timeoutMs: patienceMs }))).toBe('answer');
      bus.subscribe('cmd.large', ({ respond }) => respond(new Uint8Array(limits.busMessageBytesMax + 1)));
      await expect(bus.request('cmd.large', bytes(''), { timeoutMs: 40 })).rejects.toEqual(
        pouwError('request_timeout'),
      );
      await eventually('the report', () => errors.length > 0, patienceMs);
      expect(errors).toEqual([pouwError('message_too_large')]);
    },
  },
  {
    name: 'lets a plain message be answered to no effect',
    check: async ({ bus, errors, patienceMs }) => {
      let answered = false;
      bus.subscribe('a', ({ respond }) => {
        respond(bytes('to nobody'));
        answered = true;
      });
      bus.publish('a', bytes(''));
      await eventually('the answer', () => answered, patienceMs);
      expect(errors).toEqual([]);
    },
  },
  {
    name: 'fails requests that still wait when it closes',
    check: async ({ bus, patienceMs }) => {
      const heard = listen(bus, 'cmd');
      const answer = bus.request('cmd', bytes(''), { timeoutMs: 60_000 });
      const settled = Promise.allSettled([answer]);
      await eventually('the request', () => heard.length === 1, patienceMs);
      await bus.drain();
      expect(await settled).toEqual([{ status: 'rejected', reason: pouwError('bus_closed') }]);
    },
  },
];

import { describe, expect, it } from 'vitest';
import { PouwError } from '../../core/errors.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { waitFor } from './wait-for.ts';

const away = (message: string): PouwError => new PouwError('nats_unreachable', message, { class: 'unavailable' });

function world() {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const told: string[] = [];
  const tries: number[] = [];
  const options = {
    clock,
    signal: stop.signal,
    onWait: (what: string, reason: string) => void told.push(`${what}: ${reason}`),
  };
  return { clock, stop, told, tries, options };
}

describe('waiting for what a process depends on', () => {
  it('tries again, less and less often, until it is there', async () => {
    const { clock, told, tries, options } = world();
    const done = waitFor('NATS', options, async () => {
      tries.push(clock.now());
      if (tries.length < 8) throw away('nobody listens');
      return 'there';
    });
    await clock.advance(60_000);
    expect(await done).toBe('there');
    expect(tries).toEqual([0, 200, 600, 1_400, 3_000, 6_200, 11_200, 16_200]);
    expect(told).toEqual(['NATS: nobody listens']);
  });

  it('says when the reason is another', async () => {
    const { clock, told, options } = world();
    const reasons = ['a', 'a', 'b'];
    const done = waitFor('the chain', options, async () => {
      const reason = reasons.shift();
      if (reason !== undefined) throw away(reason);
    });
    await clock.advance(5_000);
    await done;
    expect(told).toEqual(['the chain: a', 'the chain: b']);
  });

  it('gives up at once on what no time cures', async () => {
    const { options } = world();
    const wrong = new PouwError('wrong_chain', 'another chain', { class: 'invalid' });
    await expect(waitFor('the chain', options, () => Promise.reject(wrong))).rejects.toBe(wrong);
  });

  it.each(['nats_too_old', 'nats_payload_too_small', 'nats_config_ignored'])(
    'does not wait for a server to become another: %s',
    async (code) => {
      const { options, told } = world();
      const unfit = new PouwError(code, 'the server is not fit', { class: 'unavailable' });
      await expect(waitFor('NATS', options, () => Promise.reject(unfit))).rejects.toBe(unfit);
      expect(told).toEqual([]);
    },
  );

  it('ends when it is told to', async () => {
    const { clock, stop, options } = world();
    const done = waitFor('NATS', options, () => Promise.reject(away('nobody')));
    done.catch(() => undefined);
    await clock.advance(1_000);
    stop.abort(new Error('stopped'));
    await expect(done).rejects.toThrow('stopped');
  });
});

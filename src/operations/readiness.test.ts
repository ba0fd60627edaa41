import { describe, expect, test } from 'vitest';
import { PouwError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../ports/log.ts';
import { silentLog } from '../ports/log.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { ReadinessChecks } from './readiness.ts';

function checksOn(clock = new VirtualClock(), log: Log = silentLog): ReadinessChecks {
  return new ReadinessChecks(clock, log);
}

const gone = new PouwError('chain_unreachable', 'http://user:swordfish@chain is down.', { class: 'unavailable' });

describe('readiness', () => {
  test('is there where every check passes, whatever they return', async () => {
    const checks = checksOn();
    expect(await checks.report()).toEqual({ ready: true, checks: {} });
    checks.add('chain', () => 7);
    checks.add('log', async () => undefined);
    expect(await checks.report()).toEqual({ ready: true, checks: { chain: 'ok', log: 'ok' } });
  });

  test('names what is missing by code, and says nothing that may be secret', async () => {
    const checks = checksOn();
    checks.add('chain', () => Promise.reject(gone));
    checks.add('bus', () => {
      throw new Error('swordfish');
    });
    checks.add('log', () => undefined);
    const report = await checks.report();
    expect(report).toEqual({ ready: false, checks: { chain: 'chain_unreachable', bus: 'internal', log: 'ok' } });
  });

  test('does not wait for a check that never ends, which hears of it', async () => {
    const clock = new VirtualClock();
    const checks = checksOn(clock);
    let given: AbortSignal | undefined;
    checks.add('stuck', (signal) => {
      given = signal;
      return new Promise(() => {});
    });
    const report = checks.report();
    await clock.advance(limits.readinessCheckMsMax - 1);
    expect(given?.aborted).toBe(false);
    await clock.advance(1);
    expect(await report).toEqual({ ready: false, checks: { stuck: 'check_timeout' } });
    expect(given?.aborted).toBe(true);
  });

  test('is looked at once for all who ask at a time', async () => {
    const checks = checksOn();
    let looks = 0;
    checks.add('one', () => (looks += 1));
    const [first, second] = await Promise.all([checks.report(), checks.report()]);
    expect([looks, first === second]).toEqual([1, true]);
    await checks.report();
    expect(looks).toBe(2);
  });

  test('has a check taken away, and another in its place', async () => {
    const checks = checksOn();
    checks.add('chain', () => Promise.reject(gone));
    checks.add('chain', () => undefined);
    expect(await checks.report()).toMatchObject({ ready: true });
    checks.remove('chain');
    expect(await checks.report()).toEqual({ ready: true, checks: {} });
  });

  test('tells the log of changes only', async () => {
    const lines: string[] = [];
    const checks = checksOn(undefined, {
      ...silentLog,
      warn: (_, fields) => lines.push(`${fields?.['check']} ${fields?.['code']}`),
      info: (_, fields) => lines.push(`${fields?.['check']} ok`),
    });
    let isThere = true;
    checks.add('chain', () => (isThere ? undefined : Promise.reject(gone)));
    await checks.report();
    isThere = false;
    await checks.report();
    await checks.report();
    isThere = true;
    await checks.report();
    expect(lines).toEqual(['chain chain_unreachable', 'chain ok']);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DoneFault } from './chaos.ts';
import { acknowledgedCommits, acksFile, failovers, type LogSummary, lostCommits, takeOvers } from './examine.ts';

const folder = mkdtempSync(join(tmpdir(), 'pouw-examine-'));
afterAll(() => rmSync(folder, { recursive: true }));

const hash = (digit: string): string => digit.repeat(64);

describe('acknowledged commits', () => {
  it('are lost where the log does not have them, or has another in their place', async () => {
    for (const [name, lines] of [
      ['router-1', `session.1@1 ${hash('a')}\nsession.1@2 ${hash('b')}\n`],
      ['miner-1', `miner.1@1 ${hash('c')}\nminer.1@2 ${hash('d').slice(0, 9)}`],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, acksFile), lines);
    }
    const acknowledged = await acknowledgedCommits(folder);
    // The torn line of a process that was killed counts for nothing.
    expect(acknowledged).toHaveLength(3);
    const log = (hashes: readonly (readonly [string, string])[]): LogSummary => ({
      commits: 0,
      events: 0,
      hashes: new Map(hashes),
      tasks: new Map(),
      unbalanced: [],
    });
    const whole = [...acknowledged, ['later.1@1', hash('e')]] as const;
    expect(lostCommits(acknowledged, log(whole))).toEqual([]);
    expect(lostCommits(acknowledged, log(whole.slice(1)))).toEqual([acknowledged[0]?.[0]]);
    expect(lostCommits(acknowledged, log([...whole, ['session.1@2', hash('f')]]))).toEqual(['session.1@2']);
  });
});

describe('failovers', () => {
  const fault = (at: number, name: string, target: DoneFault['target']): DoneFault => {
    return { at, kind: 'kill', name, target, forMs: 2_000 };
  };
  const taken = [
    { at: 10, router: 'router-1', group: 'g1' },
    { at: 10, router: 'router-2', group: 'g2' },
    { at: 1_500, router: 'router-2', group: 'g1' },
  ];

  it('last from the fault of a group’s owner until another router has it', () => {
    expect(failovers([fault(100, 'router-1', 'router')], taken, 60_000)).toEqual([1_400]);
    expect(failovers([{ ...fault(100, 'router-1', 'router'), kind: 'pause' }], taken, 60_000)).toEqual([1_400]);
  });

  it('are none of a router that went on before anybody missed it', () => {
    const pause = { ...fault(100, 'router-1', 'router'), kind: 'pause', forMs: 500 } as const;
    expect(failovers([pause], taken, 60_000)).toEqual([]);
    expect(failovers([{ ...pause, forMs: 900 }], taken, 60_000)).toEqual([1_400]);
  });

  it('are none of groups that the router did not have, that nobody took, or that came back to it', () => {
    expect(failovers([fault(100, 'router-2', 'router')], taken, 60_000)).toEqual([]);
    expect(failovers([fault(100, 'miner-1', 'miner')], taken, 60_000)).toEqual([]);
    expect(failovers([fault(100, 'router-1', 'router')], taken, 1_000)).toEqual([]);
    const back = [...taken.slice(0, 2), { at: 900, router: 'router-1', group: 'g1' }];
    expect(failovers([fault(100, 'router-1', 'router')], back, 60_000)).toEqual([]);
  });

  it('are read from what routers wrote', () => {
    const own = join(folder, 'router-9');
    mkdirSync(own);
    const line = { at: '2026-11-28T00:00:01.000Z', group: 'g1', message: 'sessions taken up' };
    writeFileSync(join(own, 'pouw.log'), `${JSON.stringify({ message: 'ready' })}\n${JSON.stringify(line)}\n`);
    expect(takeOvers([{ name: 'router-9', folder: own }])).toEqual([
      { at: Date.parse(line.at), router: 'router-9', group: 'g1' },
    ]);
  });
});

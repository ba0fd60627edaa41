import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { advanceAnvil } from '../../src/adapters/chain/anvil-time.ts';
import type { ChainAudit } from '../../src/adapters/chain/chain-audit.ts';
import { isMoneyConserved } from '../../src/sim/report.ts';
import { auditChain } from '../kit/chain-audit.ts';
import { type Body, httpClient, type HttpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { watchLog } from '../kit/log-watch.ts';
import { type Ended, killLeftovers, runPouw, startPouw, type StartedPouw } from '../kit/pouw-process.ts';

/** What a network dies at: as soon as it is in the log. */
const kills = [
  'TaskTaken',
  'TaskPrecommitted',
  'BatchBegun',
  'BatchPrecommitsSeen',
  'TaskCommitted',
  'BatchRevealsBound',
  'BatchRevealsSeen',
  'VerdictSigned',
  'BatchOutcomesBound',
  'BatchOutcomesSeen',
] as const;
const endedWithinMs = 90_000;
/** More than a batch's window, in seconds. */
const windowS = 3_700;

const place = scratch('crash-batched');
const tasks: string[] = [];

function start(): Promise<StartedPouw> {
  return startPouw(place.path, ['--settlement', 'batched']);
}

async function until<T>(read: () => Promise<T>, isThere: (value: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + endedWithinMs;
  for (;;) {
    const value = await read();
    if (isThere(value)) return value;
    if (performance.now() > giveUpAt) throw new Error(`still ${JSON.stringify(value)}`);
    await sleep(50);
  }
}

async function killAt(event: string, round: number): Promise<void> {
  const pouw = await start();
  const client = httpClient(pouw.ready);
  const watch = watchLog(place.path, 'end');
  const { id } = await client.submit('What is a dog?', `round-${round}`);
  tasks.push(id);
  await watch.until((logged) => logged.event.type === event);
  process.kill(pouw.pid, 'SIGKILL');
  watch.close();
  await pouw.ended;
}

const claim = (role: string, index: number): Promise<Ended> =>
  runPouw(['claim', '--data', place.path, '--role', role, '--index', String(index), '--json']);

const nodes = [
  ...[0, 1].map((index) => ['router', index] as const),
  ...[0, 1, 2, 3, 4].map((index) => ['miner', index] as const),
  ...[0, 1].map((index) => ['validator', index] as const),
  ['deployer', 0] as const,
];

async function claimed(): Promise<bigint> {
  let sumWei = 0n;
  for (const [role, index] of nodes) {
    const { code, stdout, stderr } = await claim(role, index);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { claimed: all } = JSON.parse(stdout) as { claimed: { what: string; amountWei: string }[] };
    expect(all.every(({ what }) => what === 'batches')).toBe(true);
    sumWei += all.reduce((sum, { amountWei }) => sum + BigInt(amountWei), 0n);
  }
  return sumWei;
}

describe('a network of a batched session that is killed at every step of a batch', () => {
  let views: readonly Body[] = [];
  let session: Body;
  let audit: ChainAudit;
  let claimedWei = 0n;
  let claimedAgainWei = 0n;
  let stopped: Ended;

  beforeAll(async () => {
    for (const [round, event] of kills.entries()) await killAt(event, round);
    const pouw = await start();
    const client: HttpClient = httpClient(pouw.ready);
    const view = (task: string): Promise<Body> => client.get(`/v1/tasks/${task}`);
    views = await Promise.all(
      tasks.map((task) =>
        until(
          () => view(task),
          ({ state }) => state === 'settled' || state === 'refunded',
        ),
      ),
    );
    session = await client.session();
    await advanceAnvil(pouw.ready.rpcUrl, windowS);
    audit = await until(
      () => auditChain(pouw.ready.rpcUrl, place.path),
      ({ money }) => money.escrowedWei === '0',
    );
    claimedWei = await claimed();
    claimedAgainWei = await claimed();
    pouw.kill('SIGINT');
    stopped = await pouw.ended;
  }, 400_000);

  afterAll(async () => {
    await killLeftovers(place.path);
    place.remove();
  });

  it('settles every task once, and applies no effect twice', () => {
    expect(views.map(({ state }) => state)).toEqual(kills.map(() => 'settled'));
    expect([...audit.effects].filter(([, count]) => count !== 1)).toEqual([]);
  });

  it('has the money in the log that the chain has, to the wei', () => {
    const money = session['money'] as Record<string, string>;
    const prices = views.reduce((sum, view) => sum + BigInt(String(view['price_wei'])), 0n);
    expect(BigInt(money['paid_wei'] ?? -1)).toBe(prices);
    expect(BigInt(audit.money.paidWei)).toBe(prices);
    expect(money['escrowed_wei']).toBe('0');
    expect(isMoneyConserved(audit.money)).toBe(true);
  });

  it('pays each node by one proof all that it has earned, and nothing again', () => {
    expect(claimedWei).toBe(BigInt(audit.money.paidWei));
    expect(claimedAgainWei).toBe(0n);
  });

  it('leaves a log that verifies', async () => {
    expect(stopped).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout } = await runPouw(['log', 'verify', place.path, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, faults: [] });
  });
});

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SimReport } from '../../src/sim/report.ts';
import { scratch } from '../kit/local-network.ts';
import { runPouw } from '../kit/pouw-process.ts';

const place = scratch('sim-batched');
afterAll(() => place.remove());

const tasks = 8;
const args = ['--tasks', String(tasks), '--concurrency', '8', '--settlement', 'batched', '--device', 'cpu', '--json'];

async function run(name: string, ...more: readonly string[]): Promise<{ report: SimReport; data: string }> {
  const data = join(place.path, name);
  const { code, stdout, stderr } = await runPouw(['sim', ...args, '--seed', name, '--data', data, ...more]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return { report: JSON.parse(stdout) as SimReport, data };
}

describe('pouw sim --settlement batched', () => {
  let report: SimReport;
  let data: string;

  beforeAll(async () => ({ report, data } = await run('liar', '--attack', 'random@1')), 120_000);

  it('settles every task in batches and conserves the money to the wei', () => {
    expect(report).toMatchObject({
      ok: true,
      settlement: 'batched',
      tasks: { submitted: tasks, settled: tasks, failed: 0, refunded: 0 },
      money: { conserved: true, escrowedWei: '0', refundedWei: '0', slashedWei: '0' },
    });
    const prices = report.results.reduce((sum, { priceWei }) => sum + BigInt(priceWei), 0n);
    expect(BigInt(report.money.paidWei)).toBe(prices);
  });

  it('pays the honest miners by proofs, 80 % of each price in equal parts, and a liar nothing', () => {
    const due = new Map<string, bigint>();
    for (const { honest, priceWei } of report.results) {
      const each = (BigInt(priceWei) * 8_000n) / 10_000n / BigInt(honest.length);
      for (const miner of honest) due.set(miner, (due.get(miner) ?? 0n) + each);
    }
    for (const { address, earnedWei } of report.miners) expect(BigInt(earnedWei)).toBe(due.get(address) ?? 0n);
    expect(report.miners.find(({ attack }) => attack !== null)).toMatchObject({ earnedWei: '0' });
    expect(report.results.some(({ outliers }) => outliers.length > 0)).toBe(true);
  });

  it('takes fewer transactions than tasks have steps', () => {
    expect(report.chain.transactions).toBeLessThan(tasks * 4);
  });

  it('leaves a log that verifies against its chain', async () => {
    const { code, stdout } = await runPouw(['log', 'verify', data, '--json']);
    expect(code).toBe(0);
    const verified = JSON.parse(stdout) as { readonly parts: number };
    expect(verified).toMatchObject({ ok: true, faults: [] });
    // Three precommits, three results and two verdicts of each task.
    expect(verified.parts).toBe(tasks * 8);
    rmSync(data, { recursive: true });
  });

  it('replaces a miner that says nothing, without an oracle', async () => {
    const silent = await run('silent', '--attack', 'silent@1');
    expect(silent.report).toMatchObject({ ok: true, tasks: { settled: tasks }, money: { conserved: true } });
    expect(silent.report.miners.find(({ attack }) => attack === 'silent')).toMatchObject({ earnedWei: '0' });
  }, 120_000);
});

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SimReport } from '../../src/sim/report.ts';
import { scratch } from '../kit/local-network.ts';
import { type Ended, runPouw } from '../kit/pouw-process.ts';

const place = scratch('sim');
afterAll(() => place.remove());

const pouw = (...args: string[]): Promise<Ended> => runPouw(args);

const weiPattern = /^\d+$/;

describe('pouw sim', () => {
  it('runs tasks with a liar among the miners and prints one JSON object that adds up', async () => {
    const data = join(place.path, 'liar');
    const { code, stdout } = await pouw(
      'sim',
      '--tasks',
      '6',
      '--attack',
      'random@1',
      '--seed',
      'test',
      '--device',
      'cpu',
      '--data',
      data,
      '--json',
    );
    const report = JSON.parse(stdout) as SimReport;
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(Object.keys(report)).toEqual([
      'ok',
      'seed',
      'scheduling',
      'settlement',
      'tasks',
      'results',
      'miners',
      'money',
      'latencyMs',
      'ttftMs',
      'tokensPerSecond',
      'log',
      'chain',
    ]);
    expect(report).toMatchObject({
      ok: true,
      seed: 'test',
      scheduling: 'preassigned',
      tasks: { submitted: 6, settled: 6, failed: 0, refunded: 0 },
      money: { conserved: true, escrowedWei: '0' },
    });
    const liar = report.miners.find((miner) => miner.attack === 'random');
    expect(liar).toMatchObject({ honest: 0, earnedWei: '0' });
    expect(liar?.outlier).toBe(liar?.assigned);
    for (const result of report.results) {
      expect(result).toMatchObject({
        cid: expect.stringMatching(/^b/) as string,
        priceWei: expect.stringMatching(weiPattern) as string,
      });
      expect(result.winner).not.toBe(liar?.address);
      expect(result.outliers.every((miner) => miner === liar?.address)).toBe(true);
    }
    const { depositedWei, balanceWei, escrowedWei, paidWei, refundedWei, slashedWei } = report.money;
    expect(BigInt(depositedWei)).toBe(
      BigInt(balanceWei) + BigInt(escrowedWei) + BigInt(paidWei) + BigInt(refundedWei) + BigInt(slashedWei),
    );
    expect(BigInt(slashedWei)).toBe(report.miners.reduce((sum, miner) => sum + BigInt(miner.slashedWei), 0n));
    expect(report.log).toMatchObject({ dir: data });
    expect(report.chain.gasPerTask).toBeGreaterThan(500_000);
    expect(existsSync(join(data, 'log.sqlite'))).toBe(true);
    expect((await pouw('log', 'verify', data, '--json')).code).toBe(0);
  });

  it('runs tasks with miners that come first, whose log verifies as well', async () => {
    const data = join(place.path, 'first');
    const options = ['--tasks', '4', '--scheduling', 'first-come', '--seed', 'first', '--device', 'cpu'];
    const { code, stdout } = await pouw('sim', ...options, '--data', data, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      scheduling: 'first-come',
      tasks: { submitted: 4, settled: 4, failed: 0, refunded: 0 },
      money: { conserved: true, escrowedWei: '0' },
    });
    expect((await pouw('log', 'verify', data, '--json')).code).toBe(0);
    expect((await pouw('log', 'show', data)).stdout).toContain('OfferClaimed');
  });

  it('takes prompts from a file and prints a report for people', async () => {
    const prompts = join(place.path, 'prompts.txt');
    writeFileSync(prompts, 'What is a dog?\nDefine water.\n');
    const { code, stdout } = await pouw(
      'sim',
      '--prompts',
      prompts,
      '--redundancy',
      '1',
      '--miners',
      '2',
      '--device',
      'cpu',
      '--data',
      join(place.path, 'people'),
    );
    expect(code).toBe(0);
    expect(stdout).toContain('A dog is a member of the genus Canis');
    expect(stdout).toContain('2 submitted, 2 settled');
    expect(stdout).toContain('conserved');
  });

  it.each([
    [['--tasks', '0'], 2, 'whole number from 1'],
    [['--attack', 'nobody@1'], 2, 'There is no attack named'],
    [['--redundancy', '3', '--miners', '2'], 2, 'not_enough_miners'],
    [['--miners', '3', '--attack', 'random@4'], 2, 'too_many_attackers'],
    [['--prompts', 'no/such/file'], 2, 'file_unreadable'],
    [['--model', 'no-such-model', '--tasks', '1'], 1, 'model_not_found'],
    [['--scheduling', 'at-random'], 2, 'Allowed choices are preassigned, first-come'],
    [['--colour', 'red'], 2, 'unknown option'],
  ])('refuses %j with exit code %i', async (args, exitCode, words) => {
    const data = join(place.path, 'refused');
    const { code, stdout, stderr } = await pouw('sim', ...args, '--data', data);
    rmSync(data, { recursive: true, force: true });
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toContain(words);
  });

  it('refuses a directory that is not fresh', async () => {
    writeFileSync(join(place.path, 'something'), 'x');
    expect(await pouw('sim', '--data', place.path)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('data_dir_not_fresh') as string,
    });
  });
});

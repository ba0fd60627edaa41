import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bus } from './bench/bus.ts';
import { compared, interleave, median, pairedRatio } from './bench/interleave.ts';
import { formatNumber, printFigure } from './bench/print.ts';

/** Runs the command and gives what it printed. */
async function runBench(...args: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bench.ts'), ...args]);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output, errors };
}

describe('the benchmark command', () => {
  test('names the machine and prints one JSON object with the figures that were asked for', async () => {
    const { code, output } = await runBench('--only', 'bus', '--quick', '--json');
    expect(code).toBe(0);
    const printed = JSON.parse(output) as {
      machine: object;
      quick: boolean;
      figures: Record<string, { rows: object[] }>;
    };
    expect(printed.machine).toMatchObject({ node: process.versions.node, cores: expect.any(Number) as number });
    expect(printed.quick).toBe(true);
    expect(Object.keys(printed.figures)).toEqual(['bus']);
    for (const row of printed.figures['bus']?.rows ?? []) {
      expect(row).toMatchObject({ ours: expect.any(Number) as number, raw: expect.any(Number) as number });
    }
  });

  test('lists the figures where one is unknown', async () => {
    const { code, errors } = await runBench('--only', 'nothing');
    expect(code).toBe(2);
    expect(errors).toContain('There is no figure "nothing".');
    for (const name of ['append', 'replay', 'open-tasks', 'tasks', 'tokens', 'sessions', 'gas', 'similarity']) {
      expect(errors).toContain(name);
    }
  });
});

test('a figure says what is measured, against what, and how far apart they are', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'pouw-bench-test-'));
  try {
    const result = await bus.run({ quick: true, scratch, onStep: () => undefined });
    for (const { ours, raw, ratio } of result.rows) {
      expect(ours).toBeGreaterThan(0);
      expect(raw).toBeGreaterThan(0);
      expect(ratio).toBeGreaterThan(0);
    }
    expect(printFigure(bus, result)).toMatch(/^bus: .*\n {2}what +ours +raw +ours ÷ raw +unit +raw is\n/);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

describe('comparing', () => {
  test('runs the sides in turn, forwards and backwards, and keeps nothing of the first round', async () => {
    const runs: string[] = [];
    const side = (name: string) => async (round: number) => {
      runs.push(`${name}${round}`);
      return round;
    };
    const samples = await interleave(2, { a: side('a'), b: side('b') });
    expect(runs).toEqual(['a0', 'b0', 'b1', 'a1', 'a2', 'b2']);
    expect(samples).toEqual({ a: [1, 2], b: [1, 2] });
  });

  test('takes medians, and the ratio round by round', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    // The second round was slow for both: what both suffer from does not change the ratio.
    expect(pairedRatio([10, 1, 10], [20, 2, 20])).toBe(0.5);
    expect(compared({ what: 'x', unit: 'y', against: 'z' }, [10, 1, 12], [20, 2, 24])).toEqual({
      what: 'x',
      unit: 'y',
      against: 'z',
      ours: 10,
      raw: 20,
      ratio: 0.5,
    });
  });

  test('prints three digits', () => {
    expect([0, 0.012345, 1.5, 99.96, 1_234.5, 1_234_567].map(formatNumber)).toEqual([
      '0',
      '0.0123',
      '1.50',
      '100',
      '1,235',
      '1,234,567',
    ]);
  });
});

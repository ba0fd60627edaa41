import { describe, expect, it } from 'vitest';
import { chaosLevels, chaosPlan, type Fault } from './chaos-plan.ts';

function first(count: number, seed = 'a', level: keyof typeof chaosLevels = 'medium'): Fault[] {
  const plan = chaosPlan(seed, chaosLevels[level]);
  return Array.from({ length: count }, () => plan.next().value);
}

describe('a plan of chaos', () => {
  it('is the same for the same seed and another for another', () => {
    expect(first(50)).toEqual(first(50));
    expect(first(50, 'b')).not.toEqual(first(50));
  });

  it('hits every kind of process, by killing and by pausing', () => {
    const hit = new Set(first(400).map(({ target, kind }) => `${kind} ${target}`));
    for (const target of ['router', 'miner', 'validator', 'oracle', 'nats', 'rpc'])
      for (const kind of ['kill', 'pause']) expect(hit).toContain(`${kind} ${target}`);
  });

  it('keeps to the mean of its level and the bounds of its times', () => {
    for (const level of Object.keys(chaosLevels) as (keyof typeof chaosLevels)[]) {
      const faults = first(2_000, 'a', level);
      const mean = faults.reduce((sum, { afterMs }) => sum + afterMs, 0) / faults.length;
      expect(mean / chaosLevels[level]).toBeCloseTo(1, 1);
      for (const { forMs, pick } of faults) {
        expect(forMs).toBeGreaterThanOrEqual(500);
        expect(forMs).toBeLessThanOrEqual(5_000);
        expect(pick).toBeGreaterThanOrEqual(0);
        expect(pick).toBeLessThan(1);
      }
    }
  });
});

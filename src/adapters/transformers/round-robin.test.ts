import { describe, expect, it } from 'vitest';
import { PassGate } from './pass-gate.ts';
import { type Job, RoundRobin } from './round-robin.ts';

/** A job of a number of steps that notes each. */
function job(name: string, steps: number, log: string[]): Job & { readonly finished: Promise<undefined> } {
  let step = 0;
  const { promise: finished, resolve: finish } = Promise.withResolvers<undefined>();
  return {
    finished,
    step: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name}${step++}`);
      if (step === steps) finish(undefined);
      return step === steps;
    },
  };
}

describe('RoundRobin', () => {
  it('gives every job a step in turn and lets short ones overtake', async () => {
    const log: string[] = [];
    const jobs = [job('a', 3, log), job('b', 1, log), job('c', 2, log)];
    const roundRobin = new RoundRobin(new PassGate());
    for (const each of jobs) roundRobin.add(each);
    await Promise.all(jobs.map((each) => each.finished));
    expect(log).toEqual(['a0', 'b0', 'c0', 'a1', 'c1', 'a2']);
  });

  it('starts again after it ran dry', async () => {
    const log: string[] = [];
    const roundRobin = new RoundRobin(new PassGate());
    for (const name of ['a', 'b']) {
      const each = job(name, 1, log);
      roundRobin.add(each);
      await each.finished;
    }
    expect(log).toEqual(['a0', 'b0']);
  });

  it('stops after the step under way and takes nothing more', async () => {
    const log: string[] = [];
    const roundRobin = new RoundRobin(new PassGate());
    roundRobin.add(job('a', 9, log));
    roundRobin.add(job('b', 9, log));
    await roundRobin.stop();
    roundRobin.add(job('c', 1, log));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(log).toEqual(['a0']);
  });
});

describe('PassGate', () => {
  it('lets its owner wait until nobody is inside, and then nobody in', async () => {
    const gate = new PassGate();
    const other = new PassGate(gate.shared);
    let done = false;
    const inside = other.through(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      done = true;
    });
    gate.shut();
    await gate.empty();
    expect(done).toBe(true);
    await inside;
    let entered = false;
    void other.through(async () => {
      entered = true;
    });
    gate.waitUntilEmpty(1_000);
    await gate.empty();
    expect(entered).toBe(false);
  });

  it('waits no longer than it is told', () => {
    const gate = new PassGate();
    void gate.through(() => new Promise(() => undefined));
    const from = performance.now();
    gate.waitUntilEmpty(20);
    expect(performance.now() - from).toBeGreaterThanOrEqual(19);
  });

  it('is left when a pass fails', async () => {
    const gate = new PassGate();
    await expect(gate.through(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await gate.empty();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import type { Address } from '../../src/core/ids.ts';
import { present } from '../../src/core/assert.ts';
import type { MinerNode } from '../../src/nodes/miner/miner-node.ts';
import type { ValidatorNode } from '../../src/nodes/validator/validator-node.ts';
import { ofMiner } from '../kit/dying-miner.ts';
import { ask, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { expectSameMoney } from '../kit/same-money.ts';

const place = scratch('drain');
const terms = { ackTimeoutS: 6, executeTimeoutS: 12, revealTimeoutS: 30, validateTimeoutS: 30, queueTimeoutS: 120 };

let on: TestNetwork;
beforeAll(async () => {
  on = await startTestNetwork(
    place.path,
    { scheduling: 'first-come', counts: { routers: 1, miners: 4, validators: 3, oracles: 1 } },
    terms,
  );
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

/** The first miner that has jobs of which some are bound and some are not. */
async function busyMiner(): Promise<MinerNode> {
  for (;;) {
    const busy = on.network.miners.find((miner) => {
      const jobs = miner.left().join('\n');
      return jobs.includes('not bound yet') && jobs.includes('not revealed');
    });
    if (busy !== undefined) return busy;
    await systemClock.sleep(5);
  }
}

async function stakeOf(node: Address): Promise<unknown> {
  return (await on.network.ports.chain.node(node))?.stakeWei;
}

describe('a miner with tasks in all phases that is told to stop', () => {
  it('loses nothing, and no task finds it an outlier or late with its reveal', { timeout: 240_000 }, async () => {
    const questions = ['dog', 'river', 'horse', 'stone', 'tree', 'fox', 'bird'];
    const asked = Promise.all(
      [...questions, ...questions].map((one, number) => ask(on, `${number}. What is a ${one}?`, { maxTokens: 48 })),
    );
    const miner = await busyMiner();
    const staked = await stakeOf(miner.address);
    const lines: string[] = [];
    // Far less than the tasks under way need.
    await miner.drain(50, (line) => lines.push(line));
    const left = miner.left();
    await miner.stop(1_000);
    expect(lines.join('\n')).toContain('Waiting beyond the drain');
    for (const one of left) expect(one).toMatch(/let go before it was bound|accepted, its job had not come/);

    const views = (await asked).map(({ view }) => view);
    expect(views.map(({ state }) => state)).toEqual(Array(14).fill('settled'));
    const letGo = new Set(left.map((one) => one.split(' ')[0]));
    const parts = views.flatMap((view) => ofMiner(view, miner.address) ?? []);
    expect(parts.length).toBeGreaterThan(0);
    const kept = views.flatMap((view) => (letGo.has(view.task) ? [] : (ofMiner(view, miner.address) ?? [])));
    expect(kept.filter(({ verdict }) => verdict !== 'honest')).toEqual([]);
    expect(parts.filter(({ verdict }) => verdict === 'outlier')).toEqual([]);
    expect(await stakeOf(miner.address)).toEqual(staked);
    const { number } = await on.network.ports.chain.block();
    const facts = await on.network.ports.chain.facts(0, number);
    expect(facts.filter(({ type }) => type === 'StakeSlashed')).toEqual([]);
    await expectSameMoney(on);
  });
});

describe('a validator that is told to stop', () => {
  it('judges what it was drawn for, and is drawn no more', { timeout: 120_000 }, async () => {
    const judging = ask(on, 'What is a boat?', { maxTokens: 48 });
    const drawnFor = async (): Promise<ValidatorNode | undefined> =>
      on.network.validators.find((one) => one.left().length > 0);
    await expect.poll(drawnFor, { timeout: 60_000, interval: 10 }).toBeDefined();
    const validator = present(await drawnFor(), 'a validator at work');
    const [task] = validator.left();
    await validator.drain(60_000);
    expect(validator.left()).toEqual([]);
    const { view } = await judging;
    expect(view).toMatchObject({
      state: 'settled',
      validators: expect.arrayContaining([validator.address]) as unknown,
    });
    expect(task).toContain(view.task);

    for (const question of ['What is a house?', 'What is a road?', 'What is a hill?']) {
      const next = await ask(on, question, { maxTokens: 8 });
      expect(next.view.state).toBe('settled');
      expect(next.view.validators).not.toContain(validator.address);
    }
  });
});

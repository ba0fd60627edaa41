import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditDeployment } from '../../src/adapters/chain/chain-audit.ts';
import { present } from '../../src/core/assert.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { addWei, subWei, type Wei } from '../../src/core/wei.ts';
import { readPrompt } from '../../src/nodes/step-prompt.ts';
import type { PlannedStep, PlanRequest, PlanView } from '../../src/ports/plan-network.ts';
import { isMoneyConserved } from '../../src/sim/report.ts';
import { ask, chat, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';

const place = scratch('plan');
const counts = { routers: 2, miners: 4, validators: 2, oracles: 1 };
const within = { timeout: 60_000, interval: 100 };
const never = new AbortController().signal;
let on: TestNetwork;

beforeAll(async () => {
  on = await startTestNetwork(place.path, { counts });
}, 120_000);
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

function step(name: string, prompt: string, after: readonly string[] = [], maxTokens = 24): PlannedStep {
  const { session: _, delivery: __, ...task } = chat(on, prompt, { maxTokens });
  return { name, after, task };
}

const named = (name: string) => keccak256(`plan of the tests: ${name}`);
const asked = (name: string, steps: readonly PlannedStep[]): PlanRequest => {
  return { session: on.demo.session, plan: named(name), steps };
};

async function look(name: string): Promise<PlanView> {
  return present(await on.network.plans.plan(named(name)), 'a plan');
}

async function ended(name: string): Promise<PlanView> {
  await expect.poll(async () => (await look(name)).state, within).not.toBe('running');
  return look(name);
}

async function money(): Promise<{ readonly balanceWei: Wei; readonly escrowedWei: Wei; readonly paidWei: Wei }> {
  return (await on.network.front.session(on.demo.session)).money;
}

/** What a task was asked, as anybody works it out from chain and content. */
async function promptOf({ task, prompt }: PlanView['steps'][number]['task']): Promise<string> {
  const { chain, content } = on.network.ports;
  const read = await readPrompt({ chain, content }, task, prompt, { timeoutMs: 5_000, signal: never });
  return JSON.stringify(read);
}

const mapAndReduce = () => [
  step('dog', 'Define dog.'),
  step('cat', 'Define cat.'),
  step('river', 'Define river.'),
  step('all', 'Define the first word of: {{dog}} / {{cat}} / {{river}} / {{dog}}', ['dog', 'cat', 'river']),
];

describe('a plan', () => {
  it('maps and reduces: the last step is asked what the three before it have said', async () => {
    const { view, created } = await on.network.plans.submit(asked('map', mapAndReduce()), never);
    expect([created, view.state, view.steps.map(({ isWaiting }) => isWaiting)]).toEqual([
      true,
      'running',
      [false, false, false, true],
    ]);
    const before = await money();
    expect(before.escrowedWei).toBe(view.escrowWei);
    const { state, steps, priceWei } = await ended('map');
    expect(state).toBe('settled');
    const [dog, cat, river, all] = steps.map(({ task }) => present(task.text, 'a text'));
    const last = present(steps[3], 'the last step').task;
    expect(await promptOf(last)).toContain(JSON.stringify(`${dog} / ${cat} / ${river} / ${dog}`).slice(1, -1));
    expect(all).not.toBe('');
    // Its validators have counted that prompt's tokens, not the template's.
    expect(last.promptTokens).toBeGreaterThan(present(steps[0], 'the first').task.promptTokens + 24);
    const record = await on.network.ports.chain.task(last.task);
    expect(record).toMatchObject({ state: 'settled', step: 1 });
    const after = await money();
    expect([after.paidWei, after.escrowedWei]).toEqual([addWei(before.paidWei, priceWei), '0']);
  });

  it('is the same one when it is asked for again, and another under its name is refused', async () => {
    const again = await on.network.plans.submit(asked('map', mapAndReduce()), never);
    expect([again.created, again.view.state]).toEqual([false, 'settled']);
    const other = on.network.plans.submit(asked('map', mapAndReduce().slice(0, 3)), never);
    await expect(other).rejects.toMatchObject({ code: 'request_id_reused' });
  });

  it('is refused whole where its texts may not fit, or the balance does not cover all of it', async () => {
    const before = await money();
    const long = [step('a', 'Define dog.', [], 480), step('b', 'Define: {{a}} {{a}}', ['a'])];
    await expect(on.network.plans.submit(asked('long', long), never)).rejects.toMatchObject({
      code: 'prompt_too_long',
    });
    expect(await money()).toEqual(before);
    expect(await on.network.plans.plan(named('long'))).toBeUndefined();
  });

  it('fails behind a step that is refunded, and what it has not spent is back to the wei', async () => {
    const before = await money();
    const chain = [
      step('first', 'Define water.', [], 200),
      step('second', 'Define: {{first}}', ['first'], 8),
      step('third', 'Define: {{second}}', ['second'], 8),
      step('beside', 'Define cat.', [], 8),
    ];
    const { view } = await on.network.plans.submit(asked('failing', chain), never);
    await on.network.front.cancel(present(view.steps[0], 'the first').task.task, 'the test');
    const { state, steps, priceWei } = await ended('failing');
    expect(state).toBe('failed');
    const ends = new Map(steps.map(({ name, task }) => [name, [task.state, task.failure?.code]]));
    expect(ends.get('first')).toEqual(['refunded', 'task_cancelled']);
    expect(ends.get('second')).toEqual(['refunded', 'parent_failed']);
    expect(ends.get('third')).toEqual(['refunded', 'parent_failed']);
    expect(ends.get('beside')).toEqual(['settled', undefined]);
    const after = await money();
    expect(after.balanceWei).toBe(subWei(before.balanceWei, priceWei));
    expect(after.escrowedWei).toBe('0');
    const { deployment } = on.network.ports.chain;
    expect(isMoneyConserved((await auditDeployment(on.network.rpcUrl, deployment)).money)).toBe(true);
  });

  it('lets go of what has not begun where its client wants it no more', async () => {
    const chain = [step('first', 'Define dog.', [], 64), step('second', 'Define: {{first}}', ['first'])];
    await on.network.plans.submit(asked('unwanted', chain), never);
    await on.network.plans.cancel(named('unwanted'));
    const { steps } = await ended('unwanted');
    expect(steps.map(({ task }) => task.state).at(-1)).toBe('refunded');
    expect((await money()).escrowedWei).toBe('0');
  });

  it('goes on at its first unfinished step when everything is restarted', async () => {
    const chain = [
      step('first', 'Define dog.'),
      step('second', 'Define: {{first}}', ['first'], 64),
      step('third', 'Define: {{second}}', ['second']),
    ];
    await on.network.plans.submit(asked('restarted', chain), never);
    const second = async (): Promise<string | undefined> => (await look('restarted')).steps[1]?.task.state;
    await expect.poll(second, { ...within, interval: 20 }).toMatch(/assigned|executing|precommitted|committed/);
    await on.network.stop(100);
    on = await startTestNetwork(place.path, { counts });
    const { state, steps } = await ended('restarted');
    expect(state).toBe('settled');
    const tasks = steps.map(({ task }) => task.task);
    const { submitted } = await auditDeployment(on.network.rpcUrl, on.network.ports.chain.deployment);
    for (const task of tasks) expect(submitted.get(task)).toBe(1);
  });

  it('leaves a network that answers single tasks as before', async () => {
    const { view } = await ask(on, 'Define river.');
    expect([view.state, 'step' in view]).toEqual(['settled', false]);
  });
});

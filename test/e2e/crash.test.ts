import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionId } from '../../src/core/ids.ts';
import { isMoneyConserved } from '../../src/sim/report.ts';
import type { ChainAudit, SessionOnChain } from '../../src/adapters/chain/chain-audit.ts';
import { auditChain } from '../kit/chain-audit.ts';
import { type Body, httpClient, type HttpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import {
  anvilPid,
  type Ended,
  killLeftovers,
  processesNaming,
  runPouw,
  startPouw,
  type StartedPouw,
} from '../kit/pouw-process.ts';
import { type Seeded, seeded, seedOfRun } from '../kit/seeded.ts';

const kills = 10;
/** Every third kill takes the chain down too, before or after the network. */
const chainKills: ReadonlyMap<number, 'before' | 'after'> = new Map([
  [2, 'after'],
  [5, 'before'],
  [8, 'after'],
]);
const states = ['submitted', 'queued', 'assigned', 'executing', 'precommitted', 'committed', 'validated', 'settled'];
const questions = ['What is a dog?', 'Define water.', 'What is a river?'];
const endedWithinMs = 90_000;

const place = scratch('crash');
const random = seeded(seedOfRun('crash'));
/** The task that each idempotency key was answered with. */
const acknowledged = new Map<string, string>();
/** Keys whose submission was cut off before it was answered. */
const cutOff = new Set<string>();
const asked = new Map<string, string>();

/** How a network refuses while it ends because its chain has died: each of them says to ask again. */
const refusals = ['chain_unreachable', 'not_owner', 'node_stopping', 'host_stopped', 'gateway_closing'].map(
  (code) => `"${code}"`,
);

/**
 * Submits until the process dies; what was answered is acknowledged. Where the chain dies first, the network may still
 * find the time to refuse.
 */
async function submit(client: HttpClient, key: string, chainDies = false): Promise<string | undefined> {
  const question = asked.get(key) ?? random.pick(questions);
  asked.set(key, question);
  try {
    const { id } = await client.submit(question, key);
    acknowledged.set(key, id);
    cutOff.delete(key);
    return id;
  } catch (error) {
    // Any other answer that refuses would be a defect: only a connection may fail.
    const message = error instanceof Error ? error.message : '';
    const refused = chainDies && message.startsWith('503') && refusals.some((code) => message.includes(code));
    if (!(error instanceof TypeError || refused)) throw error;
    cutOff.add(key);
    return undefined;
  }
}

/** Resolves when a task has reached a state, or has ended, or the process has died. */
async function reaches(client: HttpClient, task: string, state: string): Promise<void> {
  if (state === 'submitted') return;
  try {
    for await (const update of client.events(task)) if (update['state'] === state) return;
  } catch {
    // The chain may have died before.
  }
}

function kill(pid: number): void {
  process.kill(pid, 'SIGKILL');
}

/** Puts tasks into the network and kills it while they are somewhere on their way. */
async function crash(pouw: StartedPouw, round: number, chance: Seeded): Promise<void> {
  const client = httpClient(pouw.ready);
  const state = chance.pick(states);
  const delayMs = chance.below(120);
  const withChain = chainKills.get(round);
  console.log(`kill ${round + 1}: at ${state} + ${delayMs} ms${withChain === undefined ? '' : `, chain ${withChain}`}`);
  const tasks = await Promise.all([0, 1].map((number) => submit(client, `round-${round}-${number}`)));
  const [first] = tasks;
  if (first !== undefined) await reaches(client, first, state);
  await sleep(delayMs);
  const late = submit(client, `round-${round}-late`, withChain === 'before');
  await sleep(chance.below(40));
  const anvil = withChain === undefined ? undefined : anvilPid(place.path);
  if (withChain === 'before' && anvil !== undefined) {
    kill(anvil);
    await sleep(chance.below(300));
  }
  // A network that has lost its chain may have ended by itself.
  pouw.kill('SIGKILL');
  if (withChain === 'after' && anvil !== undefined) kill(anvil);
  await pouw.ended;
  await late;
}

async function untilEnded(client: HttpClient, task: string): Promise<Body> {
  const giveUpAt = performance.now() + endedWithinMs;
  for (;;) {
    const view = await client.get(`/v1/tasks/${task}`);
    if (view['state'] === 'settled' || view['state'] === 'refunded') return view;
    if (performance.now() > giveUpAt) throw new Error(`task ${task} has not ended: ${JSON.stringify(view)}`);
    await sleep(100);
  }
}

/** What the chain logs as the end of a task, by how the task ends in the session's log. */
function endingsOf({ id, state }: Body, { submitted }: ChainAudit): readonly string[] {
  // A task that the chain never took is refunded by the log alone.
  if (!submitted.has(String(id))) return [];
  return state === 'settled' ? ['TaskSettled'] : ['TaskRefunded'];
}

/**
 * Reads how all tasks have ended, until the chain says the same: after it has lost blocks, the log gives it time to
 * bring an assignment again before the task counts as lost.
 */
async function endsOf(client: HttpClient, rpcUrl: string): Promise<{ views: Body[]; audit: ChainAudit }> {
  const giveUpAt = performance.now() + endedWithinMs;
  for (;;) {
    const views = await Promise.all([...acknowledged.values()].map((task) => untilEnded(client, task)));
    const audit = await auditChain(rpcUrl, place.path);
    const agree = views.every(
      (view) => String(audit.endings.get(String(view['id'])) ?? []) === String(endingsOf(view, audit)),
    );
    if (agree || performance.now() > giveUpAt) return { views, audit };
    await sleep(500);
  }
}

describe('a network that is killed ten times in mid-task', () => {
  let views: Body[] = [];
  let session: Body = {};
  let audit: ChainAudit;
  let stopped: Ended;
  let onChain: SessionOnChain;

  beforeAll(async () => {
    for (let round = 0; round < kills; round += 1) {
      const startedAt = performance.now();
      const pouw = await startPouw(place.path);
      console.log(`start ${round + 1}: ${Math.round(performance.now() - startedAt)} ms`);
      const client = httpClient(pouw.ready);
      for (const task of acknowledged.values()) await client.get(`/v1/tasks/${task}`);
      await crash(pouw, round, random);
    }
    const pouw = await startPouw(place.path);
    const client = httpClient(pouw.ready);
    for (const key of Array.from(cutOff)) await submit(client, key);
    ({ views, audit } = await endsOf(client, pouw.ready.rpcUrl));
    session = await client.session();
    onChain = await audit.session(session['id'] as SessionId);
    pouw.kill('SIGINT');
    stopped = await pouw.ended;
  }, 240_000);

  afterAll(async () => {
    await killLeftovers(place.path);
    place.remove();
  });

  it('ends every acknowledged task, settled or refunded, and each request id is one task', () => {
    expect(acknowledged.size).toBe(kills * 3);
    expect(cutOff.size).toBe(0);
    expect(new Set(acknowledged.values()).size).toBe(acknowledged.size);
    expect(session['tasks']).toMatchObject({ submitted: acknowledged.size });
    const settled = views.filter((view) => view['state'] === 'settled');
    const reasons = views.flatMap(({ failure }) => (failure === null ? [] : [(failure as { code: string }).code]));
    console.log(`${settled.length} settled; refunded: ${reasons.join(', ')}`);
    expect(settled.length).toBeGreaterThan(views.length / 2);
  });

  it('gives a settled task the answer that an undisturbed one gets', () => {
    const answers = new Map<string, Set<unknown>>();
    for (const [key, task] of acknowledged) {
      const view = views.find((one) => one['id'] === task);
      if (view?.['state'] !== 'settled') continue;
      const question = asked.get(key) ?? '';
      answers.set(question, (answers.get(question) ?? new Set()).add(view['text']));
    }
    for (const [question, texts] of answers) expect([...texts], question).toHaveLength(1);
  });

  it('applies no effect twice on chain and ends no task there twice', () => {
    expect([...audit.effects].filter(([, count]) => count !== 1)).toEqual([]);
    expect([...audit.submitted].filter(([, count]) => count !== 1)).toEqual([]);
    for (const view of views) {
      expect(audit.endings.get(String(view['id'])) ?? [], JSON.stringify(view)).toEqual(endingsOf(view, audit));
    }
  });

  it('keeps every wei: in the session, on chain, and the same in both', () => {
    const money = session['money'] as Record<string, string>;
    const wei = (name: string): bigint => BigInt(money[name] ?? -1);
    expect(wei('deposited_wei')).toBe(wei('balance_wei') + wei('escrowed_wei') + wei('paid_wei') + wei('refunded_wei'));
    expect(wei('escrowed_wei')).toBe(0n);
    expect({
      balanceWei: wei('balance_wei'),
      escrowedWei: wei('escrowed_wei'),
      depositedWei: wei('deposited_wei'),
      paidWei: wei('paid_wei'),
    }).toEqual(onChain);
    const prices = views.reduce((sum, view) => sum + BigInt(String(view['price_wei'])), 0n);
    expect(prices).toBe(onChain.paidWei);
    expect(isMoneyConserved(audit.money)).toBe(true);
  });

  it('stops cleanly and leaves a log that verifies and no process', async () => {
    expect(stopped).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout, stderr } = await runPouw(['log', 'verify', place.path, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, faults: [] });
    expect(processesNaming(place.path)).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { demoFundsWei } from '../../src/cli/compose/settings.ts';
import type { Address, SessionId } from '../../src/core/ids.ts';
import { isMoneyConserved } from '../../src/sim/report.ts';
import type { ChainAudit } from '../../src/adapters/chain/chain-audit.ts';
import { auditChain } from '../kit/chain-audit.ts';
import { type Body, httpClient, type HttpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { type Logged, watchLog } from '../kit/log-watch.ts';
import {
  anvilPid,
  type Ended,
  killLeftovers,
  processesNaming,
  runPouw,
  startPouw,
  type StartedPouw,
} from '../kit/pouw-process.ts';

/** A moment at which network and chain die together: as soon as the log has the event. */
interface Kill {
  readonly event: string;
  /** What is done to bring it about, beside a task that is submitted. */
  readonly by?: (client: HttpClient, session: string, task: string) => Promise<unknown>;
}

const close = (client: HttpClient, session: string): Promise<unknown> =>
  client.post(`/v1/sessions/${session}/close`, {});
const deposit = (client: HttpClient, session: string): Promise<unknown> =>
  client.post(`/v1/sessions/${session}/deposit`, { amount_wei: '1000000000000000000' });

const kills: readonly Kill[] = [
  { event: 'TaskSubmitted' },
  { event: 'TaskQueuedOnChain' },
  { event: 'MinersAssigned' },
  { event: 'OutputProduced' },
  { event: 'AllPrecommitted' },
  { event: 'TaskCommitted' },
  { event: 'ResultValidated' },
  { event: 'TaskSettled' },
  { event: 'AnchorSeen' },
  { event: 'SessionDeposited', by: deposit },
  { event: 'TaskRefunded', by: (client, _, task) => client.cancel(task) },
  {
    event: 'SessionDraining',
    by: async (client, session, task) => {
      // What is not on chain yet does not keep a session open.
      await until(client, task, ['executing']);
      await close(client, session);
    },
  },
  {
    event: 'SessionClosed',
    by: async (client, session, task) => {
      await until(client, task, ended);
      await close(client, session);
    },
  },
];
const endedWithinMs = 90_000;
const ended = ['settled', 'refunded'];

const place = scratch('crash-chain');
/** What was submitted, by the session it is in. */
const tasks = new Map<string, string[]>();
/** A client of each session, whose key outlives the session. */
const keys = new Map<string, string>();

async function until(client: HttpClient, task: string, states: readonly string[]): Promise<Body> {
  const giveUpAt = performance.now() + endedWithinMs;
  for (;;) {
    const view = await client.get(`/v1/tasks/${task}`);
    if (states.includes(String(view['state']))) return view;
    if (performance.now() > giveUpAt) throw new Error(`task ${task} is still ${JSON.stringify(view)}`);
    await sleep(20);
  }
}

async function open(pouw: StartedPouw): Promise<{ client: HttpClient; session: string }> {
  const client = httpClient(pouw.ready);
  const session = String((await client.session())['id']);
  keys.set(session, pouw.ready.apiKey);
  return { client, session };
}

/** Brings an event about and kills network and chain in the moment it is in the log. */
async function killAt({ event, by }: Kill, round: number): Promise<void> {
  const pouw = await startPouw(place.path);
  const { client, session } = await open(pouw);
  const anvil = anvilPid(place.path);
  const watch = watchLog(place.path, 'end');
  const { id } = await client.submit('What is a dog?', `round-${round}`);
  tasks.set(session, [...(tasks.get(session) ?? []), id]);
  const ofThis = (logged: Logged): boolean =>
    logged.event.type === event && (!('task' in logged.event) || logged.event['task'] === id);
  const asked = by?.(client, session, id).catch((error: unknown) => error);
  await watch.until(ofThis);
  process.kill(pouw.pid, 'SIGKILL');
  process.kill(anvil, 'SIGKILL');
  watch.close();
  await Promise.all([pouw.ended, asked]);
}

/** A session as log and chain have it, and how its tasks ended. */
interface Outcome {
  readonly session: Body;
  readonly views: readonly Body[];
  readonly audit: ChainAudit;
  readonly chain: Record<string, bigint>;
}

async function outcomeOf(pouw: StartedPouw, session: string): Promise<Outcome> {
  const client = httpClient({ url: pouw.ready.url, apiKey: keys.get(session) ?? '' });
  const views = await Promise.all((tasks.get(session) ?? []).map((task) => until(client, task, ended)));
  await close(client, session);
  const giveUpAt = performance.now() + endedWithinMs;
  for (;;) {
    const body = await client.session();
    const audit = await auditChain(pouw.ready.rpcUrl, place.path);
    const chain = { ...(await audit.session(session as SessionId)) };
    const isOver = body['state'] === 'closed' && chain['escrowedWei'] === 0n && chain['balanceWei'] === 0n;
    if (isOver || performance.now() > giveUpAt) return { session: body, views, audit, chain };
    await sleep(250);
  }
}

function verify(): Promise<Ended> {
  return runPouw(['log', 'verify', place.path, '--json']);
}

describe('a network that is killed together with its chain', () => {
  const outcomes: Outcome[] = [];
  let stopped: Ended;
  let walletWei = 0n;
  let verifiedWhileDead: Ended;

  beforeAll(async () => {
    for (const [round, kill] of kills.entries()) {
      const startedAt = performance.now();
      await killAt(kill, round);
      if (kill.event === 'AnchorSeen') verifiedWhileDead = await verify();
      console.log(`killed at ${kill.event}: ${Math.round(performance.now() - startedAt)} ms`);
    }
    const pouw = await startPouw(place.path);
    await open(pouw);
    for (const session of keys.keys()) outcomes.push(await outcomeOf(pouw, session));
    walletWei = (await outcomes.at(-1)?.audit.corBalance(outcomes[0]?.session['client'] as Address)) ?? 0n;
    pouw.kill('SIGINT');
    stopped = await pouw.ended;
  }, 300_000);

  afterAll(async () => {
    await killLeftovers(place.path);
    place.remove();
  });

  it('ends every task, on chain as in the log, once', () => {
    for (const { views, audit } of outcomes) {
      for (const view of views) {
        const endings = [view['state'] === 'settled' ? 'TaskSettled' : 'TaskRefunded'];
        expect(audit.endings.get(String(view['id'])), JSON.stringify(view)).toEqual(endings);
      }
      expect([...audit.effects].filter(([, count]) => count !== 1)).toEqual([]);
      expect([...audit.submitted].filter(([, count]) => count !== 1)).toEqual([]);
    }
    const views = outcomes.flatMap((outcome) => outcome.views);
    expect(views).toHaveLength(kills.length);
    const refunded = views.filter(({ state }) => state === 'refunded').map(({ failure }) => failure);
    expect(refunded).toMatchObject([{ code: 'task_cancelled' }]);
  });

  it('comes back with the very chain that it knew, and no honest node has lost stake', () => {
    const log = watchLog(place.path, 'beginning');
    expect(log.next().filter(({ event }) => event.type.endsWith('Reverted'))).toEqual([]);
    log.close();
    expect(outcomes.map(({ audit }) => audit.money.slashedWei)).toEqual(outcomes.map(() => '0'));
  });

  it('keeps the money of every session the same in log and chain', () => {
    for (const { session, views, audit, chain } of outcomes) {
      const money = session['money'] as Record<string, string>;
      const wei = (name: string): bigint => BigInt(money[name] ?? -1);
      const prices = views.reduce((sum, view) => sum + BigInt(String(view['price_wei'])), 0n);
      expect(chain).toEqual({
        balanceWei: wei('balance_wei'),
        escrowedWei: wei('escrowed_wei'),
        depositedWei: wei('deposited_wei'),
        paidWei: wei('paid_wei'),
      });
      expect(wei('paid_wei')).toBe(prices);
      expect(isMoneyConserved(audit.money)).toBe(true);
    }
  });

  it('closes every session and gives back what was not paid', () => {
    expect(outcomes.map(({ session }) => session['state'])).toEqual(outcomes.map(() => 'closed'));
    let paidWei = 0n;
    for (const { session } of outcomes) {
      const money = session['money'] as Record<string, string>;
      expect(money).toMatchObject({ balance_wei: '0', escrowed_wei: '0' });
      expect(BigInt(money['refunded_wei'] ?? 0)).toBe(
        BigInt(money['deposited_wei'] ?? 0) - BigInt(money['paid_wei'] ?? 0),
      );
      paidWei += BigInt(money['paid_wei'] ?? 0);
    }
    expect(walletWei).toBe(BigInt(demoFundsWei) - paidWei);
  });

  it('leaves a log that verifies against the chain, while both are dead and after they have stopped', async () => {
    expect(stopped).toMatchObject({ code: 0, stderr: '' });
    for (const { code, stdout, stderr } of [verifiedWhileDead, await verify()]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, faults: [] });
    }
    expect(processesNaming(place.path)).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { schedulings } from '../../src/core/scheduling.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { SessionView } from '../../src/ports/task-views.ts';
import { eventually } from '../features/feature.ts';
import { scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { expectSameMoney } from '../kit/same-money.ts';

const bound = 3;

describe.each(schedulings)('with tasks of %s miners that wait', (scheduling) => {
  const folder = scratch('waiting');
  let on: TestNetwork;
  let gateway: Gateway;
  let url: string;

  beforeAll(async () => {
    const counts = { routers: 1, miners: 2, validators: 1, oracles: 1 };
    const options = { counts, scheduling, waitingTasksMax: bound };
    on = await startTestNetwork(folder.path, options, { redundancy: 2, validators: 1, queueTimeoutS: 600 });
    gateway = createGateway({ network: on.network.front, clock: systemClock, random: systemRandom });
    ({ url } = await gateway.listen('127.0.0.1', 0));
    // With one of two miners gone, no task finds as many as it wants.
    await on.network.miners[1]?.stop(0);
    await eventually('the loss of the miner', () => on.network.front.health().miners === 1, 10_000);
  });
  afterAll(async () => {
    await gateway?.close();
    await on?.network.stop(500);
    folder.remove();
  });

  const leaving = new AbortController();
  /** Sends a request under a key of its own, and reads its answer no further than to its headers. */
  const post = (number: number): Promise<Response> =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      signal: leaving.signal,
      headers: {
        authorization: `Bearer ${on.demo.apiKey}`,
        'content-type': 'application/json',
        'idempotency-key': `request ${number}`,
      },
      body: JSON.stringify({
        model: on.network.engine.model,
        stream: true,
        max_tokens: 16,
        messages: [{ role: 'user', content: `Define water, for the ${number}th time.` }],
      }),
    });
  const session = (): Promise<SessionView> => on.network.front.session(on.demo.session);

  /** The chain has what the session has, once what was sent to it is there. */
  const settledMoney = async (): Promise<void> => {
    const differs = (): Promise<unknown> =>
      expectSameMoney(on).then(
        () => null,
        (error: unknown) => error,
      );
    await expect.poll(differs, { timeout: 10_000 }).toBeNull();
  };

  it('as many are taken as there are places, however many come at once; the others are told when to come again', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, number) => post(number)));
    const taken = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status !== 200);
    expect([taken.length, refused.length]).toEqual([bound, 8 - bound]);
    for (const answer of refused) {
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(answer.headers.get('x-should-retry')).toBe('true');
      expect(await answer.json()).toMatchObject({ error: { code: 'queue_full', type: 'rate_limit_error' } });
    }
  });

  it('nothing is set aside or written for what was refused', async () => {
    const { counts, money } = await session();
    const { tasks } = await on.network.front.tasks(on.demo.session, { limit: 100 });
    expect(counts).toEqual({ submitted: bound, settled: 0, refunded: 0 });
    expect(tasks).toHaveLength(bound);
    const perTask = BigInt(money.escrowedWei) / BigInt(bound);
    for (const { escrowWei } of tasks) expect(BigInt(escrowWei)).toBeLessThanOrEqual(2n * perTask);
    await settledMoney();
  });

  it('a refused request is taken under the same key once there is a place, and one more is not', async () => {
    const { tasks } = await on.network.front.tasks(on.demo.session, { limit: 100 });
    const known = new Set(tasks.map(({ task }) => task));
    await on.network.front.cancel([...known][0] as TaskId, 'for another one');
    await expect.poll(async () => (await session()).counts.refunded, { timeout: 10_000 }).toBe(1);
    const answers = await Promise.all(Array.from({ length: 8 }, (_, number) => post(number)));
    // Those that wait already are found again under their keys; of the others one has a place.
    const { counts } = await session();
    expect(counts).toEqual({ submitted: bound + 1, settled: 0, refunded: 1 });
    expect(answers.map(({ status }) => status).filter((status) => status === 429)).toHaveLength(8 - bound - 1);
    leaving.abort();
    await settledMoney();
  });
});

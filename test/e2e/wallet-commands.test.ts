import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpClient, type HttpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { killLeftovers, runPouw, startPouw, type StartedPouw } from '../kit/pouw-process.ts';

const place = scratch('wallet');
const data = join(place.path, 'data');
let pouw: StartedPouw;
let client: HttpClient;

type Answer = Readonly<Record<string, unknown>>;

/** A command on the data directory of the network that runs; what it needs is found there. */
async function wallet(...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await runPouw([...args, '--data', data, '--json']);
  if (code !== 0) throw new Error(`pouw ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as Answer;
}

async function money(): Promise<Readonly<Record<string, string>>> {
  const [session] = (await client.get('/v1/sessions'))['data'] as [{ money: Record<string, string> }];
  return session.money;
}

async function chat(): Promise<void> {
  const body = { model: pouw.ready.model, max_tokens: 8, messages: [{ role: 'user', content: 'What is a dog?' }] };
  expect(await client.post('/v1/chat/completions', body)).toMatchObject({ x_pouw: { state: 'settled' } });
}

beforeAll(async () => {
  pouw = await startPouw(data);
  client = httpClient(pouw.ready);
});
afterAll(async () => {
  pouw.kill('SIGINT');
  await pouw.ended;
  await killLeftovers(place.path);
  place.remove();
});

describe('the wallet commands beside a network that runs', () => {
  it('use the account of its own client, and both go on', async () => {
    const { sessions } = await wallet('session', 'list');
    const [demo] = sessions as [{ session: string }];
    const before = await money();
    const created = await wallet('session', 'create', '--deposit', '3');
    expect(await wallet('session', 'create', '--deposit', '3')).toMatchObject({
      session: created['session'],
      txHash: created['txHash'],
      before: true,
    });
    await wallet('session', 'deposit', demo.session, '5');
    // The network's own wallet finds its next nonce used, and what it may spend as it was.
    await client.post(`/v1/sessions/${demo.session}/deposit`, { amount_wei: '7000000000000000000' });
    expect(BigInt((await money())['deposited_wei'] ?? 0) - BigInt(before['deposited_wei'] ?? 0)).toBe(12n * 10n ** 18n);
    await chat();
  });

  it('take what its nodes have earned, and its money is conserved', async () => {
    await chat();
    const { shares } = (await wallet('price', '--output-tokens', '8')) as { shares: Answer[] };
    expect(shares).toContainEqual(expect.objectContaining({ role: 'miner', count: 3 }));
    const claimed = [];
    for (const index of ['0', '1']) claimed.push(await wallet('claim', '--role', 'router', '--index', index));
    const amounts = claimed.flatMap(({ claimed: all }) => (all as { amountWei: string }[]).map((one) => one.amountWei));
    expect(amounts.reduce((sum, amount) => sum + BigInt(amount), 0n)).toBeGreaterThan(0n);
    expect(await wallet('claim', '--role', 'router')).toMatchObject({ claimed: [] });
    expect(await wallet('chain', 'show')).toMatchObject({
      conserved: true,
      rounds: { newest: null, pools: { miner: 0, validator: 0 }, epoch: 1, credits: 0 },
      nodes: { miner: 5 },
      sessions: { opened: 2 },
    });
    await chat();
  });
});

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpClient, type HttpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { rpc } from '../kit/rpc.ts';
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

async function chat(question = 'What is a dog?'): Promise<Answer> {
  const body = { model: pouw.ready.model, max_tokens: 8, messages: [{ role: 'user', content: question }] };
  const answer = await client.post('/v1/chat/completions', body);
  expect(answer).toMatchObject({ x_pouw: { state: 'settled' } });
  return answer['x_pouw'] as Answer;
}

/** Waits until the routers know a session as a command has left it. */
const known = (terms: Answer) =>
  expect.poll(async () => (await client.session())['terms'], { timeout: 20_000 }).toMatchObject(terms);

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

  it('change a session, and its routers go by that', async () => {
    const id = String((await client.session())['id']);
    await wallet('session', 'update', id, '--redundancy', '1', '--reserve-period', '600', '--reserve-fee', '0.5');
    await known({ redundancy: 1, reserve_period_s: 600 });
    expect(await chat('What is a cat?')).toMatchObject({ redundancy: 1, miners: [expect.anything()] });

    const { nodes } = await wallet('node', 'show');
    const miner = (nodes as { node: string; roles: string[] }[]).find(({ roles }) => roles.includes('miner'));
    await wallet('session', 'miner', 'add', id, '--miner', String(miner?.node));
    await wallet('session', 'update', id, '--mode', 'dedicated');
    await known({ mode: 'dedicated', dedicated_miners: [miner?.node] });
    expect(await chat('What is a fox?')).toMatchObject({ miners: [{ address: miner?.node }] });
    await wallet('session', 'update', id, '--mode', 'ephemeral');

    const index = ['--role', 'miner', '--index', '1'];
    const { node } = await wallet('node', 'show', ...index);
    await wallet('session', 'invite', id, '--miner', String(node));
    expect(await wallet('session', 'join', id, ...index)).toMatchObject({ miner: node, feeWei: '500000000000000000' });
    expect(await wallet('session', 'show', id)).toMatchObject({ reserved: [{ miner: node }], invited: [] });
    await known({ mode: 'ephemeral' });
    for (const question of ['What is a horse?', 'What is a sheep?', 'What is a goat?'])
      expect(await chat(question)).toMatchObject({ miners: [{ address: node }] });
    await wallet('session', 'dismiss', id, '--miner', String(node));

    await wallet('session', 'deactivate', id);
    const asked = async (): Promise<string> => chat('What is a cow?').then(() => 'an answer', String);
    await expect.poll(asked, { timeout: 20_000 }).toContain('session_inactive');
    await wallet('session', 'reactivate', id);
    await expect.poll(asked, { timeout: 20_000 }).toBe('an answer');
    expect(await wallet('chain', 'show')).toMatchObject({ conserved: true });
  });

  it('have the contract count who serves a model, and its prices follow the use', async () => {
    const count = (...args: string[]): Promise<Answer> => wallet('chain', 'count-miners', '--role', 'oracle', ...args);
    const demand = async (): Promise<number> => Number((await wallet('price'))['demandPpm']);
    const { nodes } = await wallet('node', 'show');
    const miners = (nodes as { node: string; roles: string[] }[]).flatMap(({ node, roles }) =>
      roles.includes('miner') ? [node] : [],
    );
    expect(await demand()).toBe(1_000_000);
    const first = await count();
    expect(first).toMatchObject({ model: pouw.ready.model, struck: [], before: false });
    expect([first['miners'], first['counted']]).toEqual([miners.toSorted(), expect.arrayContaining(miners)]);
    expect(await count()).toMatchObject({ counted: [], struck: [], transactions: [], before: true });

    // Periods of a minute in which next to nothing is done by so many.
    await rpc(pouw.ready.rpcUrl, 'evm_increaseTime', [180]);
    await rpc(pouw.ready.rpcUrl, 'evm_mine');
    const idle = await demand();
    expect(idle).toBeLessThan(1_000_000);
    expect(idle).toBeGreaterThanOrEqual(500_000);
    await chat();

    const index = ['--role', 'miner', '--index', '4'];
    const { node } = await wallet('node', 'leave', ...index);
    expect(await count()).toMatchObject({ counted: [], struck: [node], before: false });
    const { code, stderr } = await runPouw(['chain', 'count-miners', '--model', 'nobody/has', '--data', data]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('model_unpriced')]);
    expect(await wallet('chain', 'show')).toMatchObject({ conserved: true });
  });
});

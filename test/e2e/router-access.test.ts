import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpClient, type HttpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { killLeftovers, runPouw, startPouw, type StartedPouw } from '../kit/pouw-process.ts';

const place = scratch('access');
const data = join(place.path, 'data');
/** Both routers of the network: whichever owns the session acts by its own list. */
const routers = ['0', '1'];
let pouw: StartedPouw;
let http: HttpClient;
let session: string;
let client: string;
let miners: string[];
let validators: string[];

type Answer = Readonly<Record<string, unknown>>;

async function run(args: readonly string[]) {
  const { code, stdout, stderr } = await runPouw([...args, '--data', data, '--json']);
  return { code, answer: (stdout === '' ? {} : JSON.parse(stdout)) as Answer, stderr };
}

async function wallet(...args: string[]): Promise<Answer> {
  const { code, answer, stderr } = await run(args);
  if (code !== 0) throw new Error(`pouw ${args.join(' ')}: ${stderr}`);
  return answer;
}

/** The same command for both routers. */
async function both(...args: string[]): Promise<void> {
  for (const index of routers) await wallet('node', 'access', ...args, '--role', 'router', '--index', index);
}

/** Asks a question. @returns the status, the error's code, and who was asked. */
async function ask(content: string): Promise<{ status: number; code?: string; miners: string[] }> {
  const response = await fetch(`${pouw.ready.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${pouw.ready.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: pouw.ready.model, max_tokens: 8, messages: [{ role: 'user', content }] }),
  });
  const body = (await response.json()) as {
    error?: { code: string };
    x_pouw?: { miners: { address: string }[] };
  };
  const asked = (body.x_pouw?.miners ?? []).map(({ address }) => address);
  return { status: response.status, ...(body.error && { code: body.error.code }), miners: asked };
}

const answered: unknown = expect.objectContaining({ status: 200 });
const refused: unknown = expect.objectContaining({ status: 403, code: 'client_not_served' });

beforeAll(async () => {
  pouw = await startPouw(data);
  http = httpClient(pouw.ready);
  const { sessions } = await wallet('session', 'list');
  [{ session, client }] = sessions as [{ session: string; client: string }];
  const { nodes } = await wallet('node', 'show');
  const having = (role: string): string[] =>
    (nodes as { node: string; roles: string[] }[]).flatMap((one) => (one.roles.includes(role) ? [one.node] : []));
  [miners, validators] = [having('miner'), having('validator')];
});
afterAll(async () => {
  pouw.kill('SIGINT');
  await pouw.ended;
  await killLeftovers(place.path);
  place.remove();
});

describe('routers that say on chain whom they serve', () => {
  it('serve everybody at first', async () => {
    expect(await wallet('node', 'access', 'show', '--role', 'router')).toMatchObject({ others: 'served', listed: [] });
    expect(await ask('What is a dog?')).toEqual(answered);
  });

  it('take no task of a client that they refuse, from wherever it comes, and lose none of its money', async () => {
    await both('refuse', client);
    const again = await wallet('node', 'access', 'refuse', client, '--role', 'router');
    expect(again).toMatchObject({ accounts: [client], access: 'refused', before: true });
    await expect.poll(() => ask('What is a river?'), { timeout: 30_000 }).toEqual(refused);

    const { code, stderr } = await run(['session', 'create', '--deposit', '2']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('client_not_served')]);

    const balance = async (): Promise<unknown> => (await http.session())['balance_wei'];
    const before = await balance();
    const keys = ['--url', `${pouw.ready.url}/v1`, '--api-key', pouw.ready.apiKey];
    const onChain = await run(['task', 'submit', session, 'Define river.', '--max-tokens', '8', ...keys]);
    expect([onChain.code, onChain.stderr]).toEqual([1, expect.stringContaining('client_not_served')]);
    await expect.poll(balance, { timeout: 30_000 }).toBe(before);
  });

  it('take its tasks again once it is off their list', async () => {
    await both('unlist', client);
    await expect.poll(() => ask('What is a horse?'), { timeout: 30_000 }).toEqual(answered);
  });

  it('choose no miner that they refuse', async () => {
    await both('refuse', ...miners.slice(0, 2));
    const { listed } = await wallet('node', 'access', 'show', '--role', 'router', '--index', '1');
    expect(listed).toEqual(
      miners
        .slice(0, 2)
        .toSorted()
        .map((account) => ({ account, access: 'refused' })),
    );
    // The list is read from the chain, a moment later.
    await expect
      .poll(async () => (await ask('What is a fox?')).miners.toSorted(), { timeout: 60_000 })
      .toEqual(miners.slice(2).toSorted());
    for (let round = 0; round < 3; round += 1) {
      const { status, miners: asked } = await ask(`What is a number ${round}?`);
      expect([status, asked.toSorted()]).toEqual([200, miners.slice(2).toSorted()]);
    }
  });

  it('serve only whom they have listed where they refuse all others', async () => {
    await both('serve', client);
    await both('others', 'refused');
    const { others } = await wallet('node', 'access', 'show', '--role', 'router');
    expect(others).toBe('refused');
    await both('serve', ...miners, ...validators);
    await expect.poll(() => ask('What is a tree?'), { timeout: 60_000 }).toEqual(answered);
    await both('unlist', client);
    await expect.poll(() => ask('What is a boat?'), { timeout: 30_000 }).toEqual(refused);
    await both('others', 'served');
    await expect.poll(() => ask('What is a house?'), { timeout: 30_000 }).toEqual(answered);
  });
});

describe('a list', () => {
  it('is kept by routers only', async () => {
    const { code, stderr } = await run(['node', 'access', 'refuse', client, '--role', 'miner']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('not_a_router')]);
  });

  it('takes so many accounts at once and no more', async () => {
    const accounts = Array.from({ length: 65 }, (_, index) => `0x${(index + 1).toString(16).padStart(40, '0')}`);
    const { code, stderr } = await run(['node', 'access', 'refuse', ...accounts, '--role', 'router']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('too_many_accounts')]);
    expect(await wallet('node', 'access', 'refuse', ...accounts.slice(0, 64), '--role', 'router')).toMatchObject({
      before: false,
    });
  });

  it('names accounts', async () => {
    const { code, stderr } = await run(['node', 'access', 'refuse', 'somebody', '--role', 'router']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('address')]);
  });
});

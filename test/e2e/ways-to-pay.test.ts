import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import { killLeftovers, runPouw, startPouw, type StartedPouw } from '../kit/pouw-process.ts';

const place = scratch('ways-to-pay');
const data = join(place.path, 'data');
let pouw: StartedPouw;
let router: string;

type Answer = Readonly<Record<string, unknown>>;

/** A command on the data directory of the network that runs. */
async function wallet(...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await runPouw([...args, '--data', data, '--json']);
  if (code !== 0) throw new Error(`pouw ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as Answer;
}

/** What a web2 client has: an address and a key. */
async function ask(key: string, method: 'GET' | 'POST', path: string, body?: object) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${pouw.ready.url}${path}`, { method, headers, ...sent });
  return { status: response.status, body: (await response.json()) as Answer };
}

async function keyOf(session: string): Promise<string> {
  return String((await wallet('session', 'key', session, '--url', `${pouw.ready.url}/v1`))['apiKey']);
}

/** The most that a task costs here: more than its least, less than all of its tokens, so that it is set aside whole. */
const taskWei = 4n * 10n ** 15n;

beforeAll(async () => {
  pouw = await startPouw(data);
  const [demo] = (await wallet('session', 'list'))['sessions'] as [{ terms: { routers: string[] } }];
  router = String(demo.terms.routers[0]);
});
afterAll(async () => {
  pouw.kill('SIGINT');
  await pouw.ended;
  await killLeftovers(place.path);
  place.remove();
});

describe('a web2 client with a key, whose session’s owner has signed an allowance of two tasks', () => {
  let session: string;
  let key: string;

  const chat = () =>
    ask(key, 'POST', '/v1/chat/completions', {
      model: pouw.ready.model,
      max_tokens: 8,
      messages: [{ role: 'user', content: 'What is a dog?' }],
      x_pouw: { max_price_wei: String(taskWei) },
    });
  const allow = async (...more: string[]) =>
    wallet('session', 'allow', session, '--router', router, '--limit', `${2n * taskWei}wei`, '--until', '1h', ...more);
  const money = async () => (await ask(key, 'GET', `/v1/sessions/${session}`)).body['money'];

  it('is refused before there is one', async () => {
    const created = await wallet('session', 'create', '--deposit', '50', '--allowance-only', '--router', router);
    session = String(created['session']);
    key = await keyOf(session);
    expect(await chat()).toMatchObject({ status: 403, body: { error: { code: 'router_may_not_submit' } } });
  });

  it('has two tasks settled and the third refused, with nothing set aside for it', async () => {
    const signed = await allow();
    const forged = await ask(key, 'POST', `/v1/sessions/${session}/allowances`, { ...signed, limit_wei: '1' });
    expect(forged).toMatchObject({ status: 403, body: { error: { code: 'allowance_not_signed' } } });
    const taken = await ask(key, 'POST', `/v1/sessions/${session}/allowances`, signed);
    expect(taken).toMatchObject({ status: 201, body: { router, left_wei: String(2n * taskWei), expired: false } });
    for (const left of [taskWei, 0n]) {
      expect(await chat()).toMatchObject({ status: 200, body: { x_pouw: { state: 'settled' } } });
      const { body } = await ask(key, 'GET', `/v1/sessions/${session}/allowances`);
      expect(body['data']).toMatchObject([{ router, left_wei: String(left) }]);
    }
    const before = await money();
    expect(await chat()).toMatchObject({ status: 402, body: { error: { code: 'allowance_exceeded' } } });
    expect(await money()).toEqual(before);
    expect(await wallet('session', 'show', session)).toMatchObject({ allowances: [{ router, leftWei: '0' }] });
  });

  it('is refused at once where the owner has taken another one back', async () => {
    const file = join(place.path, 'allowance.json');
    writeFileSync(file, JSON.stringify(await allow('--request-id', 'second')));
    await wallet('session', 'allow', '--use', file, '--role', 'oracle');
    expect(await chat()).toMatchObject({ status: 200 });
    await wallet('session', 'revoke', session, '--router', router);
    expect(await chat()).toMatchObject({ status: 403, body: { error: { code: 'router_may_not_submit' } } });
  });

  it('is not the only one: the owner submits from the wallet', async () => {
    const submit = ['task', 'submit', session, 'What is a cat?', '--max-tokens', '8', '--max-price', `${taskWei}wei`];
    const door = ['--url', `${pouw.ready.url}/v1`, '--api-key', key];
    expect(await wallet(...submit, ...door)).toMatchObject({ state: 'settled', before: false });
    const foreign = await runPouw([...submit, ...door, '--role', 'oracle', '--data', data]);
    expect(foreign.stderr).toContain('session_of_another');
  });

  it('gets a key by no other signature than the owner’s', async () => {
    const foreign = await runPouw(['session', 'key', session, '--role', 'oracle', '--data', data]);
    expect(foreign.code).not.toBe(0);
    expect(foreign.stderr).toContain('session_of_another');
    const body = { key_hash: 'ab'.repeat(32), good_until: 2 ** 40 - 1, signature: `0x${'12'.repeat(64)}` };
    const forged = await ask('', 'POST', `/v1/sessions/${session}/keys`, body);
    expect(forged).toMatchObject({ status: 403, body: { error: { code: 'key_not_of_owner' } } });
  });
});

describe('a user with a stake', () => {
  it('has a task settled from the pool, and the pool gets back what it did not cost, to the wei', async () => {
    await wallet('stake-to-use', 'fund', '10');
    await wallet('stake-to-use', 'stake', '500000');
    const deposit = 2n * 10n ** 16n;
    const usable = async () => BigInt(String((await wallet('stake-to-use', 'show'))['usableWei']));
    await expect.poll(usable, { timeout: 60_000, interval: 1_000 }).toBeGreaterThan(deposit);
    const create = ['session', 'create', '--pay', 'stake', '--deposit', `${deposit}wei`, '--router', router];
    const session = String((await wallet(...create))['session']);
    const pool = async () => BigInt(String((await wallet('stake-to-use', 'show'))['poolWei']));
    expect(await pool()).toBe(10n ** 19n - deposit);
    const key = await keyOf(session);
    const submit = ['task', 'submit', session, 'What is a dog?', '--max-tokens', '8', '--max-price', `${taskWei}wei`];
    const door = ['--url', `${pouw.ready.url}/v1`, '--api-key', key];
    const task = await wallet(...submit, ...door);
    expect(task).toMatchObject({ state: 'settled', before: false, text: expect.stringMatching(/\w/) as unknown });
    const price = BigInt(String(task['priceWei']));
    expect(price).toBeGreaterThan(0n);
    // The same words are the same task, and pay nothing again.
    expect(await wallet(...submit, ...door)).toMatchObject({ task: task['task'], before: true, text: task['text'] });
    const inSession = (await httpClient({ ...pouw.ready, apiKey: key }).get(`/v1/sessions/${session}`))['money'];
    expect(inSession).toMatchObject({ paid_wei: String(price), balance_wei: String(deposit - price) });
    const direct = await ask(key, 'POST', `/v1/sessions/${session}/tasks`, { prompt: 'A dog', max_tokens: 8 });
    expect(direct).toMatchObject({ status: 403, body: { error: { code: 'router_may_not_submit' } } });
    expect(await wallet('session', 'close', session)).toMatchObject({ state: 'closed' });
    expect(await pool()).toBe(10n ** 19n - price);
    expect(await wallet('chain', 'show')).toMatchObject({ conserved: true });
  });
});

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnvilProcess, startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { exitCodes } from '../../src/cli/report-error.ts';
import { httpClient, type HttpClient } from '../kit/http-client.ts';
import { scratch } from '../kit/local-network.ts';
import {
  anvilPid,
  type Ended,
  firstLine,
  killLeftovers,
  type PouwProcess,
  processesNaming,
  repository,
  runPouw,
  spawnPouw,
  startPouw,
  type StartedPouw,
} from '../kit/pouw-process.ts';
import { rpc } from '../kit/rpc.ts';

const run = promisify(execFile);
const place = scratch('start');
const folder = (name: string): string => join(place.path, name);

afterAll(async () => {
  await killLeftovers(place.path);
  place.remove();
});

/** The first error a person reads: its code, and whether it says what to do next. */
function told({ code, stderr }: Ended): { exit: number | null; error: string | undefined; hasHint: boolean } {
  return { exit: code, error: /^error (\w+):/m.exec(stderr)?.[1], hasHint: /^ *next: \S/m.test(stderr) };
}

const refused = (error: string) => ({ exit: exitCodes.failed, error, hasHint: true });

async function stop(pouw: PouwProcess): Promise<Ended> {
  pouw.kill('SIGINT');
  return pouw.ended;
}

async function chatOnce(client: HttpClient, model: string): Promise<string> {
  const body = { model, max_tokens: 24, messages: [{ role: 'user', content: 'What is a dog?' }] };
  const { choices } = await client.post('/v1/chat/completions', body);
  return (choices as { message: { content: string } }[])[0]?.message.content ?? '';
}

describe('pouw start --json', () => {
  const data = folder('data');
  let first: StartedPouw;
  let ended: Ended;
  let task: string;
  let before: { session: unknown; block: number; replayed: string };

  /** Every session's state as the log has it, with its hash. */
  async function replay(): Promise<string> {
    const { code, stdout } = await runPouw(['replay', data, '--json']);
    expect(code).toBe(0);
    return stdout;
  }

  beforeAll(async () => {
    first = await startPouw(data);
    const client = httpClient(first.ready);
    ({ id: task } = await client.submit('What is a dog?', 'first'));
    for await (const update of client.events(task)) if (update['type'] === 'verdict') break;
    const block = Number(await rpc<string>(first.ready.rpcUrl, 'eth_blockNumber'));
    before = { session: await client.session(), block, replayed: '' };
  });

  it('prints one line with where everything is, and nothing else', () => {
    const { ready } = first;
    expect(first.printed()).toBe(`${JSON.stringify(ready)}\n`);
    expect(Object.keys(ready)).toEqual(['url', 'apiKey', 'model', 'rpcUrl', 'data']);
    expect(ready).toMatchObject({ model: 'pebble-chat', data });
    expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(ready.rpcUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('refuses a data directory that a live pouw has', async () => {
    expect(told(await runPouw(['start', '--data', data, '--port', '0']))).toEqual(refused('data_dir_in_use'));
  });

  it('refuses a port that is taken, and stops what it had started', async () => {
    const { port } = new URL(first.ready.url);
    const other = folder('other');
    expect(told(await runPouw(['start', '--data', other, '--port', port]))).toEqual(refused('port_in_use'));
    expect(processesNaming(other)).toEqual([]);
  });

  it('stops at Ctrl-C with exit code 0 and leaves no process', async () => {
    const anvil = anvilPid(data);
    ended = await stop(first);
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(processesNaming(data)).toEqual([]);
    expect(() => process.kill(anvil, 0)).toThrow('ESRCH');
    before = { ...before, replayed: await replay() };
    expect(before.replayed).toMatch(/"stateHash":"[0-9a-f]{64}"/);
  });

  it('goes on from there when it is started again: key, session, tasks, chain', async () => {
    const second = await startPouw(data);
    expect(second.ready.apiKey).toBe(first.ready.apiKey);
    const client = httpClient(second.ready);
    // To the letter: a state out of a snapshot has its members in another order.
    expect(JSON.stringify(await client.session())).toBe(JSON.stringify(before.session));
    await expect.poll(async () => (await client.get('/healthz'))['block']).toBeGreaterThanOrEqual(before.block);
    expect(await client.get(`/v1/tasks/${task}`)).toMatchObject({ state: 'settled', text: /^A dog/ });
    expect(Number(await rpc<string>(second.ready.rpcUrl, 'eth_blockNumber'))).toBeGreaterThanOrEqual(before.block);
    expect(await stop(second)).toMatchObject({ code: 0 });
    expect(await replay()).toBe(before.replayed);
  });

  it('stops an anvil that a killed pouw left behind, and says so in its log', async () => {
    const killed = await startPouw(data);
    const anvil = anvilPid(data);
    killed.kill('SIGKILL');
    await killed.ended;
    expect(processesNaming(data)).toEqual([anvil]);
    const next = await startPouw(data);
    expect(new Set(processesNaming(data))).toEqual(new Set([next.pid, anvilPid(data)]));
    expect(anvilPid(data)).not.toBe(anvil);
    expect(readFileSync(join(data, 'pouw.log'), 'utf8')).toMatch(/anvil of an earlier run.*stopped/);
    expect(await chatOnce(httpClient(next.ready), next.ready.model)).toMatch(/^A dog/);
    expect(await stop(next)).toMatchObject({ code: 0 });
  });
});

describe('pouw start, to a person,', () => {
  let pouw: PouwProcess;
  let banner: string;

  beforeAll(async () => {
    pouw = spawnPouw(['start', '--port', '0', '--data', folder('person')]);
    banner = await firstLine(pouw, (printed) => printed.includes('Ctrl-C stops it'));
  });

  /** The lines of the banner from one that begins so to the next empty one. */
  function snippet(start: string): string {
    const found = new RegExp(`^${start}[\\s\\S]*?(?=\\n\\n)`, 'm').exec(banner)?.[0];
    expect(found, `no snippet begins with ${start}`).toBeDefined();
    return found ?? '';
  }

  it('says who is there and on which device', () => {
    expect(banner).toContain('2 routers, 5 miners, 2 validators, 2 oracles');
    expect(banner).toMatch(/device +\S+/);
  });

  it('shows a curl line that works when pasted', async () => {
    const { stdout } = await run('sh', ['-c', snippet('curl')]);
    const { choices } = JSON.parse(stdout) as { choices: { message: { content: string } }[] };
    expect(choices[0]?.message.content).toMatch(/^A dog/);
  });

  it('shows a snippet for the openai package that works when pasted', async () => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', snippet('import OpenAI')], {
      cwd: repository,
    });
    expect(stdout.length).toBeGreaterThan(20);
  });

  it('says how it stops', async () => {
    const { code, stderr } = await stop(pouw);
    expect(code).toBe(0);
    expect(stderr).toMatch(/Stopping: .*\nStopped\. /);
  });
});

describe('pouw start --rpc', () => {
  let anvil: AnvilProcess;
  beforeAll(async () => {
    anvil = await startAnvil({ directory: folder('outside') });
  });
  afterAll(async () => {
    await anvil?.stop();
  });

  it('uses an outside chain, with another model, and leaves the chain up', async () => {
    const data = folder('guest');
    const pouw = await startPouw(data, ['--rpc', anvil.url, '--model', 'pebble-mini']);
    expect(pouw.ready).toMatchObject({ rpcUrl: anvil.url, model: 'pebble-mini' });
    expect(processesNaming(data)).toEqual([pouw.pid]);
    expect((await chatOnce(httpClient(pouw.ready), 'pebble-mini')).length).toBeGreaterThan(0);
    expect(await stop(pouw)).toMatchObject({ code: 0 });
    expect(await rpc(anvil.url, 'eth_chainId')).toBe('0x7a69');
  });

  it('says that a chain cannot be reached', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const ended = await runPouw(['start', '--data', folder('far'), '--port', '0', '--rpc', `http://127.0.0.1:${port}`]);
    expect(told(ended)).toEqual(refused('chain_unreachable'));
  });
});

describe('what cannot be done is told with a code and what to do next:', () => {
  const start = (...args: string[]): Promise<Ended> => runPouw(['start', '--port', '0', ...args]);

  it('a data directory that cannot be made', async () => {
    writeFileSync(folder('file'), '');
    expect(told(await start('--data', join(folder('file'), 'below')))).toEqual(refused('data_dir_unwritable'));
  });

  it('an unknown model, with the ones there are', async () => {
    const ended = await start('--data', folder('model'), '--model', 'pebble-giant');
    expect(told(ended)).toEqual(refused('model_not_found'));
    expect(ended.stderr).toContain('pebble-chat');
    expect(processesNaming(folder('model'))).toEqual([]);
  });

  it('a model of a hub that cannot be reached, with both ways out', async () => {
    const ended = await start('--data', folder('hub'), '--model', 'nobody/no-such-model');
    expect(told(ended).hasHint).toBe(true);
    // Where there is network, the hub itself says that it has no such model.
    expect(['model_unreachable', 'model_not_found']).toContain(told(ended).error);
  });

  it('a device that is not there', async () => {
    expect(told(await start('--data', folder('device'), '--device', 'webgpu'))).toEqual(refused('device_unavailable'));
  });

  it.each([
    ['an unknown option', ['start', '--prot', '1']],
    ['a port beyond the last one', ['start', '--port', '65536']],
    ['an address that is none', ['start', '--rpc', 'localhost:8545']],
    ['an unknown device', ['start', '--device', 'tpu']],
    ['a data directory without a name', ['start', '--data', '']],
    ['a data directory of a simulation without a name', ['sim', '--data', '']],
    ['a simulation with an empty seed', ['sim', '--seed', '']],
    ['a cluster with an empty seed', ['cluster', '--seed', '']],
    ['a temperature beyond the highest one', ['sim', '--temperature', '3']],
    ['an unknown command', ['begin']],
    ['no argument where one is needed', ['log', 'show']],
  ])('wrong usage, by %s, ends with exit code 2 and says where help is', async (_, args) => {
    const { code, stdout, stderr } = await runPouw(args);
    expect({ code, stdout }).toEqual({ code: exitCodes.usage, stdout: '' });
    expect(stderr).toMatch(/^error wrong_usage: \S/);
    expect(stderr).toContain('--help');
  });
});

describe('--help', () => {
  it.each([
    ['', ['Examples:', 'Exit codes:', 'POUW_DATA', 'start', 'sim', 'log', 'replay']],
    ['start', ['--data', '--port', '--host', '--rpc', '--model', '--device', '--json']],
    ['sim', ['--tasks', '--prompts', '--miners', '--redundancy', '--seed', '--model', '--attack', '--data', '--json']],
    ['log', ['list', 'show', 'verify', 'export']],
    ['log list', ['<source>', '--json']],
    ['log show', ['<source>', '--session', '--json']],
    ['log verify', ['<source>', '--rpc', '--json']],
    ['log export', ['<source>', '--out']],
    ['replay', ['<source>', '--session', '--at', '--json']],
  ])('of pouw %s explains it', async (command, mentioned) => {
    const { code, stdout, stderr } = await runPouw([...command.split(' ').filter(Boolean), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: pouw ${command}`));
    for (const word of mentioned) expect(stdout).toContain(word);
  });
});

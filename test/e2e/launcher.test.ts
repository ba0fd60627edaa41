import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processesNaming } from '../kit/pouw-process.ts';

const repository = join(import.meta.dirname, '../..');
const launcher = 'bin/pouw.js';
let folder = '';

/** What the launcher starts in these tests: a program that shows what it was given and how it was stopped. */
const program = `
  const [command] = process.argv.slice(2);
  if (command === 'exit') process.exitCode = 7;
  if (command === 'die') process.kill(process.pid, 'SIGKILL');
  if (command === 'serve') {
    const open = setInterval(() => {}, 1_000);
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.on(signal, () => { console.log('drained after', signal); clearInterval(open); });
    }
  }
  console.log('node', process.versions.node.split('.')[0], process.argv.slice(2).join(' '));
`;

/** Makes the process that the test starts, and only that one, believe that it is an old Node. */
const pretendOld = `
  if (process.env.TEST_PID === String(process.ppid)) {
    Object.defineProperty(process.versions, 'node', { value: '18.20.8' });
  }
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pouw-launcher-'));
  for (const path of ['with/bin', 'with/src/cli', 'without/bin']) mkdirSync(join(folder, path), { recursive: true });
  for (const tree of ['with', 'without']) {
    copyFileSync(join(repository, launcher), join(folder, tree, launcher));
    writeFileSync(join(folder, tree, 'package.json'), '{ "type": "module" }');
  }
  writeFileSync(join(folder, 'with/src/cli/main.ts'), program);
  writeFileSync(join(folder, 'old.cjs'), pretendOld);
  symlinkSync(join(repository, 'node_modules'), join(folder, 'with/node_modules'));
  symlinkSync(join(folder, 'with', launcher), join(folder, 'linked'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the launcher; `stopWith` is sent as soon as the program has said something. */
async function launch(
  script: string,
  args: readonly string[],
  old: boolean,
  { stopWith, env = {} }: { readonly stopWith?: NodeJS.Signals; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const preload = old ? ['--require', join(folder, 'old.cjs')] : [];
  const child = spawn(process.execPath, [...preload, join(folder, script), ...args], {
    env: { ...process.env, TEST_PID: String(process.pid), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (stdout === '' && stopWith !== undefined) child.kill(stopWith);
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = await ended;
  return { code, stdout, stderr };
}

const current = process.versions.node.split('.')[0];

describe('the launcher', () => {
  test('runs the program in its own process on a Node that is new enough', async () => {
    const { code, stdout } = await launch(`with/${launcher}`, ['exit', '--json'], false);
    expect({ code, stdout }).toEqual({ code: 7, stdout: `node ${current} exit --json\n` });
  });

  test('started by an old Node, runs the program on the one that npm installed, with the same arguments', async () => {
    const { code, stdout } = await launch(`with/${launcher}`, ['exit', '--data', 'a b'], true);
    expect({ code, stdout }).toEqual({ code: 7, stdout: 'node 24 exit --data a b\n' });
  });

  test('finds the program through a symbolic link, as npx and npm link make them', async () => {
    const { code, stdout } = await launch('linked', ['exit'], true);
    expect({ code, stdout }).toEqual({ code: 7, stdout: 'node 24 exit\n' });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('hands %s on and waits until the program has drained', async (signal) => {
    const { code, stdout } = await launch(`with/${launcher}`, ['serve'], true, { stopWith: signal });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `node 24 serve\ndrained after ${signal}\n` });
  });

  test('ends as the program ends, also where a signal killed it', async () => {
    expect((await launch(`with/${launcher}`, ['die'], true)).code).toBe(137);
  });

  test('takes the program with it where it is killed', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const data = join(folder, 'oracle');
    const node = ['oracle', '--nats', `nats://127.0.0.1:${port}`, '--data', data];
    const child = spawn(process.execPath, ['--require', join(folder, 'old.cjs'), join(repository, launcher), ...node], {
      env: { ...process.env, TEST_PID: String(process.pid) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said] = (await once(child.stderr, 'data')) as [Buffer];
    expect(String(said)).toContain('waiting for NATS');
    expect(processesNaming(data)).toHaveLength(2);
    child.kill('SIGKILL');
    await expect.poll(() => processesNaming(data), { timeout: 20_000 }).toEqual([]);
    silent.close();
  });

  test('keeps what Node makes of the sources, for the next start', async () => {
    const kept = join(folder, 'kept');
    await launch(`with/${launcher}`, ['exit'], false, { env: { NODE_COMPILE_CACHE: kept } });
    const files = readdirSync(kept, { recursive: true });
    expect(files.length).toBeGreaterThan(1);
    const { code, stdout } = await launch(`with/${launcher}`, ['exit'], false, { env: { NODE_COMPILE_CACHE: kept } });
    expect({ code, stdout }).toEqual({ code: 7, stdout: `node ${current} exit\n` });
    expect(readdirSync(kept, { recursive: true })).toEqual(files);
  });

  test('goes without where nothing can be kept', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const ended = await launch(`with/${launcher}`, ['exit'], false, { env: { NODE_COMPILE_CACHE: join(file, 'in') } });
    expect(ended).toEqual({ code: 7, stdout: `node ${current} exit\n`, stderr: '' });
  });

  test('says what to do where npm has not installed a Node', async () => {
    const { code, stdout, stderr } = await launch(`without/${launcher}`, ['start'], true);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error node_too_old: .*18\.20\.8[\s\S]*next: Run `npm ci`/);
  });
});

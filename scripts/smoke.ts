/**
 * The smoke test that `.ci/run` makes in a fresh clone: starts the whole network by `npm start`, asks it one question
 * and stops it as Ctrl-C does. The exit code is 0 only if it answered, stopped cleanly and left nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './run-program.ts';

const readyTimeoutMs = 300_000;
const answerTimeoutMs = 180_000;
const stopTimeoutMs = 120_000;

/** The one line that `npm start --silent -- --json` prints, when the network is up. */
interface Ready {
  readonly url: string;
  readonly apiKey: string;
  readonly model: string;
  readonly rpcUrl: string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Everything the network prints, line by line: the first line says that it is up, and must be the only one. */
class Output {
  readonly lines: string[] = [];
  readonly #network: ChildProcess;
  readonly #first = Promise.withResolvers<string>();

  constructor(network: ChildProcess) {
    if (network.stdout === null) throw new Error('the network has no output');
    this.#network = network;
    const reader = createInterface({ input: network.stdout });
    reader.on('line', (line) => {
      console.log(line);
      this.lines.push(line);
      this.#first.resolve(line);
    });
    reader.on('close', () => this.#first.reject(new Error('the network ended without a word')));
    this.#first.promise.catch(() => {});
  }

  async ready(): Promise<Ready> {
    const late = once(this.#network, 'never', { signal: AbortSignal.timeout(readyTimeoutMs) }).catch(() => {
      throw new Error(`no ready line came within ${readyTimeoutMs / 1_000} s`);
    });
    const line = await Promise.race([this.#first.promise, late]);
    return JSON.parse(String(line)) as Ready;
  }
}

async function ask({ url, apiKey, model }: Ready): Promise<string> {
  const response = await fetch(new URL('/v1/chat/completions', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 16, messages: [{ role: 'user', content: 'Hello, who are you?' }] }),
    signal: AbortSignal.timeout(answerTimeoutMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the answer has status ${response.status}: ${text}`);
  const { choices } = JSON.parse(text) as { choices: { message: { content: string } }[] };
  const content = choices[0]?.message.content ?? '';
  if (content.trim() === '') throw new Error(`the answer is empty: ${text}`);
  return content;
}

/** Sends what a terminal sends on Ctrl-C, to the whole process group, and waits for the end. */
async function interrupt(network: ChildProcess, group: number): Promise<void> {
  const ended = once(network, 'exit', { signal: AbortSignal.timeout(stopTimeoutMs) });
  process.kill(-group, 'SIGINT');
  const [code, signal] = (await ended) as [number | null, string | null];
  if (code !== 0) throw new Error(`the network ended with ${code === null ? String(signal) : `exit code ${code}`}`);
}

/** Processes that name the data directory on their command line; only where the system lists them in `/proc`. */
function processesNaming(data: string): number[] {
  const pids = process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  const named = pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(data);
    } catch {
      return false; // It ended meanwhile.
    }
  });
  return named.map(Number).filter((pid) => pid !== process.pid);
}

async function answers(rpcUrl: string): Promise<boolean> {
  const { hostname, port } = new URL(rpcUrl);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function killAll(targets: readonly number[]): void {
  for (const target of targets) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It has ended, as it should have.
    }
  }
}

const data = mkdtempSync(join(tmpdir(), 'pouw-smoke-'));
const args = ['start', '--silent', '--', '--json', '--port', String(await freePort()), '--data', data];
// A caller's npm hands its own settings on, `--silent` for one: the command line must do without.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name)));
const network = spawn('npm', args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
const group = network.pid;
if (group === undefined) throw new Error('npm cannot be started');
try {
  const output = new Output(network);
  const ready = await output.ready();
  console.log(`answer: ${JSON.stringify(await ask(ready))}`);
  await interrupt(network, group);
  const left = processesNaming(data);
  if (left.length > 0) throw new Error(`processes are left: ${left.join(', ')}`);
  if (await answers(ready.rpcUrl)) throw new Error(`the chain still answers at ${ready.rpcUrl}`);
  if (output.lines.length !== 1)
    throw new Error(`it printed ${output.lines.length} lines and not the ready line alone`);
  console.log('smoke: started, answered, stopped');
} catch (error) {
  console.error(`smoke: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  killAll([-group, ...processesNaming(data)]);
  rmSync(data, { recursive: true, force: true });
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { foundryBinary } from '../../src/adapters/chain/foundry-binary.ts';
import { type NatsServer, startNatsServer } from '../../src/adapters/nats/server/server-process.ts';
import { freePort } from '../../src/adapters/process/port.ts';
import { composeFile, type ComposeService, mountsOf, pouwServices } from './compose.ts';
import { natsProgram } from './nats-server.ts';
import { type Ended, type PouwProcess, repository, spawnPouw } from './pouw-process.ts';

/**
 * What `compose.yaml` says, run as processes of this machine: the same commands, settings and start script, with folders
 * for volumes, and free ports of 127.0.0.1 for the addresses in the network of the containers.
 */
export class ComposeRun {
  readonly #root: string;
  readonly #file = composeFile();
  readonly #ports = new Map<string, number>();
  readonly #running = new Map<string, PouwProcess>();
  #nats: NatsServer | undefined;
  #chain: ChildProcess | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes keys and configuration, and starts everything else at once, as Compose does. */
  async up(): Promise<void> {
    for (const host of ['nats', 'chain', ...this.nodes]) this.#ports.set(host, await freePort());
    const { entrypoint = [], command = [] } = this.#service('init');
    const [shell = '', ...script] = entrypoint;
    const args = command.map((arg) => (arg === '/store' ? arg : this.#local('init', arg)));
    execFileSync(shell, [...script, ...args], { cwd: repository, stdio: ['ignore', 'ignore', 'inherit'] });
    const after = (name: string) =>
      Object.entries(this.#service(name).depends_on ?? {}).flatMap(([other, { condition }]) =>
        condition === 'service_healthy' ? [other] : [],
      );
    const [waiting, atOnce] = [this.nodes.filter((name) => after(name).length > 0), ['deploy', 'prepare']];
    for (const name of [...this.nodes, ...atOnce]) if (!waiting.includes(name)) this.start(name);
    this.#startChain();
    await this.#startNats();
    for (const name of waiting) {
      for (const other of after(name)) await this.#untilHealthy(other);
      this.start(name);
    }
  }

  /** Asks what the health check of the service asks, as often. */
  async #untilHealthy(name: string): Promise<void> {
    const url = /http:\/\/127\.0\.0\.1:9464(\/\w+)/.exec(this.#service(name).healthcheck?.test.at(-1) ?? '');
    for (;;) {
      const isHealthy = await fetch(`http://127.0.0.1:${this.#ports.get(name)}${url?.[1]}`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isHealthy) return;
      await Promise.race([
        sleep(100),
        this.process(name).ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
      ]);
    }
  }

  /** The services that are nodes. */
  get nodes(): readonly string[] {
    const others = new Set(['deploy', 'prepare', 'status']);
    return pouwServices(this.#file)
      .map(([name]) => name)
      .filter((name) => !others.has(name));
  }

  /** Starts a service that is one `pouw` command. */
  start(name: string): PouwProcess {
    const { command = [], environment = {} } = this.#service(name);
    const args = command.map((arg) => this.#local(name, arg));
    const settings = Object.entries(environment).map(([key, value]) => [key, this.#setting(name, key, value)]);
    const started = spawnPouw(args, Object.fromEntries(settings) as Record<string, string>);
    this.#running.set(name, started);
    return started;
  }

  process(name: string): PouwProcess {
    const found = this.#running.get(name);
    if (found === undefined) throw new Error(`${name} does not run`);
    return found;
  }

  /** The metrics of a node, as Prometheus reads them. */
  async metrics(name: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#ports.get(name)}/metrics`);
    return response.text();
  }

  /** Stops the nodes in good order, then what they stood on. */
  async down(): Promise<Ended[]> {
    const nodes = this.nodes.flatMap((name) => this.#running.get(name) ?? []);
    for (const node of nodes) node.kill('SIGTERM');
    const ended = await Promise.all(nodes.map((node) => node.ended));
    for (const name of ['deploy', 'prepare']) this.#running.get(name)?.kill('SIGKILL');
    await this.#nats?.stop();
    const chain = this.#chain;
    if (chain !== undefined) {
      const exited = new Promise((resolve) => chain.once('exit', resolve));
      chain.kill('SIGTERM');
      await exited;
    }
    return ended;
  }

  #service(name: string): ComposeService {
    const service = this.#file.services[name];
    if (service === undefined) throw new Error(`compose.yaml has no service ${name}`);
    return service;
  }

  #startChain(): void {
    const { command = [] } = this.#service('chain');
    const port = String(this.#ports.get('chain'));
    const here = new Map([
      ['0.0.0.0', '127.0.0.1'],
      ['8545', port],
    ]);
    const args = command.map((arg) => here.get(arg) ?? this.#local('chain', arg));
    // The program itself and not npm's link to it, which would not end it.
    this.#chain = spawn(foundryBinary('anvil'), args, { stdio: 'ignore' });
  }

  async #startNats(): Promise<void> {
    const { command = [] } = this.#service('nats');
    const printed = readFileSync(this.#local('nats', command.at(-1) ?? ''), 'utf8');
    const port = this.#ports.get('nats') ?? 0;
    this.#nats = await startNatsServer({
      directory: join(this.#root, 'server'),
      program: await natsProgram(),
      settings: { port },
      render: ({ monitorPort }) =>
        `${printed
          .replace('"0.0.0.0:4222"', `"127.0.0.1:${port}"`)
          .replace('"/store"', JSON.stringify(this.#local('nats', '/store')))}http: "127.0.0.1:${monitorPort}"\n`,
    });
  }

  #setting(name: string, key: string, value: string): string {
    if (key === 'POUW_PORT') return '0';
    if (key === 'POUW_OPS_PORT') return String(this.#ports.get(name));
    // The key that .env has, any one on a chain whose coins cost nothing.
    if (key === 'POUW_DEPLOYER_KEY') return `0x${'1'.repeat(64)}`;
    return this.#local(name, value);
  }

  /** What a container calls something, on this machine: its folders, and the addresses of the others. */
  #local(name: string, text: string): string {
    if (text === '0.0.0.0') return '127.0.0.1';
    if (text.startsWith('/')) return join(this.#container(name), text);
    return text.replace(/^(\w+:\/\/)([\w-]+):\d+$/, (_, scheme: string, host: string) => {
      return `${scheme}127.0.0.1:${this.#ports.get(host)}`;
    });
  }

  /** The root of a container's files: its mounts lead to the volumes. */
  #container(name: string): string {
    const root = join(this.#root, 'containers', name);
    if (this.#made.has(name)) return root;
    this.#made.add(name);
    for (const { source, target } of mountsOf(this.#service(name))) {
      const volume = join(this.#root, 'volumes', source);
      mkdirSync(volume, { recursive: true });
      mkdirSync(dirname(join(root, target)), { recursive: true });
      symlinkSync(volume, join(root, target));
    }
    return root;
  }

  readonly #made = new Set<string>();
}

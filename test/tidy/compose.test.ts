import { Command } from 'commander';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { trackedPaths, trackedText } from '../../scripts/tracked-files.ts';
import { chainCommand } from '../../src/cli/chain-command.ts';
import { readConfig } from '../../src/cli/config/read-config.ts';
import { configFields } from '../../src/cli/config/schema.ts';
import { natsPrepareCommand } from '../../src/cli/nats-prepare-command.ts';
import { nodeCommand } from '../../src/cli/node-command.ts';
import { statusCommand } from '../../src/cli/status-command.ts';
import { type Role, roles } from '../../src/core/ids.ts';
import { composeFile, mountsOf, pouwServices } from '../kit/compose.ts';

const file = composeFile();
const services = Object.entries(file.services);
const pouw = pouwServices(file);
const nodes = pouw.filter(([, { command = [] }]) => roles.includes(command[0] as Role));

/** Whether a mount is a file of the repository, and not a volume. */
function isFile(source: string): boolean {
  return source.startsWith('./');
}

/** The commands that `compose.yaml` may use, which here do nothing when they are run. */
function parser(): Command {
  const commands = [...roles.map(nodeCommand), chainCommand(), natsPrepareCommand(), statusCommand()];
  const program = new Command('pouw').exitOverride();
  for (const command of commands) program.addCommand(command);
  const quiet = (command: Command): void => {
    command.exitOverride().action(() => undefined);
    command.commands.forEach(quiet);
  };
  program.commands.forEach(quiet);
  return program;
}

describe('compose.yaml', () => {
  test('has every role, and what a network needs besides', () => {
    const started = nodes.map(([, { command = [] }]) => command[0]);
    expect(new Set(started)).toEqual(new Set(roles));
    for (const name of ['init', 'nats', 'chain', 'deploy', 'prepare', 'prometheus', 'grafana'])
      expect(Object.keys(file.services)).toContain(name);
  });

  test.each(pouw)('has a command line for %s that pouw understands', async (_name, { command = [] }) => {
    await expect(parser().parseAsync([...command], { from: 'user' })).resolves.toBeDefined();
  });

  test.each(nodes)('gives %s settings that there are, and that are valid', (_name, { environment = {} }) => {
    const known = new Set(configFields().map(({ variable }) => variable));
    expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
    const config = readConfig({ flags: {}, environment });
    expect(config).toMatchObject({ nats: 'nats://nats:4222', opsPort: 9_464, opsHost: '0.0.0.0', data: '/data' });
  });

  test.each(services)('mounts for %s volumes and files that there are', (_name, service) => {
    const sources = mountsOf(service).map(({ source }) => source);
    const [files, volumes] = [sources.filter(isFile), sources.filter((source) => !isFile(source))];
    expect(trackedPaths()).toEqual(expect.arrayContaining(files.map((source) => source.slice(2))));
    expect(Object.keys(file.volumes)).toEqual(expect.arrayContaining(volumes));
  });

  test.each(services)('has %s name only services that there are', (_name, { depends_on: needs = {}, ...service }) => {
    expect(Object.keys(needs).filter((name) => !(name in file.services))).toEqual([]);
    const text = JSON.stringify(service);
    for (const [, host = ''] of text.matchAll(/(?:nats|http):\/\/([\w-]+):/g))
      expect(file.services).toHaveProperty(host);
  });

  test('gives every node a folder of its own, and keys made before it starts', () => {
    const folders = nodes.map(([, service]) => mountsOf(service).find(({ target }) => target === '/data')?.source);
    expect(new Set(folders).size).toBe(nodes.length);
    const { command = [], ...init } = file.services['init']!;
    for (const [name, { depends_on: needs = {} }] of nodes) {
      expect(folders).toContain(name);
      expect(command).toContain(name);
      expect(mountsOf(init as never)).toContainEqual({ source: name, target: `/data/${name}`, isReadOnly: false });
      expect(needs['init']).toEqual({ condition: 'service_completed_successfully' });
    }
  });

  test('lets only the endpoints out of its network, to this machine alone', () => {
    const open = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(open).toEqual([
      'router-1 127.0.0.1:8787:8787',
      'router-2 127.0.0.1:8788:8787',
      'grafana 127.0.0.1:3000:3000',
    ]);
  });

  test('has every node watched', () => {
    const { scrape_configs: jobs } = parse(trackedText('ops/compose/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[]; labels: { role: string } }[] }[];
    };
    const watched = jobs.flatMap((job) =>
      job.static_configs.flatMap(({ targets, labels: { role } }) => targets.map((target) => `${role} ${target}`)),
    );
    const wanted = nodes.map(([name, { command = [] }]) => `${command[0]} ${name}:9464`);
    expect(watched.toSorted()).toEqual(wanted.toSorted());
  });
});

describe('the Dockerfile', () => {
  test('copies what its commands need, and has the Node that pouw runs on', () => {
    const dockerfile = trackedText('Dockerfile');
    const { dependencies } = JSON.parse(trackedText('package.json')) as { dependencies: Record<string, string> };
    expect(dockerfile).toMatch(new RegExp(`^FROM node:${dependencies['node']?.split('.')[0]}-`, 'm'));
    const ignored = trackedText('.dockerignore')
      .split('\n')
      .filter((line) => line !== '');
    const needed = [
      'bin/pouw.js',
      'src/cli/main.ts',
      'actors/session/machine.ts',
      'ops/compose/init.sh',
      'package-lock.json',
    ];
    expect(needed.filter((path) => ignored.some((out) => path === out || path.startsWith(`${out}/`)))).toEqual([]);
  });
});

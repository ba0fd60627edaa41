import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { readConfig } from './read-config.ts';
import { configFields, configSchema } from './schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'pouw-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(content: unknown): string {
  const path = join(folder, `${Math.floor(performance.now() * 1_000)}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function refusal(run: () => unknown): PouwError {
  try {
    run();
  } catch (error) {
    if (error instanceof PouwError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the configuration', () => {
  it('has a default for everything it needs', () => {
    const config = readConfig({ flags: {}, environment: {} });
    expect(config).toEqual(configSchema.parse({}));
    expect(config).toMatchObject({ nats: 'nats://127.0.0.1:4222', port: 8_787, replicas: 1 });
  });

  it('takes the command line before the environment before the file before the default', () => {
    const file = fileOf({ port: 1, capacity: 2, leaseMs: 400 });
    const environment = { POUW_PORT: '3', POUW_CAPACITY: '4' };
    const config = readConfig({ flags: { port: 5 }, environment, file });
    expect(config).toMatchObject({ port: 5, capacity: 4, leaseMs: 400, pollMs: 500 });
  });

  it('describes every field once, with a flag and a variable of its own', () => {
    const fields = configFields();
    expect(fields.map(({ name }) => name)).toEqual(Object.keys(configSchema.shape));
    expect(new Set(fields.map(({ flag }) => flag)).size).toBe(fields.length);
    expect(fields.every(({ meaning }) => meaning.length > 10)).toBe(true);
    const of = (name: string) => fields.find((field) => field.name === name);
    expect(of('leaseMs')).toMatchObject({ flag: '--lease-ms', variable: 'POUW_LEASE_MS', defaultValue: 1_500 });
    expect(fields.filter(({ isNumber }) => isNumber).map(({ name }) => name)).toEqual([
      'replicas',
      'feeCapGwei',
      'pollMs',
      'confirmations',
      'workers',
      'capacity',
      'waitingTasks',
      'port',
      'opsPort',
      'leaseMs',
      'anchorEveryMs',
      'checkpointEveryMs',
      'sliceMs',
      'appealWindow',
      'sessions',
      'drainMs',
    ]);
  });

  it.each([
    ['a bad value of the environment', {}, { POUW_PORT: 'many' }, undefined, 'port', 'POUW_PORT'],
    ['a bad flag', { rpc: 'ftp://host' }, {}, undefined, 'rpc', '--rpc'],
    ['a number out of bounds', { leaseMs: 299 }, {}, undefined, 'leaseMs', '--lease-ms'],
    ['more than a lease may last', { leaseMs: limits.leaseMsMax + 1 }, {}, undefined, 'leaseMs', '--lease-ms'],
    ['replicas that are none', { replicas: 2 }, {}, undefined, 'replicas', '--replicas'],
    ['an unknown name in the file', {}, {}, { prot: 3 }, 'prot', '.json'],
    ['a wrong type in the file', {}, {}, { port: '80' }, 'port', '.json'],
  ])('refuses %s, naming it and its place', (_what, flags, environment, content, param, place) => {
    const file = content === undefined ? undefined : fileOf(content);
    const error = refusal(() => readConfig({ flags, environment, file }));
    expect(error).toMatchObject({ code: 'config_invalid', param });
    expect(error.message).toContain(place);
  });

  it('says which values there are', () => {
    const error = refusal(() => readConfig({ flags: { replicas: 2 }, environment: {}, file: undefined }));
    expect(`${error.message} ${error.why ?? ''}`).toContain('1, 3 or 5');
  });

  it('refuses a file that is not there, no JSON, or no object', () => {
    for (const file of [join(folder, 'none.json'), fileOf('{'), fileOf([1])])
      expect(refusal(() => readConfig({ flags: {}, environment: {}, file })).code).toBe('config_unreadable');
  });
});

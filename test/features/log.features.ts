import { expect } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { type Log, type LogFields, type LogLevel, logLevels, withFields } from '../../src/ports/log.ts';
import { type Disposable, type Feature, testFeatures } from './feature.ts';

/** A log that is told something. */
export interface ToldLogHarness extends Disposable {
  readonly log: Log;
}

/** A line of a log. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A log of all levels, and the lines in it; nothing is logged after they were read. */
export interface LogHarness extends ToldLogHarness {
  readonly lines: () => Promise<readonly LogLine[]>;
}

const privateKey = `0x${'a1b2c3d4'.repeat(8)}`;

/** Secrets by their form, and the part of each that is one. */
const secrets: readonly (readonly [string, string])[] = [
  ['pouw_3q2-7wTn0_ab3q2-7wTn0_ab', '3q2-7wTn0'],
  ['Authorization: Bearer abcdef123456', 'abcdef123456'],
  [`SUA${'B2C3'.repeat(14)}`, 'B2C3B2C3'],
  [['eyJhbGciOiJFZDI1NTE5In0', 'eyJzdWIiOiJ4In0', 'c2ln'].join('.'), 'eyJhbGciOiJFZDI1NTE5In0'],
  ['-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----', 'MC4CAQ'],
  ['https://user:swordfish@rpc.example/', 'swordfish'],
  ['https://rpc.example/?apikey=swordfish123', 'swordfish123'],
  ['https://rpc.example/v3/0123456789abcdef0123456789abcdef', '0123456789abcdef'],
];
const secretNames = [
  'apiKey',
  'accountKey',
  'secret',
  'token',
  'password',
  'seed',
  'authorization',
  'POUW_DEPLOYER_KEY',
];

/** Values that no type allows and some library hands on all the same. */
function unwritable(): LogFields {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const stubborn = {
    toJSON: () => {
      throw new Error('not me');
    },
  };
  const values: unknown = { circle, stubborn, big: 1n, symbol: Symbol('one'), run: () => 1, half: '\uD800', not: NaN };
  return values as LogFields;
}

/** What a log promises to whoever speaks to it, also where nobody listens. */
export const toldLogFeatureList: readonly Feature<ToldLogHarness>[] = [
  {
    name: 'takes any line of any level, and none is an error of who logs it',
    check: async ({ log }) => {
      const long = 'x '.repeat(limits.logTextCharsMax);
      for (const one of [log, withFields(log, { role: 'router', ...unwritable() })]) {
        for (const level of logLevels) {
          expect(one[level]('alone')).toBeUndefined();
          expect(one[level](long, { long, empty: '', none: undefined })).toBeUndefined();
          expect(one[level]('\uDC00\n\u2028"', unwritable())).toBeUndefined();
        }
      }
    },
  },
];

/** What a log promises. */
export const logFeatureList: readonly Feature<LogHarness>[] = [
  ...toldLogFeatureList,
  {
    name: 'has each line in its order, with its level, its message and its fields as they are',
    check: async ({ log, lines }) => {
      const node = '0x11df4b7e11df4b7e11df4b7e11df4b7e11df4b7e';
      const id = 'session.31337-de75a151-1:4:0';
      const fields = {
        node,
        id,
        tokens: 12,
        share: 0.5,
        ready: false,
        by: null,
        url: 'http://127.0.0.1:8787/v1/models',
      };
      for (const level of logLevels) log[level](`on ${level}: "é"\n`, { ...fields, level: undefined });
      log.info('alone');
      expect(await lines()).toEqual([
        ...logLevels.map((level) => ({ level, message: `on ${level}: "é"\n`, fields })),
        { level: 'info', message: 'alone', fields: {} },
      ]);
    },
  },
  {
    name: 'goes on after a line that could not be written',
    check: async ({ log, lines }) => {
      log.warn('hardly', unwritable());
      log.warn('well', { tokens: 1 });
      expect((await lines()).at(-1)).toEqual({ level: 'warn', message: 'well', fields: { tokens: 1 } });
    },
  },
  {
    name: 'carries the fields of those who share it; a line has its own before them',
    check: async ({ log, lines }) => {
      const shared = withFields(withFields(log, { role: 'router', task: 'none' }), { node: '0x0b' });
      for (const level of logLevels) shared[level]('selected', { task: '0x01' });
      log.info('not shared');
      const fields = { role: 'router', node: '0x0b', task: '0x01' };
      expect(await lines()).toEqual([
        ...logLevels.map((level) => ({ level, message: 'selected', fields })),
        { level: 'info', message: 'not shared', fields: {} },
      ]);
    },
  },
  {
    name: 'never has a key in it, wherever that stands',
    check: async ({ log, lines }) => {
      for (const [text] of secrets) {
        log.error(`it went wrong: ${text}`, { error: `with ${text}`, task: text });
        withFields(log, { url: text }).debug('shared');
      }
      log.warn(`no such thing: ${privateKey}`, { error: privateKey, why: privateKey.slice(2) });
      const written = await lines();
      expect(written).toHaveLength(2 * secrets.length + 1);
      const text = JSON.stringify(written);
      for (const [, secret] of [...secrets, ['', privateKey.slice(2)] as const]) expect(text).not.toContain(secret);
    },
  },
  {
    name: 'never has the value of a field in it that is named after a secret',
    check: async ({ log, lines }) => {
      for (const name of secretNames) log.info('a line', { [name]: 'swordfish' });
      const written = await lines();
      expect(written).toHaveLength(secretNames.length);
      expect(JSON.stringify(written)).not.toContain('swordfish');
    },
  },
];

/** The contract of the Log port. */
export function logFeatures(name: string, make: () => Promise<LogHarness>): void {
  testFeatures('log', name, logFeatureList, make);
}

/** The part of it that holds for a log that keeps nothing too. */
export function toldLogFeatures(name: string, make: () => Promise<ToldLogHarness>): void {
  testFeatures('log', name, toldLogFeatureList, make);
}

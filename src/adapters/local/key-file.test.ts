import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeyRing } from '../../core/key-ring.ts';
import { openKeyFile } from './key-file.ts';
import { systemRandom } from './system-clock.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'pouw-keys-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a key file is made for its owner only and gives the same keys ever after', () => {
  const path = join(folder, 'keys.json');
  const first = openKeyFile(path, systemRandom);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const second = openKeyFile(path, systemRandom);
  expect(second.account('miner', 3)).toBe(first.account('miner', 3));
  expect(second.signer('miner', 3).publicKey).toBe(first.signer('miner', 3).publicKey);
  expect(second.apiKey('demo')).toBe(first.apiKey('demo'));
});

test('no new key is made beside something that the lost one has made', () => {
  const path = join(folder, 'keys.json');
  const [log, absent] = [join(folder, 'log.sqlite'), join(folder, 'absent')];
  openKeyFile(path, systemRandom, [log, absent]);
  writeFileSync(log, '');
  openKeyFile(path, systemRandom, [absent, log]);
  rmSync(path);
  expect(() => openKeyFile(path, systemRandom, [absent, log])).toThrow(
    expect.objectContaining({
      code: 'key_file_missing',
      hint: expect.stringContaining('`pouw sim` keeps no keys') as string,
    }),
  );
  expect(existsSync(path)).toBe(false);
  openKeyFile(path, systemRandom, [absent]);
});

test('every purpose, role and number has a key of its own', () => {
  const keys = new KeyRing(`0x${'01'.repeat(32)}`);
  const all = [
    keys.account('miner', 0),
    keys.account('miner', 1),
    keys.account('router', 0),
    keys.signer('miner', 0).publicKey,
    keys.apiKey('miner/0'),
  ];
  expect(new Set(all).size).toBe(all.length);
});

test.each(['', 'not json', '{}', '{"v":2,"secret":"0x00"}', '{"v":1,"secret":"short"}'])(
  '%j is no key file',
  (text) => {
    const path = join(folder, 'keys.json');
    writeFileSync(path, text);
    expect(() => openKeyFile(path, systemRandom)).toThrow(expect.objectContaining({ code: 'key_file_malformed' }));
  },
);

test('a place that cannot be written is said, and no key is told', () => {
  mkdirSync(join(folder, 'keys.json'));
  expect(() => openKeyFile(join(folder, 'keys.json'), systemRandom)).toThrow(
    expect.objectContaining({ code: 'data_dir_unwritable' }),
  );
});

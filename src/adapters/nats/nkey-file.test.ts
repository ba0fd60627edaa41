import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAccount } from '@nats-io/nkeys';
import { afterAll, describe, expect, it } from 'vitest';
import type { PouwError } from '../../core/errors.ts';
import { openNkeyFile } from './nkey-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'pouw-nkey-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the file of an nkey', () => {
  it('is made once, for its owner alone, and then stays', () => {
    const path = join(folder, 'a.nk');
    const key = openNkeyFile(path);
    expect(key).toMatch(/^U[A-Z2-7]{55}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const seed = readFileSync(path, 'utf8');
    expect(openNkeyFile(path)).toBe(key);
    expect(readFileSync(path, 'utf8')).toBe(seed);
    expect(openNkeyFile(join(folder, 'b.nk'))).not.toBe(key);
  });

  it.each([
    ['no seed', 'SUAM'],
    ['the seed of somebody else than a user', Buffer.from(createAccount().getSeed()).toString()],
  ])('that holds %s is refused without being shown', (what, content) => {
    const path = join(folder, `${what.length}.nk`);
    writeFileSync(path, content);
    let refused: unknown;
    try {
      openNkeyFile(path);
    } catch (error) {
      refused = error;
    }
    expect(refused).toMatchObject({ code: 'invalid_nats_key' });
    expect((refused as PouwError).explain()).not.toContain(content);
  });
});

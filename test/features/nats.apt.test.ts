import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installFromApt } from '../../src/adapters/nats/server/apt-install.ts';
import type { AptCandidate } from '../../src/adapters/nats/server/apt-sources.ts';
import { findNatsServer } from '../../src/adapters/nats/server/find-server.ts';
import { isNatsVersionEnough } from '../../src/adapters/nats/server/server-version.ts';
import { pouwError, textWith } from './pouw-error.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

/** A small archive whose packages only tell their version; `make.sh` beside it has made it. */
const fixture = fileURLToPath(new URL('../fixtures/apt-archive', import.meta.url));
const hasApt = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'apt-get')));

let scratch: ScratchDirectory;
let archive: string;
let folder: string;

beforeEach(() => {
  scratch = scratchDirectory();
  archive = scratch.file('archive');
  folder = scratch.file('nats-server');
  cpSync(fixture, archive, { recursive: true });
});
afterEach(() => scratch.remove());

function suite(name: string): AptCandidate {
  return { uri: `file://${archive}`, suite: name, components: ['main'], signedBy: join(archive, 'key.asc') };
}

/** What became of looking in suites, one after the other: a path, or why each was refused. */
async function install(...suites: readonly string[]): Promise<string | Record<string, string>> {
  const accepts = (version: string): boolean => isNatsVersionEnough(version);
  const outcome = await installFromApt({ folder, candidates: suites.map(suite), accepts });
  return 'installed' in outcome
    ? outcome.installed.path
    : Object.fromEntries(outcome.refusals.map(({ suite: name, why }) => [name, why]));
}

/** What is expected where there is apt; elsewhere every suite is refused for want of it. */
function withApt(suites: readonly string[], expected: unknown): unknown {
  return hasApt ? expected : Object.fromEntries(suites.map((name) => [name, textWith('no apt-get')]));
}

describe('a server from the mirror of the system', () => {
  test('is unpacked into the cache folder, and nothing else is left there', async () => {
    expect(await install('new')).toEqual(withApt(['new'], join(folder, '2.14.0', 'nats-server')));
    expect(readdirSync(folder)).toEqual(hasApt ? ['2.14.0'] : []);
  });

  test('is refused where its suite is signed by a key that the system does not trust', async () => {
    const refusal = { foreign: textWith('not signed') };
    expect(await install('foreign')).toEqual(withApt(['foreign'], refusal));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is refused where the list of packages is not the one that was signed', async () => {
    for (const binary of readdirSync(join(archive, 'dists/new/main'))) {
      const file = join(archive, 'dists/new/main', binary, 'Packages');
      writeFileSync(file, readFileSync(file, 'utf8').replace('Maintainer: pouw', 'Maintainer: evil'));
    }
    expect(await install('new')).toEqual(withApt(['new'], { new: textWith('Hash Sum mismatch') }));
  });

  test('is refused where the package is not the one in the list', async () => {
    const file = join(archive, 'pool/nats-server_2.14.0_all.deb');
    const bytes = readFileSync(file);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(file, bytes);
    expect(await install('new')).toEqual(withApt(['new'], { new: textWith('Hash Sum mismatch') }));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is looked for in the next suite where one has none that is trusted and new enough', async () => {
    const suites = ['absent', 'foreign', 'old'];
    const refusals = {
      absent: textWith(''),
      foreign: textWith('not signed'),
      old: textWith('2.1.0, which is too old'),
    };
    expect(await install(...suites)).toEqual(withApt(suites, refusals));
    const path = join(folder, '2.14.0', 'nats-server');
    expect(await install(...suites, 'new')).toEqual(withApt([...suites, 'new'], path));
  });
});

describe('finding a server', () => {
  /** A program that says it is a server of a version, in a folder of its own. */
  function program(version: string): { path: string; folder: string } {
    const place = scratch.file(`bin-${version}`);
    mkdirSync(place);
    const path = join(place, 'nats-server');
    writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 });
    return { path, folder: place };
  }
  const find = (options: Partial<Parameters<typeof findNatsServer>[0]>): ReturnType<typeof findNatsServer> =>
    findNatsServer({ cacheFolder: scratch.path, searchPath: '', candidates: [], ...options });

  test('takes the given one and no other, and refuses it where it is too old or none at all', async () => {
    const [good, old] = [program('2.12.1'), program('2.9.10')];
    expect(await find({ given: good.path })).toEqual({ path: good.path, version: '2.12.1', origin: 'given' });
    await expect(find({ given: old.path, searchPath: good.folder })).rejects.toEqual(
      pouwError('nats_too_old', { details: { version: '2.9.10', floor: '2.10.0' } }),
    );
    await expect(find({ given: scratch.file('none') })).rejects.toEqual(pouwError('nats_server_missing'));
    await expect(find({ given: process.execPath })).rejects.toEqual(pouwError('nats_server_missing'));
  });

  test('takes the first on the search path that is new enough', async () => {
    const [old, good] = [program('2.9.10'), program('2.12.1')];
    const searchPath = ['', scratch.file('none'), old.folder, good.folder].join(delimiter);
    expect(await find({ searchPath })).toEqual({ path: good.path, version: '2.12.1', origin: 'path' });
  });

  test('takes the newest in the cache folder where the path has none', async () => {
    for (const version of ['2.9.10', '2.12.1', '2.12.10']) {
      mkdirSync(join(folder, version), { recursive: true });
      cpSync(program(version).path, join(folder, version, 'nats-server'));
    }
    const path = join(folder, '2.12.10', 'nats-server');
    expect(await find({ searchPath: program('2.9.9').folder })).toEqual({ path, version: '2.12.10', origin: 'cache' });
  });

  test('fetches one where there is none, says what it does, and finds it again', async () => {
    const said: string[] = [];
    const candidates = [suite('new')];
    const found = await find({ candidates, onProgress: (what) => void said.push(what) }).catch(
      (error: unknown) => error,
    );
    const path = join(folder, '2.14.0', 'nats-server');
    expect(found).toEqual(hasApt ? { path, version: '2.14.0', origin: 'installed' } : pouwError('nats_server_missing'));
    expect(said).toEqual([`looking for nats-server in new at file://${archive}`]);
    const again = await find({ install: false }).catch((error: unknown) => error);
    expect(again).toEqual(hasApt ? { path, version: '2.14.0', origin: 'cache' } : pouwError('nats_server_missing'));
  });

  test('says what to do, and what was refused and why, where none can be had', async () => {
    const old = program('2.9.10');
    const hint = textWith('brew install nats-server');
    await expect(find({})).rejects.toEqual(pouwError('nats_server_missing', { hint, why: textWith('no apt') }));
    await expect(find({ searchPath: old.folder, candidates: [suite('foreign')] })).rejects.toEqual(
      pouwError('nats_server_missing', { hint, why: textWith(`${old.path} has version 2.9.10; suite foreign: `) }),
    );
  });
});

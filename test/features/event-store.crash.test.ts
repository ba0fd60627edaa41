import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataDir } from '../../src/adapters/local/data-dir.ts';
import { openSqliteEventStore } from '../../src/adapters/local/sqlite-event-store.ts';
import { checkCommit, genesisHash } from '../../src/core/commit.ts';
import { testNodeKey } from './commits.ts';
import { type ScratchDirectory, scratchDirectory } from './scratch-directory.ts';

const kills = 10;
const writer = join(import.meta.dirname, 'crash-writer.ts');

let directory: ScratchDirectory;
let child: ChildProcess | undefined;
beforeEach(() => {
  directory = scratchDirectory();
});
afterEach(() => {
  child?.kill('SIGKILL');
  directory.remove();
});

/** Runs the writer for some milliseconds after its first word, kills it, and returns what it printed in whole lines. */
async function writeUntilKilled(path: string, lifeMs: number): Promise<string[]> {
  child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (output === '') setTimeout(() => child?.kill('SIGKILL'), lifeMs);
    output += text;
  });
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  expect(signal, 'the writer ended by itself').toBe('SIGKILL');
  return output.split('\n').slice(1, -1);
}

/** Opens what the dead writer left, checks every chain, and returns the hashes by `<stream key> <version>`. */
async function readBack(path: string): Promise<Map<string, string>> {
  const dataDir = openDataDir(path);
  const store = openSqliteEventStore({ path: dataDir.logPath });
  const hashes = new Map<string, string>();
  const heads = new Map<string, { version: number; hash: string }>();
  let positions = 0;
  for await (const { position, commit } of store.readAll()) {
    positions += 1;
    expect(position).toBe(positions);
    const fault = checkCommit(commit, heads.get(commit.stream) ?? { version: 0, hash: genesisHash }, testNodeKey);
    expect(fault).toBeUndefined();
    heads.set(commit.stream, commit);
    hashes.set(`${commit.stream.split('-').at(-1)} ${commit.version}`, commit.hash);
  }
  await store.close();
  dataDir.close();
  return hashes;
}

test(`a writer killed ${kills} times at any moment loses nothing it acknowledged, and its file opens`, async () => {
  const acknowledged: string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    acknowledged.push(...(await writeUntilKilled(directory.path, 5 + Math.random() * 120)));
    const hashes = await readBack(directory.path);
    for (const line of acknowledged) {
      const [key, version, hash] = line.split(' ');
      expect(hashes.get(`${key} ${version}`), `commit ${key}@${version}, acknowledged before kill ${kill + 1}`).toBe(
        hash,
      );
    }
  }
  expect(acknowledged.length).toBeGreaterThan(kills);
}, 120_000);

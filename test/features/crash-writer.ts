import { openDataDir } from '../../src/adapters/local/data-dir.ts';
import { openSqliteEventStore } from '../../src/adapters/local/sqlite-event-store.ts';
import type { Commit } from '../../src/core/commit.ts';
import { commitAfter, testStream } from './commits.ts';

// Started by event-store.crash.test.ts with a data directory: appends to some streams as fast as it can, prints
// `<stream key> <version> <hash>` for each commit that was acknowledged, and never ends by itself.

const streams = 4;
const [, , path] = process.argv;
if (path === undefined) throw new Error('usage: crash-writer.ts DIRECTORY');

const store = openSqliteEventStore({ path: openDataDir(path).logPath });

async function write(key: number): Promise<never> {
  let head: Commit | undefined;
  for await (const { commit } of store.read(testStream(key))) head = commit;
  for (;;) {
    const commit = commitAfter(head, testStream(key), 'x'.repeat(200));
    const { outcome } = await store.append(commit);
    if (outcome !== 'stored') throw new Error(`append answered ${outcome}`);
    process.stdout.write(`${key} ${commit.version} ${commit.hash}\n`);
    head = commit;
  }
}

process.stdout.write('ready\n');
await Promise.all(Array.from({ length: streams }, (_, key) => write(key)));

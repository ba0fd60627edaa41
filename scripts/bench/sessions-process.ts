/**
 * A process of the `sessions` figure. `write COUNT FILE` writes a log of so many sessions and, line by line, their
 * states; `actors COUNT FILE FIRST` loads them into a host and then opens more, numbered from FIRST; `objects COUNT
 * FILE` loads the states as plain objects. The last two print one {@link SessionsMeasure} as JSON.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { sessionActor } from '../../actors/session/definition.ts';
import { openLocalStores } from '../../src/adapters/local/local-stores.ts';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { defaultTerms } from '../../src/cli/compose/settings.ts';
import { assert, present } from '../../src/core/assert.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { sessionId, toAddress } from '../../src/core/ids.ts';
import { Host } from '../../src/runtime/host.ts';
import { median } from './interleave.ts';
import { benchStream, foldHistory, sealHistory, sessionHistory } from './session-log.ts';
import type { SessionsMeasure } from './sessions.ts';

const [mode, countText = '', path = '', first = ''] = process.argv.slice(2);
const count = Number(countText);
if (mode === 'write') await writeLog();
else
  process.stdout.write(JSON.stringify(mode === 'actors' ? await measureActors(Number(first)) : await measureObjects()));

interface Memory {
  readonly rss: number;
  readonly heap: number;
}

/** Memory once garbage is gone and the collector's threads have given pages back. */
async function memory(): Promise<Memory> {
  for (let pass = 0; pass < 4; pass += 1) {
    present(globalThis.gc, '--expose-gc')();
    await sleep(50);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed };
}

function added(before: Memory, after: Memory, openMs: number): SessionsMeasure {
  return {
    rssBytes: after.rss,
    addedRssBytes: after.rss - before.rss,
    addedHeapBytes: after.heap - before.heap,
    openMs,
  };
}

async function measureActors(from: number): Promise<SessionsMeasure> {
  const stores = openLocalStores({ path });
  const host = newHost(stores);
  const before = await memory();
  await host.wake(Array.from({ length: count }, (_, index) => benchStream(index + 1)));
  const after = await memory();
  assert(host.load().actors === count, 'every session is live');
  const openMs = await openMore(host, from);
  await host.stop(0);
  await stores.close();
  return added(before, after, openMs);
}

/** The log of a router that has run for a while: every effect is marked as done. */
async function writeLog(): Promise<void> {
  const stores = openLocalStores({ path });
  const { events, journal } = stores;
  const states = createWriteStream(`${path}.ndjson`);
  for (let number = 1; number <= count; number += 1) {
    const stream = benchStream(number);
    const history = sessionHistory(number, 1);
    const commits = sealHistory(stream, history);
    const appended = Promise.all(commits.map((commit) => events.append(commit)));
    if (number % 50 === 0) await appended;
    await journal.advance(stream, commits.length);
    states.write(`${JSON.stringify(foldHistory(history))}\n`);
  }
  states.end();
  await finished(states);
  await stores.close();
}

function newHost({ events, snapshots, journal }: ReturnType<typeof openLocalStores>): Host {
  return new Host({
    author: toAddress(`0x${'a1'.repeat(20)}`),
    signer: signerFromSeed(new Uint8Array(32).fill(7)),
    store: events,
    snapshots,
    journal,
    clock: systemClock,
    random: systemRandom,
    actors: [sessionActor],
    handlers: {},
  });
}

/** Opens sessions one by one. @returns the median milliseconds of one. */
async function openMore(host: Host, from: number): Promise<number> {
  const times: number[] = [];
  const client = toAddress(`0x${'c1'.repeat(20)}`);
  const terms = defaultTerms('pebble-chat', [client]);
  for (let number = from; number < from + 200; number += 1) {
    const session = sessionId(31_337, client, number);
    const place = {
      block: number,
      blockHash: keccak256(`b${number}`),
      blockAt: 0,
      txHash: keccak256(`t${number}`),
      logIndex: 0,
    };
    const startedAt = performance.now();
    const opened = await host.dispatch(
      sessionActor,
      benchStream(number),
      { type: 'SeeSessionFact', fact: { type: 'SessionOpened', session, client, terms, place } },
      'bench',
    );
    times.push(performance.now() - startedAt);
    assert(opened.ok && opened.events.length === 1, 'the session is open');
  }
  return median(times);
}

async function measureObjects(): Promise<SessionsMeasure> {
  const before = await memory();
  const objects: unknown[] = [];
  for await (const line of createInterface({ input: createReadStream(`${path}.ndjson`) })) {
    if (objects.length < count) objects.push(JSON.parse(line));
  }
  const after = await memory();
  assert(objects.length === count, 'every object is live');
  return added(before, after, 0);
}

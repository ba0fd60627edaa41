import { expect, test } from 'vitest';
import { systemClock } from '../adapters/local/system-clock.ts';
import type { ChainFact } from '../core/chain-fact.ts';
import { PouwError } from '../core/errors.ts';
import type { ChainFeed } from '../ports/chain.ts';
import { type FactReader, startFactPump } from './fact-pump.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const facts = [{ type: 'SessionDraining' }] as unknown as readonly ChainFact[];
const cursor = (block: number) => ({ block, recent: [] });

/** A pump over a feed that the test speaks through, and the cursor it has saved. */
async function pump(readers: readonly FactReader[], onHead?: (block: number) => void) {
  let feed: ChainFeed | undefined;
  const saved: number[] = [];
  const chain = {
    follow: (_: unknown, told: ChainFeed) => {
      feed = told;
      return { close: async () => {} };
    },
  };
  const cursors = {
    load: async () => undefined,
    save: async (_: string, text: string) => void saved.push((JSON.parse(text) as { block: number }).block),
  };
  const subscription = await startFactPump({
    chain,
    cursors,
    clock: systemClock,
    log,
    name: 'chain',
    readers,
    ...(onHead === undefined ? {} : { onHead }),
  });
  if (feed === undefined) throw new Error('the pump follows no chain');
  return { feed, saved, close: () => subscription.close() };
}

function reader(onFacts: () => Promise<void>, stopping?: AbortSignal): FactReader {
  return { onFacts, onRemoved: async () => {}, ...(stopping === undefined ? {} : { stopping }) };
}

test('a reader that fails gets the same facts again, and the cursor waits for it', async () => {
  let attempts = 0;
  const failing = reader(async () => {
    attempts += 1;
    if (attempts < 3) throw new PouwError('busy', 'not now');
  });
  const { feed, saved, close } = await pump([failing]);
  const told = feed.onFacts(facts, cursor(7));
  expect(saved).toEqual([]);
  await told;
  expect({ attempts, saved }).toEqual({ attempts: 3, saved: [7] });
  await close();
});

test('a reader that goes holds up nobody, and the cursor stays for its next start', async () => {
  const gone = new AbortController();
  const taken: string[] = [];
  const staying = reader(async () => void taken.push('staying'));
  const going = reader(async () => {
    taken.push('going');
    if (taken.length > 2) {
      gone.abort();
      throw new PouwError('host_stopped', 'gone');
    }
  }, gone.signal);
  const { feed, saved, close } = await pump([staying, going]);
  for (const block of [1, 2, 3]) await feed.onFacts(facts, cursor(block));
  expect(taken).toEqual(['staying', 'going', 'staying', 'going', 'staying']);
  expect(saved).toEqual([1]);
  await close();
});

test('the newest block is told where it has no facts for anybody', async () => {
  const heads: number[] = [];
  const { feed, close } = await pump([], (block) => heads.push(block));
  feed.onProgress?.({ head: 42, block: 40 });
  expect(heads).toEqual([42]);
  await close();
});

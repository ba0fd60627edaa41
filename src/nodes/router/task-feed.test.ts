import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { toAddress } from '../../core/ids.ts';
import type { TaskUpdate, WatchFrom } from '../../ports/gateway-network.ts';
import type { TaskView } from '../../ports/task-views.ts';
import { TaskFeed } from './task-feed.ts';

const miner = toAddress(`0x${'a'.repeat(40)}`);
const task = `0x${'11'.repeat(32)}` as TaskView['task'];
const view = { winner: miner, text: 'one two', finishReason: 'stop', promptTokens: 1, outputTokens: 2 } as TaskView;
const end = { finishReason: 'stop', promptTokens: 1, outputTokens: 2 } as const;
const signal = (): AbortSignal => new AbortController().signal;

function speak(feed: TaskFeed, words: readonly string[], isWhole = true): void {
  feed.stream.setPrimary(miner);
  words.forEach((text, seq) => feed.stream.accept(miner, { task, attempt: 0, seq, index: seq, ids: [seq], text }, 0));
  if (isWhole)
    feed.stream.accept(
      miner,
      { task, attempt: 0, seq: words.length, index: words.length, ids: [], text: '', done: end },
      0,
    );
}

async function all(feed: TaskFeed, from?: WatchFrom): Promise<string[]> {
  const seen: TaskUpdate[] = [];
  for await (const update of feed.watch(signal(), from)) seen.push(update);
  return seen.map((update) =>
    'text' in update ? `${update.type}:${update.text}` : update.type === 'state' ? update.state : update.type,
  );
}

describe('a watcher', () => {
  it('is told states, words and the end, from the beginning, however late it comes', async () => {
    const feed = new TaskFeed('fast');
    const early = all(feed);
    feed.enter('assigned');
    speak(feed, ['one', ' two']);
    feed.enter('settled');
    feed.end({ type: 'verdict', view });
    const told = (await early).toSorted();
    expect(told).toEqual((await all(feed)).toSorted());
    expect((await all(feed)).at(-1)).toBe('verdict');
  });

  it('reads words only after the verdict where they are to be verified', async () => {
    const feed = new TaskFeed('verified');
    const watching = all(feed);
    speak(feed, ['one', ' two']);
    feed.enter('settled');
    await Promise.resolve();
    feed.end({ type: 'verdict', view });
    expect(await watching).toEqual(['queued', 'settled', 'token:one', 'token: two', 'done:', 'verdict']);
  });

  it('may ask for another delivery than the task was given', async () => {
    const feed = new TaskFeed('fast');
    const careful = all(feed, { delivery: 'verified' });
    const eager = all(feed);
    speak(feed, ['one', ' two']);
    await setImmediate();
    feed.enter('settled');
    feed.end({ type: 'verdict', view });
    expect(await careful).toEqual(['queued', 'settled', 'token:one', 'token: two', 'done:', 'verdict']);
    expect((await eager).indexOf('token:one')).toBeLessThan((await eager).indexOf('settled'));
  });

  it('gets the rest of the winning text where the stream broke off', async () => {
    const feed = new TaskFeed('fast');
    speak(feed, ['one'], false);
    feed.end({ type: 'verdict', view });
    expect(await all(feed)).toEqual(['queued', 'token:one', 'done: two', 'verdict']);
  });

  it('goes on after the token it has, and gets what is left where it has them all', async () => {
    const feed = new TaskFeed('fast');
    speak(feed, ['one', ' two']);
    feed.end({ type: 'verdict', view });
    expect(await all(feed, { after: 0 })).toEqual(['queued', 'token: two', 'done:', 'verdict']);
    expect(await all(feed, { after: 1 })).toEqual(['queued', 'done:', 'verdict']);
    expect(await all(feed, { after: 9 })).toEqual(['queued', 'done:', 'verdict']);
    const verified = new TaskFeed('verified');
    speak(verified, ['one', ' two']);
    verified.end({ type: 'verdict', view });
    expect(await all(verified, { after: 0 })).toEqual(['queued', 'token: two', 'done:', 'verdict']);
  });

  it('gets the rest of the text where the words it has were heard, else the whole, and is told so', async () => {
    const heard = new TaskFeed('fast');
    speak(heard, ['one'], false);
    heard.end({ type: 'verdict', view });
    expect(await all(heard, { after: 0 })).toEqual(['queued', 'done: two', 'verdict']);
    const updates: TaskUpdate[] = [];
    for await (const update of heard.watch(signal(), { after: 1 })) updates.push(update);
    expect(updates.find(({ type }) => type === 'done')).toMatchObject({ text: 'one two', isWhole: true });
  });

  it('is told where the node stops, and may leave at any time', async () => {
    const feed = new TaskFeed('fast');
    const abort = new AbortController();
    const left = (async () => {
      for await (const _ of feed.watch(abort.signal)) abort.abort(new Error('gone'));
    })();
    await expect(left).rejects.toThrow('gone');
    const watching = all(feed);
    feed.close();
    await expect(watching).rejects.toMatchObject({ code: 'task_unwatched' });
  });
});

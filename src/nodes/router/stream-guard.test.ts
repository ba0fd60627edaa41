import { describe, expect, it } from 'vitest';
import { type Address, toAddress } from '../../core/ids.ts';
import { TaskStream } from '../task-stream.ts';
import { stalledAfterMs, takesOver } from './stream-guard.ts';

const [first, second] = ['11', '22'].map((byte) => toAddress(`0x${byte.repeat(20)}`)) as [Address, Address];
const task = `0x${'7'.repeat(64)}` as never;

/** The stream of a task whose words are the first miner's. */
function stream(): TaskStream {
  const words = new TaskStream();
  words.setPrimary(first);
  return words;
}

function say(words: TaskStream, miner: Address, seq: number, atMs: number): void {
  words.accept(miner, { task, attempt: 0, seq, index: seq, ids: [seq], text: ` ${seq}` }, atMs);
}

function next(words: TaskStream, nowMs: number, isDead = false): Address | undefined {
  return takesOver(words, { from: first, live: [second], isDead }, nowMs);
}

describe('a stream', () => {
  it('goes over from a miner that lives and never spoke, a while after another has begun', () => {
    const words = stream();
    say(words, second, 0, 1_000);
    expect(next(words, 1_000 + stalledAfterMs)).toBeUndefined();
    expect(next(words, 1_001 + stalledAfterMs)).toBe(second);
    // The other one has its whole answer long since.
    say(words, second, 1, 2_000);
    expect(next(words, 1_001 + stalledAfterMs)).toBe(second);
  });

  it('goes over from a miner that has stopped in the middle, a while after its last word', () => {
    const words = stream();
    say(words, first, 0, 500);
    say(words, second, 0, 600);
    say(words, second, 1, 700);
    expect(next(words, 500 + stalledAfterMs)).toBeUndefined();
    expect(next(words, 501 + stalledAfterMs)).toBe(second);
  });

  it('stays where nobody has come further, and goes over at once from a dead one', () => {
    const words = stream();
    say(words, first, 0, 0);
    expect(next(words, 60_000)).toBeUndefined();
    expect(next(words, 1, true)).toBeUndefined();
    say(words, second, 0, 0);
    expect(next(words, 60_000)).toBeUndefined();
    expect(next(words, 1, true)).toBe(second);
  });
});

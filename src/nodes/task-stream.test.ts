import { describe, expect, it } from 'vitest';
import { hashJson } from '../core/hash.ts';
import { limits } from '../core/limits.ts';
import { resultRoot } from '../core/precommit.ts';
import { toAddress } from '../core/ids.ts';
import type { TokenBody } from '../messages/bodies.ts';
import { TaskStream } from './task-stream.ts';

const [a, b, c] = ['a', 'b', 'c'].map((digit) => toAddress(`0x${digit.repeat(40)}`)) as [
  ReturnType<typeof toAddress>,
  ReturnType<typeof toAddress>,
  ReturnType<typeof toAddress>,
];
const task = `0x${'11'.repeat(32)}` as TokenBody['task'];
const end = { finishReason: 'stop', promptTokens: 2, outputTokens: 3 } as const;

function chunk(seq: number, index: number, ids: number[], more: Partial<TokenBody> = {}): TokenBody {
  return { task, attempt: 0, seq, index, ids, text: ids.map((id) => `<${id}>`).join(''), ...more };
}

function say(stream: TaskStream, miner: typeof a, ids: readonly number[], from = 0, attempt = 0): void {
  ids.forEach((id, seq) => expect(stream.accept(miner, chunk(seq, from + seq, [id], { attempt }), seq)).toBe('taken'));
}

const delivered = (stream: TaskStream): string => stream.delivered.map((token) => token.text).join('');

describe('a stream', () => {
  it('delivers the words of the primary and nobody else’s', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    say(stream, b, [9, 9]);
    say(stream, a, [1, 2]);
    expect(delivered(stream)).toBe('<1><2>');
  });

  it('delivers what the primary had said before it was known to be the primary', () => {
    const stream = new TaskStream();
    say(stream, a, [1, 2]);
    expect(stream.delivered).toEqual([]);
    stream.setPrimary(a);
    expect(delivered(stream)).toBe('<1><2>');
  });

  it('tells its listeners of every change until they leave', () => {
    const stream = new TaskStream();
    let told = 0;
    const leave = stream.listen(() => (told += 1));
    stream.setPrimary(a);
    say(stream, a, [1, 2]);
    leave();
    expect(stream.accept(a, chunk(2, 2, [3]), 0)).toBe('taken');
    expect(told).toBe(2);
  });

  it('refuses chunks at the wrong place, of an older attempt, and after the end', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    say(stream, a, [1]);
    expect(stream.accept(a, chunk(1, 5, [2]), 0)).toBe('refused');
    expect(stream.accept(a, chunk(0, 0, [7], { attempt: 1 }), 0)).toBe('taken');
    expect(stream.accept(a, chunk(1, 1, [2]), 0)).toBe('refused');
    expect(stream.accept(a, chunk(1, 1, [], { attempt: 1, done: end }), 0)).toBe('taken');
    expect(stream.accept(a, chunk(2, 1, [8], { attempt: 1 }), 0)).toBe('refused');
    expect(stream.accept(b, chunk(0, limits.outputTokensMax, [1]), 0)).toBe('refused');
    expect(stream.accept(b, chunk(0, 0, [1, 2], { texts: ['one text'] }), 0)).toBe('refused');
  });

  it('puts chunks in order, whatever the order in which they come, and knows what is missing', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    expect(stream.missing(a, 0)).toEqual({ seq: 0, run: undefined, isLost: false });
    expect(stream.accept(a, chunk(2, 2, [3]), 0)).toBe('ahead');
    expect(stream.missing(a, 0)).toEqual({ seq: 0, run: undefined, isLost: true });
    expect(stream.accept(a, chunk(0, 0, [1]), 0)).toBe('taken');
    expect(delivered(stream)).toBe('<1>');
    expect(stream.missing(a, 0)).toEqual({ seq: 1, run: undefined, isLost: true });
    expect(stream.accept(a, chunk(3, 3, [], { text: '', done: end }), 0)).toBe('ahead');
    expect(stream.accept(a, chunk(1, 1, [2]), 0)).toBe('taken');
    expect(stream.accept(a, chunk(1, 1, [2]), 0)).toBe('known');
    expect(delivered(stream)).toBe('<1><2><3>');
    expect(stream.missing(a, 0)).toBeUndefined();
    expect(stream.missing(a, 1)).toEqual({ seq: 0, run: undefined, isLost: false });
    expect(stream.streamRoot(a)).toBe(resultRoot({ tokens: [1, 2, 3], text: '<1><2><3>', ...end }));
  });

  it('drops waiting chunks that do not fit behind those before them, and keeps no more than the bound', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    expect(stream.accept(a, chunk(1, 7, [2]), 0)).toBe('ahead');
    expect(stream.accept(a, chunk(2, 8, [3]), 0)).toBe('ahead');
    expect(stream.accept(a, chunk(0, 0, [1]), 0)).toBe('taken');
    expect(stream.missing(a, 0)).toEqual({ seq: 1, run: undefined, isLost: false });
    for (let seq = 2; seq < 2 + limits.chunksAheadMax; seq += 1)
      expect(stream.accept(a, chunk(seq, seq, [seq]), 0)).toBe('ahead');
    expect(stream.accept(a, chunk(2 + limits.chunksAheadMax, 0, [9]), 0)).toBe('refused');
  });

  it('begins anew with another making of the answer, also in its middle, and not after its end', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    expect(stream.accept(a, chunk(0, 0, [1], { run: 'x' }), 0)).toBe('taken');
    expect(stream.accept(a, chunk(0, 0, [1], { run: 'x' }), 0)).toBe('known');
    expect(stream.accept(a, chunk(1, 1, [2], { run: 'y' }), 0)).toBe('ahead');
    expect(stream.missing(a, 0)).toEqual({ seq: 0, run: 'y', isLost: true });
    expect(stream.accept(a, chunk(0, 0, [1], { run: 'y' }), 0)).toBe('taken');
    expect(stream.accept(a, chunk(2, 2, [], { run: 'y', text: '', done: end }), 0)).toBe('taken');
    expect(stream.accept(a, chunk(0, 0, [9], { run: 'z' }), 0)).toBe('refused');
    expect(delivered(stream)).toBe('<1><2>');
  });

  it('takes the same words again from a miner that was restarted', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    say(stream, a, [1, 2]);
    say(stream, a, [1, 2, 3]);
    expect(delivered(stream)).toBe('<1><2><3>');
  });

  it('has the root that its miner must commit', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    say(stream, a, [1, 2, 3]);
    expect(stream.streamRoot(a)).toBeUndefined();
    expect(stream.accept(a, chunk(3, 3, [], { text: '!', done: end }), 0)).toBe('taken');
    expect(stream.streamRoot(a)).toBe(resultRoot({ tokens: [1, 2, 3], text: '<1><2><3>!', ...end }));
    expect(stream.end).toEqual({ text: '!', ...end });
  });
});

describe('when the primary dies', () => {
  it('the words go on from the miner that is farthest among those that agree so far', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    say(stream, a, [1, 2]);
    say(stream, b, [1, 2, 3]);
    say(stream, c, [1, 7, 8, 9]);
    expect(stream.successor([b, c])).toBe(b);
    stream.setPrimary(b);
    expect(delivered(stream)).toBe('<1><2><3>');
  });

  it('nobody takes over whose words differ from what was delivered, or who is behind', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    say(stream, a, [1, 2, 3]);
    say(stream, b, [1, 2]);
    say(stream, c, [1, 7, 8, 9]);
    expect(stream.successor([b, c])).toBeUndefined();
    stream.setPrimary(c);
    expect(delivered(stream)).toBe('<1><2><3>');
  });

  it('a replacement continues the prefix it was given', () => {
    const stream = new TaskStream();
    stream.setPrimary(a);
    say(stream, a, [1, 2]);
    expect(stream.prefix()).toEqual([1, 2]);
    stream.setPrimary(b);
    say(stream, b, [3], 2, 1);
    expect(stream.accept(b, chunk(1, 3, [], { attempt: 1, text: '', done: end }), 0)).toBe('taken');
    expect(delivered(stream)).toBe('<1><2><3>');
    expect(stream.streamRoot(b)).toBe(resultRoot({ tokens: [1, 2, 3], text: '<1><2><3>', ...end }));
  });

  it('who joins late reads a prefix that the replacement says again, token by token, if it is what clients had', () => {
    const again = chunk(0, 0, [1, 2], { attempt: 1, text: '<1><2>', texts: ['<1>', '<2>'] });
    const before = { deliveredTokens: 2, prefixHash: hashJson([1, 2]) };
    const late = new TaskStream();
    late.setPrimary(b, before);
    expect(late.accept(b, again, 0)).toBe('taken');
    expect(late.accept(b, chunk(1, 2, [3], { attempt: 1 }), 0)).toBe('taken');
    expect(late.delivered.map((token) => token.text)).toEqual(['<1>', '<2>', '<3>']);
    const deceived = new TaskStream();
    deceived.setPrimary(b, before);
    expect(deceived.accept(b, { ...again, ids: [1, 7] }, 0)).toBe('taken');
    expect(deceived.delivered).toEqual([]);
    const early = new TaskStream();
    early.setPrimary(a);
    say(early, a, [1, 2]);
    early.setPrimary(b, before);
    expect(early.accept(b, again, 0)).toBe('taken');
    expect(early.accept(b, chunk(1, 2, [3], { attempt: 1 }), 0)).toBe('taken');
    expect(delivered(early)).toBe('<1><2><3>');
  });
});

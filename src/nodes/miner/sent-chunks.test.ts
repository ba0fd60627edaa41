import { describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import { SentChunks } from './sent-chunks.ts';

const message = (text: string): Uint8Array => new TextEncoder().encode(text);
const shown = (sent: SentChunks, key: string, from: number, run?: string): readonly string[] | undefined =>
  sent.page(key, from, run)?.messages.map((one) => new TextDecoder().decode(one));

function said(sent: SentChunks, key: string, texts: readonly string[], run = 'r'): void {
  sent.begin({ key, run });
  for (const text of texts) sent.add({ key, run }, message(text));
}

describe('what was sent', () => {
  it('is told again from any place on, and knows nothing of other jobs', () => {
    const sent = new SentChunks();
    said(sent, 'a', ['0', '1', '2']);
    expect(shown(sent, 'a', 0)).toEqual(['0', '1', '2']);
    expect(shown(sent, 'a', 2, 'r')).toEqual(['2']);
    expect(shown(sent, 'a', 3, 'r')).toEqual([]);
    expect(sent.page('b', 0, undefined)).toBeUndefined();
  });

  it('comes in pages that are bounded by number and by bytes', () => {
    const sent = new SentChunks();
    said(
      sent,
      'many',
      Array.from({ length: limits.resendChunksMax + 1 }, (_, index) => `${index}`),
    );
    expect(sent.page('many', 0, undefined)).toMatchObject({ more: true });
    expect(shown(sent, 'many', 0)).toHaveLength(limits.resendChunksMax);
    expect(sent.page('many', limits.resendChunksMax, undefined)).toMatchObject({ more: false });
    const large = 'x'.repeat(limits.resendBytesMax);
    said(sent, 'large', [large, large]);
    expect(sent.page('large', 0, undefined)).toMatchObject({ messages: [message(large)], more: true });
    expect(sent.page('large', 1, undefined)).toMatchObject({ messages: [message(large)], more: false });
  });

  it('is that of the newest making of an answer, from its beginning for who knows another', () => {
    const sent = new SentChunks();
    said(sent, 'a', ['0', '1'], 'before the crash');
    sent.begin({ key: 'a', run: 'after' });
    sent.add({ key: 'a', run: 'before the crash' }, message('late'));
    sent.add({ key: 'a', run: 'after' }, message('again'));
    expect(shown(sent, 'a', 2, 'before the crash')).toEqual(['again']);
    expect(shown(sent, 'a', 1, 'after')).toEqual([]);
  });

  it('is forgotten for the oldest jobs beyond the bounds', () => {
    const few = new SentChunks(2, 1_000);
    for (const key of ['a', 'b', 'c']) said(few, key, ['1']);
    expect(few.page('a', 0, undefined)).toBeUndefined();
    expect(shown(few, 'b', 0)).toEqual(['1']);
    const small = new SentChunks(10, 10);
    said(small, 'a', ['12345']);
    said(small, 'b', ['12345', '6']);
    expect(small.page('a', 0, undefined)).toBeUndefined();
    expect(shown(small, 'b', 0)).toEqual(['12345', '6']);
    small.add({ key: 'b', run: 'r' }, message('1234567890'));
    expect(small.page('b', 0, undefined)).toBeUndefined();
    small.add({ key: 'b', run: 'r' }, message('1'));
    expect(small.page('b', 0, undefined)).toBeUndefined();
  });
});

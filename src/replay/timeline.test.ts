import { describe, expect, it } from 'vitest';
import { collect, seal, streams } from '../../test/fixtures/signed-log.ts';
import { contentCid } from '../core/cid.ts';
import { type Event, genesisHash } from '../core/commit.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { shorten, timelineLine, timelineOf } from './timeline.ts';

const at = Date.UTC(2026, 10, 22, 12, 47, 3, 120);

async function linesFor(...events: Event[]): Promise<string[]> {
  const commit = seal({ stream: streams.session, version: 7, at, cause: 'test', events, prev: genesisHash });
  const stored = (async function* (): AsyncGenerator<StoredCommit> {
    yield { position: 3, commit };
  })();
  return (await collect(timelineOf(stored))).map(timelineLine);
}

describe('a timeline', () => {
  it('has one line per event: time, version, event, fields', async () => {
    const lines = await linesFor({ type: 'Opened', model: 'pebble-chat', redundancy: 3 }, { type: 'Closed' });
    expect(lines).toEqual([
      '2026-11-22 12:47:03.120  v7     Opened             model=pebble-chat  redundancy=3',
      '2026-11-22 12:47:03.120  v7     Closed',
    ]);
  });

  it('shortens addresses, hashes and CIDs', async () => {
    const [line] = await linesFor({
      type: 'T',
      task: `0x${'ab'.repeat(32)}`,
      by: `0x${'12'.repeat(20)}`,
      result: contentCid('x'),
      hash: 'cd'.repeat(32),
    });
    expect(line).toContain('task=0xabab…abab  by=0x1212…1212  result=bagu…');
    expect(line).toContain('hash=cdcdcd…cdcd');
  });

  it('shows money in COR and moments as times', async () => {
    const [line] = await linesFor({ type: 'T', priceWei: '1500000000000000000', ackBy: at, queueTimeoutS: 60 });
    expect(line).toContain('price=1.5 COR  ackBy=2026-11-22 12:47:03.120  queueTimeoutS=60');
  });

  it('shows the beginning of long texts and lists, and what is in objects', async () => {
    const [line] = await linesFor({
      type: 'T',
      text: 'word '.repeat(100),
      list: [1, 2, 3, 4, 5],
      empty: [],
      nested: { a: 1, b: [1, 2], c: { d: 1 } },
      none: null,
    });
    expect(line).toContain(`text="${'word '.repeat(10).slice(0, 48)}…"`);
    expect(line).toContain('list=[1, 2, 3, +2]  empty=[]  nested={a: 1, b: [2], c: {d}}  none=null');
  });

  it('has the task first and the place on the chain, by its block, last', async () => {
    const seen = { block: 47, blockHash: `0x${'ab'.repeat(32)}`, txHash: `0x${'cd'.repeat(32)}` };
    const [line] = await linesFor({ type: 'T', miner: 'm', seen, task: 't', value: 1 });
    expect(line).toMatch(/task=t  miner=m  value=1  seen=block 47$/);
  });

  it('counts the objects of a list', async () => {
    const [line] = await linesFor({
      type: 'T',
      scores: [
        { a: 1, b: 2 },
        { a: 3, b: 4 },
      ],
      one: [{ a: 1 }],
    });
    expect(line).toContain('scores=2 × {a, b}  one=[{a}]');
  });

  it('lets no event steer the terminal', async () => {
    const [line] = await linesFor({
      type: 'Clear\u001b[2J',
      'na\nme': '\u001b[31mred\u009b\u202e',
      nested: { '\u001b': 1 },
    });
    // oxlint-disable-next-line no-control-regex
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(line).toContain('"Clear\\u001b[2J"');
  });

  it('shows a moment no calendar has as a number', () => {
    const entry = {
      position: 1,
      stream: streams.session,
      version: 1,
      at: 1e16,
      author: streams.session as never,
      cause: '',
      type: 'T',
      fields: [],
    };
    expect(timelineLine(entry)).toBe('10000000000000000  v1     T');
  });
});

describe('shortening', () => {
  it('leaves alone what is short or a word', () => {
    for (const text of ['0x1234', 'pebble-chat', '31337-abcdef01-1', 'beef', '']) expect(shorten(text)).toBe(text);
  });
});

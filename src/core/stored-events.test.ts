import { describe, expect, test } from 'vitest';
import { commitFormat, type Event } from './commit.ts';
import { foldCommit } from './fold-commit.ts';
import { streamId } from './ids.ts';
import { eventReader, eventsOf } from './stored-events.ts';

const stored = (v: number, ...events: Event[]) => ({
  v,
  stream: streamId('session', '31337-abcdef01-1'),
  version: 7,
  events,
});
const newer = expect.objectContaining({ code: 'log_newer_version', class: 'corrupt' }) as Error;

describe('reading the events of a commit', () => {
  // A history of three formats: an amount that was a number got a unit, and then became a string.
  const read = eventReader(3, [
    (event) => (event.type === 'Paid' ? { type: 'Paid', amountWei: event['amount'] } : event),
    (event) => (event.type === 'Paid' ? { type: 'Paid', amountWei: `${Number(event['amountWei'])}` } : event),
  ]);

  test('brings each format to the newest, step by step, and leaves alone what has not changed', () => {
    const noted = { type: 'Noted', note: 'x' };
    const today = [{ type: 'Paid', amountWei: '5' }, noted];
    expect(read(stored(1, { type: 'Paid', amount: 5 }, noted))).toEqual(today);
    expect(read(stored(2, { type: 'Paid', amountWei: 5 }, noted))).toEqual(today);
    expect(read(stored(3, ...today))).toEqual(today);
  });

  test('leaves the commit as it was written, so that its hash still stands', () => {
    const commit = stored(1, { type: 'Paid', amount: 5 });
    read(commit);
    expect(commit.events).toEqual([{ type: 'Paid', amount: 5 }]);
  });

  test('refuses a format that is newer than all it knows', () => {
    expect(() => read(stored(4))).toThrow(newer);
    expect(() => eventsOf(stored(commitFormat + 1))).toThrow(newer);
  });

  test('has a step for every older format, or does not start', () => {
    expect(() => eventReader(3, [(event) => event])).toThrow('every older format has its step');
  });
});

describe('folding a commit', () => {
  const count = {
    step: (state: number, event: Event) => ({ state: state + 1, effects: [{ kind: 'told', of: event.type }] }),
    knows: (type: string) => type === 'Noted' || type === 'Paid',
  };

  test('takes its events in order, with their effects', () => {
    const folded = foldCommit(count, 5, stored(1, { type: 'Noted' }, { type: 'Paid' }));
    expect(folded).toEqual({
      state: 7,
      effects: [
        { kind: 'told', of: 'Noted' },
        { kind: 'told', of: 'Paid' },
      ],
    });
  });

  test('refuses an event that only a newer pouw can have written, rather than pass it over', () => {
    expect(() => foldCommit(count, 5, stored(1, { type: 'Noted' }, { type: 'Foreseen' }))).toThrow(newer);
  });
});

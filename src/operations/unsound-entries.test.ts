import { expect, test } from 'vitest';
import { limits } from '../core/limits.ts';
import { countUnsound } from './unsound-entries.ts';

test('it counts each by its bucket, and says one a second with its name, and how many it did not say', () => {
  const counted: unknown[] = [];
  const said: unknown[] = [];
  let nowMs = 0;
  const unsound = countUnsound({
    metrics: { add: (...count: unknown[]) => void counted.push(count) } as never,
    log: { warn: (_line, fields) => void said.push(fields) },
    clock: { now: () => nowMs },
  });
  expect(limits.unsoundLogLinesPerS).toBe(1);
  for (const key of ['sessions.1', 'sessions.2', 'sessions.3']) unsound({ bucket: 'lease', key });
  nowMs = 999;
  unsound({ bucket: 'snap', key: 'session.4' });
  nowMs = 1_000;
  unsound({ bucket: 'lease', key: 'sessions.5' });
  const of = (bucket: string): unknown => ['pouw_entries_unsound_total', { bucket }];
  expect(counted).toEqual([of('lease'), of('lease'), of('lease'), of('snap'), of('lease')]);
  expect(said).toEqual([
    { bucket: 'lease', entry: 'sessions.1', unsaid: 0 },
    { bucket: 'lease', entry: 'sessions.5', unsaid: 3 },
  ]);
});

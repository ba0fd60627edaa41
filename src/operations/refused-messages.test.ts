import { expect, test } from 'vitest';
import type { RegisteredKey } from '../core/author-rules.ts';
import { type StreamId, toAddress } from '../core/ids.ts';
import { countRefused } from './refused-messages.ts';

const miner = toAddress(`0x${'1'.repeat(40)}`);
const stranger = toAddress(`0x${'2'.repeat(40)}`);

test('it counts each by whose stream it lies in, and says each kind once', () => {
  const counted: unknown[] = [];
  const said: unknown[] = [];
  const metrics = { add: (name: string, labels: object) => counted.push([name, labels]) };
  const registry = new Map([[miner, { roles: ['miner'], key: '0x1' } as RegisteredKey]]);
  const refused = countRefused(
    { metrics: metrics as never, log: { warn: (_line, fields) => void said.push(fields) } },
    registry,
  );
  const own = `miner.${miner}` as StreamId;
  for (const position of [1, 2]) refused({ position, code: 'wrong_form', stream: own });
  refused({ position: 3, code: 'wrong_signature', stream: 'session.31337-abcdef01-1' as StreamId });
  refused({ position: 4, code: 'unknown_author', stream: `miner.${stranger}` as StreamId });
  refused({ position: 5, code: 'wrong_form', stream: undefined });
  const name = 'pouw_log_refused_total';
  expect(counted).toEqual([
    [name, { node: miner, code: 'wrong_form' }],
    [name, { node: miner, code: 'wrong_form' }],
    [name, { node: 'session', code: 'wrong_signature' }],
    [name, { node: 'unregistered', code: 'unknown_author' }],
    [name, { node: 'unknown', code: 'wrong_form' }],
  ]);
  expect(said).toHaveLength(4);
  expect(said[0]).toEqual({ code: 'log_refused', reason: 'wrong_form', node: miner, stream: own, position: 1 });
});

import { expect, test } from 'vitest';
import { limits } from '../core/limits.ts';
import { checkConcurrency, checkJob } from './job-checks.ts';

const body = new Uint8Array(1);

test('a job has a model and an id of a length that can be carried', () => {
  const longest = ['m'.repeat(limits.modelIdBytesMax), 'i'.repeat(limits.jobIdCharsMax)] as const;
  expect(() => checkJob(...longest, body)).not.toThrow();
  expect(() => checkJob(`${longest[0]}m`, 'a', body)).toThrow('model');
  expect(() => checkJob('é'.repeat(limits.modelIdBytesMax / 2 + 1), 'a', body)).toThrow('model');
  expect(() => checkJob('', 'a', body)).toThrow('model');
  for (const id of [`${longest[1]}i`, '', 'two words', 'ä'])
    expect(() => checkJob('m', id, body)).toThrow('id of a job');
});

test('a worker has at least one hand, and not too many', () => {
  for (const concurrency of [1, limits.jobsInHandMax]) expect(() => checkConcurrency(concurrency)).not.toThrow();
  for (const concurrency of [0, 1.5, limits.jobsInHandMax + 1]) {
    expect(() => checkConcurrency(concurrency)).toThrow('jobs in hand');
  }
});

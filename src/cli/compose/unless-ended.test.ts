import { expect, test } from 'vitest';
import { PouwError } from '../../core/errors.ts';
import { unlessEnded } from './unless-ended.ts';

const never = new Promise<never>(() => {});
const ended = new Error('the chain has ended');

test('work is done, or fails, as long as what it needs is there', async () => {
  expect(await unlessEnded(never, Promise.resolve(1))).toBe(1);
  await expect(unlessEnded(never, Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('work is waited for no more once its chain has ended, and what it says of that is not what counts', async () => {
  await expect(unlessEnded(Promise.resolve(ended), never)).rejects.toBe(ended);
  const unreachable = new PouwError('chain_unreachable', 'no answer');
  const later = new Promise<Error>((resolve) => setTimeout(resolve, 20, ended));
  await expect(unlessEnded(later, Promise.reject(unreachable))).rejects.toBe(ended);
});

test('a chain that is away and has not ended is just that', async () => {
  const unreachable = new PouwError('chain_unreachable', 'no answer');
  await expect(unlessEnded(never, Promise.reject(unreachable))).rejects.toBe(unreachable);
});

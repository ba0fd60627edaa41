import { expect, test } from 'vitest';
import { BlockWaiter, type BlockWaiterOptions } from './block-waiter.ts';

test('who waits for a block of a chain that is closed is told so', async () => {
  const tracker = { head: undefined, listen: () => () => undefined, nudge: () => undefined };
  const options = { tracker, client: {}, mineOnDemand: false, keep: async () => undefined };
  const waiter = new BlockWaiter(options as unknown as BlockWaiterOptions);
  const waiting = waiter.wait(7);
  waiting.catch(() => undefined);
  await Promise.resolve();
  waiter.close();
  await expect(waiting).rejects.toMatchObject({ code: 'chain_closed', class: 'unavailable' });
});

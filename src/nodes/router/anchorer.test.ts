import { onTestFinished, test } from 'vitest';
import { emptyRouter } from '../../../actors/router/context.ts';
import type { RouterCommand } from '../../../actors/router/decide.ts';
import { commitAfter, testStream } from '../../../test/features/commits.ts';
import { createHeliaContentStore } from '../../adapters/ipfs/content-store.ts';
import { openLocalStores } from '../../adapters/local/local-stores.ts';
import { toAddress } from '../../core/ids.ts';
import type { NodeBase } from '../node-base.ts';
import { Anchorer } from './anchorer.ts';

test('two wishes for an anchor at the same moment are one proposal', async ({ expect }) => {
  const stores = openLocalStores({ path: ':memory:' });
  const content = await createHeliaContentStore();
  onTestFinished(async () => {
    await content.close();
    await stores.close();
  });
  await stores.events.append(commitAfter(undefined, testStream(1)));
  const base = {
    identity: { address: toAddress(`0x${'a1'.repeat(20)}`) },
    ports: { store: stores.events, leases: stores.leases, content },
  } as unknown as NodeBase;
  const proposed: RouterCommand[] = [];
  const anchorer = new Anchorer({
    base,
    everyMs: 1_000,
    book: async () => emptyRouter,
    dispatch: async (command) => void proposed.push(command),
  });

  expect(await Promise.all([anchorer.anchor(), anchorer.anchor()])).toEqual([true, true]);
  expect(proposed).toHaveLength(1);

  await anchorer.anchor();
  expect(proposed).toHaveLength(2);
});

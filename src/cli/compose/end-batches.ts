import { advanceAnvil } from '../../adapters/chain/anvil-time.ts';
import { batchesIn } from '../../core/batch/fact.ts';
import { PouwError } from '../../core/errors.ts';
import type { EffectId } from '../../core/ids.ts';
import { addWei, type Wei, zeroWei } from '../../core/wei.ts';
import { claimsOf } from '../../nodes/batch-claims.ts';
import type { LocalNetwork } from './local-network.ts';

/** How long the last batches may take to be on chain, and to be final once their windows are over. */
const withinMs = 120_000;
const lookMs = 50;

type Books = readonly { readonly step: string; readonly dueAt: number }[];

/**
 * Brings the batches of a network on a chain of its own to their ends: waits until all are posted, moves the chain's time
 * past their windows, and waits until they are final.
 *
 * @throws PouwError `batches_unfinished`.
 */
export async function endBatches({ routers, rpcUrl, ports }: LocalNetwork): Promise<void> {
  const { clock, chain } = ports;
  const open = async (): Promise<Books> => {
    const books = await Promise.all(routers.map((router) => router.book()));
    return books.flatMap(({ batches }) => Object.values(batches?.open ?? {}));
  };
  const until = async (isDone: (books: Books) => boolean): Promise<void> => {
    const giveUpAt = clock.now() + withinMs;
    while (!isDone(await open())) {
      if (clock.now() >= giveUpAt) throw unfinished((await open()).length);
      await clock.sleep(lookMs);
    }
  };
  await until((books) => books.every(({ step }) => step === 'posted'));
  const dueAt = Math.max(0, ...(await open()).map((batch) => batch.dueAt));
  const { at } = await chain.block();
  if (dueAt >= at) await advanceAnvil(rpcUrl, Math.ceil((dueAt - at) / 1_000) + 1);
  await until((books) => books.length === 0);
}

/** Every node claims what it has earned by final batches. @returns how much that was. */
export async function claimAll({ members, ports }: LocalNetwork): Promise<Wei> {
  const { chain, content } = ports;
  const { number } = await chain.block();
  const batches = batchesIn(await chain.facts(chain.deployment.fromBlock, number));
  let claimedWei = zeroWei;
  for (const { address } of members) {
    for (const { of, payments, amountWei } of await claimsOf(batches.values(), [address], chain, content)) {
      const { batch, header } = of;
      await chain.send(
        address,
        { call: 'claimMany', batch, header, payments },
        `claim:${address}:${batch}` as EffectId,
      );
      claimedWei = addWei(claimedWei, ...amountWei);
    }
  }
  return claimedWei;
}

function unfinished(count: number): PouwError {
  return new PouwError('batches_unfinished', `${count} batches have not come to their end in ${withinMs / 1_000} s.`, {
    class: 'timeout',
    hint: 'Look into pouw.log in the data directory.',
  });
}

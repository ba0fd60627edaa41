import type { BlockBroker } from 'helia';
import { cidToDigest } from '../../core/cid.ts';
import type { Cid } from '../../core/ids.ts';
import type { BlockExchange } from '../../ports/block-exchange.ts';

/** Lets helia fetch the blocks it does not have from other processes, as it would from other IPFS nodes. */
export function exchangeBroker(exchange: BlockExchange): BlockBroker {
  return {
    name: 'exchange',
    retrieve: async (key, options) => {
      const cid = key.toString() as Cid;
      // Only blocks of our own kind have an equal here.
      cidToDigest(cid);
      return await exchange.fetch(cid, options?.signal ?? new AbortController().signal);
    },
  };
}

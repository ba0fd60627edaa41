import type { BlockBroker } from 'helia';
import { cidToDigest } from '../../core/cid.ts';
import type { Cid } from '../../core/ids.ts';

/** Lets helia fetch a block that it does not have as it would from other IPFS nodes. */
export function blockBroker(fetch: (cid: Cid, signal: AbortSignal) => Promise<Uint8Array>): BlockBroker {
  return {
    name: 'exchange',
    retrieve: async (key, options) => {
      const cid = key.toString() as Cid;
      // Blocks of other kinds are not exchanged.
      cidToDigest(cid);
      return await fetch(cid, options?.signal ?? new AbortController().signal);
    },
  };
}

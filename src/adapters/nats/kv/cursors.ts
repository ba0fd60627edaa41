import { assert } from '../../../core/assert.ts';
import type { Address, StreamId } from '../../../core/ids.ts';
import { limits } from '../../../core/limits.ts';
import type { Cursors } from '../../../ports/effect-journal.ts';
import { Bucket, type BucketOptions, keyOf } from './bucket.ts';

/** How to open a node's cursors on NATS. */
export interface NatsCursorsOptions extends BucketOptions {
  /** The stream of the node's own actor: nodes do not share cursors. */
  readonly owner: StreamId;
}

/** The name of a node's place on the chain, the one cursor that it keeps. */
export function chainCursorName(node: Address): string {
  return `chain.${node}`;
}

/** Where a cursor is, below the key of its owner's stream. */
export function cursorKey(name: string): string {
  return `cursor.${keyOf(name)}`;
}

/** Cursors that end their use of the connection. */
export interface NatsCursors extends Cursors {
  close(): void;
}

/**
 * Opens the cursors of a node, which lie beside its marks in the bucket `done`. A save is kept when its promise
 * resolves.
 *
 * @throws PouwError `nats_unreachable`, `nats_config_ignored`.
 */
export async function openNatsCursors(options: NatsCursorsOptions): Promise<NatsCursors> {
  const bucket = await Bucket.open('done', options);
  const key = (name: string): string => `${options.owner}.${cursorKey(name)}`;
  return {
    load: async (name) => {
      const { value } = await bucket.get(key(name));
      return value === undefined ? undefined : Buffer.from(value).toString('utf8');
    },
    save: async (name, value) => {
      assert(value.length <= limits.cursorCharsMax, `a cursor has at most ${limits.cursorCharsMax} characters`);
      await bucket.put(key(name), value);
    },
    close: () => bucket.close(),
  };
}

import { beforeEach, expect, test } from 'vitest';
import { alice, bob, bytes32 } from '../../../test/actors/chain-facts.ts';
import { good, submitted } from '../../../test/actors/samples/task.ts';
import { pouwError } from '../../../test/features/pouw-error.ts';
import { nodes as authors, seal, streams } from '../../../test/fixtures/signed-log.ts';
import { anchorManifest } from '../../core/anchor.ts';
import { type AnchoredOrder, anchoredOrder } from '../../core/anchored-order.ts';
import { digestToCid } from '../../core/cid.ts';
import { type Commit, type Event, genesisHash } from '../../core/commit.ts';
import { PouwError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { ChainFact } from '../../ports/chain.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { MadeCheckpoint } from '../../nodes/oracle/own-reading.ts';
import { checkpointMaker } from './checkpoint-maker.ts';

const { selected, assigned, queued, ackedByAlice, ackedByBob, allPrecommitted, allCommitted, validated, settled } =
  good;
const way = [submitted, queued, selected, assigned, ackedByAlice, ackedByBob, allPrecommitted, allCommitted];
const task = [...way, { ...validated, honest: [alice, bob], outliers: [] }, settled];

let log: Commit[];
let facts: ChainFact[];
let blocks: Map<string, Json>;
/** Block time of the newest block, and of the end of the epoch. */
let at: number;
const endedAt = 1_000;

/** Two tasks of ten commits each, anchored at 100 and at 200; the second one is new. */
beforeEach(() => {
  [log, facts, at] = [[], [], endedAt + 1];
  blocks = new Map();
  for (const number of [1, 2]) {
    for (const event of task) {
      const text = JSON.stringify({ ...event, task: bytes32(number) });
      const draft = { stream: streams.session, version: log.length + 1, at: 1_700_000_000_000, cause: 'test' };
      const events = [JSON.parse(text) as Event];
      log.push(seal({ ...draft, prev: log.at(-1)?.hash ?? genesisHash, events }, authors.router));
    }
  }
  anchor(orderOf(1, 10), 100);
  anchor(orderOf(11, 20), 200);
});

const orderOf = (from: number, to: number): AnchoredOrder =>
  anchoredOrder(
    from,
    log.slice(from - 1, to).map(({ hash }) => hash),
  )!;

function anchor(order: AnchoredOrder, blockAt: number): void {
  const { manifest, root, digest, cid } = anchorManifest(undefined, [], order);
  blocks.set(cid, manifest);
  const place = { block: 1, txHash: digest, logIndex: 0, blockAt };
  facts.push({
    type: 'LogAnchored',
    epoch: facts.length + 1,
    by: alice,
    root,
    manifestDigest: digest,
    commits: 1,
    place,
  } as never);
}

/** Has the content of an anchor be gone, or be nothing that can be read. */
function lose(index: number, content?: Json): void {
  const fact = facts[index] as Extract<ChainFact, { readonly type: 'LogAnchored' }>;
  const cid = digestToCid(fact.manifestDigest);
  if (content === undefined) blocks.delete(cid);
  else blocks.set(cid, content);
}

async function made(anchoredBefore = 1): Promise<MadeCheckpoint> {
  const store = {
    async *readAll() {
      for (const [index, commit] of log.entries()) yield { commit, position: index + 1 };
    },
  } as unknown as EventStore;
  const chain = { deployment: { fromBlock: 0 }, block: async () => ({ number: 9, at }), facts: async () => facts };
  const get = async (cid: string): Promise<Json> => {
    const found = blocks.get(cid);
    if (found === undefined) throw new PouwError('content_not_found', 'gone', { class: 'not-found' });
    if (found === 'broken') throw new PouwError('content_corrupt', 'broken', { class: 'corrupt' });
    if (found === 'no disk') throw new PouwError('content_unreadable', 'no disk', { class: 'unavailable' });
    return found;
  };
  const make = checkpointMaker({ store, chain, content: { get } } as never);
  return (await make({ from: 11, endedAt, anchoredBefore, idleWork: new Map() }))!;
}

test('is certain with all anchors of a time that is over, and the log as they bind it', async () => {
  expect(await made()).toMatchObject({ anchorEpoch: 2, to: 20, isCertain: true });
});

test('leaves out anchors of later epochs', async () => {
  facts[1] = { ...facts[1]!, place: { ...facts[1]!.place, blockAt: endedAt + 1 } };
  expect(await made()).toMatchObject({ anchorEpoch: 1, to: 10, isCertain: true });
});

test('is not certain while the chain is not past the epoch here', async () => {
  at = endedAt;
  expect(await made()).toMatchObject({ to: 20, isCertain: false });
});

test('is not certain without the content of an anchor since the checkpoint before', async () => {
  lose(1);
  expect(await made()).toMatchObject({ anchorEpoch: 2, to: 10, isCertain: false });
  lose(1, 'broken');
  expect(await made()).toMatchObject({ to: 10, isCertain: false });
  lose(1, { v: 2 });
  expect(await made(), 'content that is no manifest').toMatchObject({ to: 10, isCertain: false });
});

test('is certain without the content of an earlier one', async () => {
  lose(0);
  expect(await made()).toMatchObject({ to: 20, isCertain: true });
  expect(await made(0)).toMatchObject({ to: 20, isCertain: false });
});

test('is not certain where the log has other commits than were anchored', async () => {
  [log[14], log[15]] = [log[15]!, log[14]!];
  expect(await made()).toMatchObject({ to: 20, isCertain: false });
});

test('is not made where log or content cannot be read, and there is none without anchors', async () => {
  log.pop();
  await expect(made()).rejects.toEqual(pouwError('position_not_found'));
  lose(1, 'no disk');
  await expect(made()).rejects.toEqual(pouwError('content_unreadable'));
  facts = [];
  expect(await made()).toBeUndefined();
});

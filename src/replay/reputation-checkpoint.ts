import {
  findings,
  newcomer,
  type Reputation,
  reputationAfter,
  reputationScore,
} from '../../actors/router/reputation.ts';
import { OrderDigest } from '../core/anchored-order.ts';
import { type Standing, standingsTree } from '../core/checkpoint.ts';
import { digestToCid } from '../core/cid.ts';
import { PouwError } from '../core/errors.ts';
import { type Hex, hashJson } from '../core/hash.ts';
import type { Address, Cid } from '../core/ids.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import type { ChainAnchor, LogSource } from './source.ts';
import { taskOutcomes } from './task-outcomes.ts';

/** The version of the manifest this code writes. */
export const checkpointFormat = 1;

/** What a checkpoint says and covers, as content: whoever has the log makes the same one. */
export type CheckpointManifest = {
  readonly v: number;
  /** The first and the last position of the log that is new since the checkpoint before, included. */
  readonly from: number;
  readonly to: number;
  /** SHA-256 over the hashes of the commits at these positions, 32 bytes each, in order. */
  readonly log: Hex;
  /** In the order of their addresses, from all positions up to the last. */
  readonly standings: readonly Standing[];
};

/** A checkpoint made from a log. */
export interface ReputationCheckpoint {
  readonly manifest: CheckpointManifest;
  /** The manifest's SHA-256 digest: `manifestDigest` on chain. */
  readonly manifestDigest: Hex;
  readonly cid: Cid;
  /** The root over the standings; null where there are none. */
  readonly root: Hex | null;
  /** Tasks that were counted. */
  readonly tasks: number;
}

/** Which part of a log a checkpoint is of. */
export interface CheckpointRange {
  /** The first new position. Default 1. */
  readonly from?: number;
  /** The last position. Default the newest. */
  readonly to?: number;
  /** Idle work of nodes in the checkpoint's epoch, in credits, by the network sessions on chain. */
  readonly idleWork?: ReadonlyMap<Address, number>;
}

/**
 * The checkpoint of reputation that a log leads to. Who has the same log up to the last position gets the same root and
 * the same digest, whatever else is in the log after it.
 *
 * @throws PouwError `position_not_found` for a log that ends before; `log_newer_version`.
 */
export async function reputationCheckpoint(
  source: LogSource,
  { from = 1, to, idleWork = new Map() }: CheckpointRange = {},
): Promise<ReputationCheckpoint> {
  const order = new OrderDigest();
  let last = 0;
  const commits = async function* (): AsyncGenerator<StoredCommit> {
    for await (const stored of source.readAll()) {
      if (to !== undefined && stored.position > to) return;
      last = stored.position;
      if (last >= from) order.add(stored.commit.hash);
      yield stored;
    }
  };
  const reputations = new Map<Address, Reputation>([...idleWork.keys()].map((node) => [node, newcomer]));
  let tasks = 0;
  for await (const outcome of taskOutcomes(commits())) {
    tasks += 1;
    for (const [node, finding] of findings(outcome))
      reputations.set(node, reputationAfter(reputations.get(node) ?? newcomer, finding));
  }
  const newest = Math.max(to ?? 0, from - 1);
  if (last < newest) throw noSuchPosition(source, newest, last);
  const standings = [...reputations].map(([node, known]) => standingOf(node, known, idleWork.get(node) ?? 0));
  const manifest: CheckpointManifest = {
    v: checkpointFormat,
    from,
    to: last,
    log: order.end(),
    standings: standings.toSorted((a, b) => (a.node < b.node ? -1 : 1)),
  };
  const manifestDigest: Hex = `0x${hashJson(manifest)}`;
  const root = standings.length === 0 ? null : standingsTree(standings).root;
  return { manifest, manifestDigest, cid: digestToCid(manifestDigest), root, tasks };
}

/**
 * The last position whose place in the log the anchors up to an epoch bind.
 *
 * @throws PouwError `anchor_not_found` where the epoch is not there, or nothing up to it binds an order.
 */
export function anchoredPosition(anchors: readonly ChainAnchor[], epoch: number): number {
  const known = anchors.filter((anchor) => anchor.epoch <= epoch);
  const to = Math.max(0, ...known.map(({ manifest }) => manifest?.order?.to ?? 0));
  if (to > 0 && known.some((anchor) => anchor.epoch === epoch)) return to;
  const newest = anchors.at(-1)?.epoch ?? 0;
  throw new PouwError('anchor_not_found', `No anchor up to epoch ${epoch} says in which order the log was written.`, {
    class: 'not-found',
    hint: newest === 0 ? 'The log has no anchors: leave out --epoch.' : `The newest epoch is ${newest}.`,
    param: 'epoch',
    details: { epoch, newest },
  });
}

function standingOf(node: Address, known: Reputation, idleWork: number): Standing {
  const { level, honest, outlier, timedOut } = known;
  return { node, level, scoreBps: Math.round(reputationScore(known) * 10_000), honest, outlier, timedOut, idleWork };
}

function noSuchPosition(source: LogSource, position: number, last: number): PouwError {
  return new PouwError('position_not_found', `${source.origin} has no position ${position}.`, {
    class: 'not-found',
    why: `Its last one is ${last}.`,
    hint: 'Take a newer copy of the log, or an earlier position.',
    details: { position, last },
  });
}

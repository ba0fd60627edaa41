import type { BatchData, Challenge, Watch } from './challenge.ts';
import { checkPayments } from './check-payments.ts';
import { type LeafKind, leafKinds, type OutcomeLeaf } from './leaves.ts';
import { type BatchHeader, follows, isGivenOut, isRevealed, partOf } from './rules.ts';
import { placed, treeHeight } from './tree.ts';

/**
 * Finds every fault of a batch and says how each is proven. An honest batch has none. Where the data is not what was
 * posted, or lacks a leaf, nothing can be proven with it: then the leaves are demanded.
 */
export function checkBatch(batch: BatchData, watch: Watch): Challenge[] {
  const withheld = checkShape(batch);
  if (withheld.length > 0) return withheld;
  return [
    ...checkTasks(batch, watch),
    ...checkSums(batch),
    ...checkTwice(batch, watch),
    ...checkPayments(batch, watch),
  ];
}

/** A place in a tree of a batch. */
export interface LeafPlace {
  readonly kind: LeafKind;
  readonly position: number;
}

/** Every place in the trees of a posted batch, also those that only fill one up. */
export function leafPlaces(header: BatchHeader): LeafPlace[] {
  return leafKinds.flatMap((kind) => placesIn(header, kind));
}

function placesIn({ payments, tasks }: BatchHeader, kind: LeafKind): LeafPlace[] {
  const count = kind === 'payment' ? payments : tasks;
  if (count === 0) return [];
  return Array.from({ length: 2 ** treeHeight(count) }, (_, position) => ({ kind, position }));
}

/** Leaves that the data does not have in their places, or whole trees that are not those that were posted. */
function checkShape(batch: BatchData): Challenge[] {
  const { header } = batch;
  const roots = {
    precommit: header.precommitRoot,
    reveal: header.revealRoot,
    outcome: header.outcomeRoot,
    payment: header.paymentRoot,
  };
  return leafKinds.flatMap((kind) => {
    const { leaves, root } = batch[kind];
    const positions = leaves.map((leaf) => ('index' in leaf ? leaf.index : leaf.position));
    const all = placesIn(header, kind);
    const wanted = root === roots[kind] ? all.filter(({ position }) => positions[position] !== position) : all;
    return wanted.map((place) => ({ call: 'demand' as const, ...place }));
  });
}

function checkTasks(batch: BatchData, { place, isNode }: Watch): Challenge[] {
  const found: Challenge[] = [];
  for (let position = 0; position < batch.header.tasks; position += 1) {
    const task = placed(batch.precommit, position);
    const shown = placed(batch.reveal, position);
    const outcome = placed(batch.outcome, position);
    const part = partOf(batch.header.sessions, position)?.part;
    if (part === undefined) continue;
    const areNodes =
      task.leaf.miners.every((miner) => isNode(miner, 'miner')) &&
      task.leaf.validators.every((validator) => isNode(validator, 'validator'));
    if (!isGivenOut(task.leaf, part) || !areNodes) found.push({ call: 'proveBadAssignment', task });
    if (!isRevealed(place, task.leaf, shown.leaf)) found.push({ call: 'proveWrongReveal', task, shown });
    if (!follows(part, task.leaf, shown.leaf, outcome.leaf)) {
      found.push({ call: 'proveWrongOutcome', task, shown, outcome });
    }
  }
  return found;
}

/** The sums of each session: they begin with its first task, go on, and end with what was drawn and given back. */
function checkSums(batch: BatchData): Challenge[] {
  const found: Challenge[] = [];
  for (let position = 0; position < batch.header.tasks; position += 1) {
    const place = partOf(batch.header.sessions, position);
    if (place === undefined) continue;
    const { part, first, last } = place;
    const outcome = placed(batch.outcome, position);
    const refundWei = BigInt(part.reservedWei) - BigInt(part.drawnWei);
    const isWrongAtStart = position === first && !isSum(outcome.leaf, 0n, 0n);
    const isWrongAtEnd =
      position === last &&
      (outcome.leaf.sessionPriceWei !== part.drawnWei || BigInt(outcome.leaf.sessionRefundWei) !== refundWei);
    if (isWrongAtStart || isWrongAtEnd) found.push({ call: 'proveWrongDraw', outcome });
    if (position === first) continue;
    const left = placed(batch.outcome, position - 1);
    if (!isSum(outcome.leaf, BigInt(left.leaf.sessionPriceWei), BigInt(left.leaf.sessionRefundWei))) {
      found.push({ call: 'proveWrongSum', left, right: outcome });
    }
  }
  return found;
}

function isSum(outcome: OutcomeLeaf, priceWei: bigint, refundWei: bigint): boolean {
  return (
    BigInt(outcome.sessionPriceWei) === priceWei + BigInt(outcome.priceWei) &&
    BigInt(outcome.sessionRefundWei) === refundWei + BigInt(outcome.refundWei)
  );
}

/** Tasks that are paid for twice, here or by an earlier batch of the line. */
function checkTwice(batch: BatchData, { earlier }: Watch): Challenge[] {
  const found: Challenge[] = [];
  const seen = new Map<string, { readonly data: BatchData; readonly position: number }>();
  for (const data of [...earlier, batch]) {
    for (let position = 0; position < data.header.tasks; position += 1) {
      const outcome = placed(data.outcome, position);
      if (outcome.leaf.priceWei === '0') continue;
      const key = `${outcome.leaf.task}:${outcome.leaf.step}`;
      const other = seen.get(key);
      if (other === undefined) seen.set(key, { data, position });
      else if (data === batch && other.data === batch) {
        found.push({ call: 'proveDoublePayment', one: placed(batch.outcome, other.position), other: outcome });
      } else if (data === batch) {
        const before = placed(other.data.outcome, other.position);
        found.push({ call: 'provePaidBefore', outcome, before, earlierId: other.data.id, earlier: other.data.header });
      }
    }
  }
  return found;
}

import { type AnchoredOrder, markAt, markOf, OrderDigest } from '../core/anchored-order.ts';
import { limits } from '../core/limits.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import type { FaultList, FaultPlace } from './fault.ts';
import { hashForm, isText } from '../core/json-form.ts';
import type { ChainAnchor } from './source.ts';

/** An order of an anchor while its commits come by. */
interface Claim {
  readonly epoch: number;
  readonly order: AnchoredOrder;
  readonly digest: OrderDigest;
  /** The position it waits for. */
  next: number;
  /** A commit in it is known to be wrong, so that the digest tells nothing more. */
  isSpoilt: boolean;
}

/** A commit at a position where the anchors have another one. */
interface Stray {
  readonly position: number;
  readonly place: FaultPlace;
  readonly mark: string;
  /** Something else was found wrong with it. */
  readonly isReported: boolean;
  /** How many faults were listed before it. */
  readonly faultsBefore: number;
}

/**
 * Checks which commit stands at which position against the orders that the anchors bind. Several routers may anchor at
 * once, so orders may overlap; then they say the same, for all routers write to one log.
 */
export class OrderChecker {
  /** The mark of the commit at each position from 1 on, as far as anchors say it without a gap. */
  readonly #marks: string[] = [];
  /** In order of their first positions. */
  readonly #claims: readonly Claim[];
  readonly #faults: FaultList;
  /** The first ones. */
  readonly #strays: Stray[] = [];
  /** Where the strays begin that go on, one after the other, to `lastStray`. */
  #runFrom = 0;
  #lastStray = 0;
  /** The sum of all marks that strays have, less what they should have: 0 where they only changed places. */
  #balance = 0;
  #open: Claim[] = [];
  #opened = 0;

  constructor(anchors: readonly ChainAnchor[], faults: FaultList) {
    this.#faults = faults;
    const claims: Claim[] = [];
    let isWhole = true;
    for (const [index, { epoch, manifest }] of anchors.entries()) {
      if (manifest === null || epoch !== index + 1) isWhole = false;
      const order = manifest?.order ?? null;
      if (order !== null && this.#bind(epoch, order, isWhole))
        claims.push({ epoch, order, digest: new OrderDigest(), next: order.from, isSpoilt: false });
    }
    this.#claims = claims.toSorted((a, b) => a.order.from - b.order.from);
  }

  /** The last position up to which the anchors say, without a gap, which commit stands where. */
  get bound(): number {
    return this.#marks.length;
  }

  /** Takes a commit that was read; `isReported` says that something was found wrong with it already. */
  take({ position, commit: { stream, version, hash }, passed = [] }: StoredCommit, isReported: boolean): void {
    // What does not count has its place in the order, too: who counted it at another time binds the same.
    for (const [index, one] of passed.entries()) this.#takeOne(position - passed.length + index, one, {}, isReported);
    this.#takeOne(position, hash, { stream, version }, isReported);
  }

  #takeOne(position: number, hash: string, of: Pick<FaultPlace, 'stream' | 'version'>, isReported: boolean): void {
    this.#openUpTo(position);
    const expected = this.#marks[position - 1];
    if (expected === undefined) return;
    // Of what has not the form of a commit nothing is certain.
    const mark = isText(hash, hashForm) ? markOf(hash) : '';
    const isStray = mark !== expected;
    if (isStray) {
      this.#count(position, Number.parseInt(mark, 16) - Number.parseInt(expected, 16));
      if (this.#strays.length < limits.logFaultsMax) {
        const place = { ...of, position };
        this.#strays.push({ position, place, mark, isReported, faultsBefore: this.#faults.count });
      }
    }
    for (const claim of this.#open) this.#advance(claim, position, hash, isStray || isReported);
    this.#open = this.#open.filter(({ next, order }) => next <= order.to);
  }

  /** Reports what stands elsewhere than it was anchored; `last` is the position the log ends with. */
  finish(last: number): void {
    const isAlone = this.#faults.count === 0;
    const positions = new Map<string, number>();
    if (this.#strays.length > 0) for (const [index, mark] of this.#marks.entries()) positions.set(mark, index + 1);
    const moved = this.#movedFrom(Math.min(last, this.bound), positions);
    // From the last to the first, so that the places among the faults stay right.
    for (const stray of this.#strays.toReversed()) {
      if (moved === undefined || stray.position < moved.position) this.#report(stray, positions.get(stray.mark));
      else if (stray === moved) this.#reportMoved(stray, isAlone);
    }
    if (this.#faults.count > 0 || last >= this.bound) return;
    const message = `The log ends at position ${last}, but what is at position ${this.bound} was anchored.`;
    this.#faults.add('tail_cut', message, { position: last + 1 });
  }

  /** The first commit from which on all stand elsewhere, up to the end: a commit before them was taken out or put in. */
  #movedFrom(end: number, positions: ReadonlyMap<string, number>): Stray | undefined {
    if (this.#lastStray < end || this.#balance === 0) return undefined;
    const run = this.#strays.filter(({ position }) => position >= this.#runFrom);
    return run.some(({ mark }) => positions.has(mark)) ? run[0] : undefined;
  }

  #count(position: number, difference: number): void {
    if (position !== this.#lastStray + 1) this.#runFrom = position;
    this.#lastStray = Math.max(this.#lastStray, position);
    this.#balance += difference;
  }

  /** @returns whether the order begins where the earlier ones reach to, and can be relied on. */
  #bind(epoch: number, order: AnchoredOrder, isWhole: boolean): boolean {
    if (order.from > this.bound + 1) {
      const message = `Epoch ${epoch} says the order from position ${order.from} on, and no anchor that from ${this.bound + 1} on.`;
      // After an anchor or a manifest that is missing this is no wonder.
      if (isWhole) this.#faults.add('anchor_broken_chain', message);
      return false;
    }
    for (let position = order.from; position <= order.to; position += 1) {
      const mark = markAt(order, position);
      const known = this.#marks[position - 1];
      if (known === undefined) this.#marks.push(mark);
      else if (known !== mark) {
        const message = `Epoch ${epoch} has another commit at position ${position} than an earlier one.`;
        this.#faults.add('anchor_mismatch', message, { position });
        return false;
      }
    }
    return true;
  }

  #openUpTo(position: number): void {
    for (;;) {
      const claim = this.#claims[this.#opened];
      if (claim === undefined || claim.order.from > position) return;
      this.#open.push(claim);
      this.#opened += 1;
    }
  }

  #advance(claim: Claim, position: number, hash: string, isWrong: boolean): void {
    const { epoch, order, digest } = claim;
    if (isWrong || position !== claim.next) claim.isSpoilt = true;
    claim.next = Math.max(claim.next, position + 1);
    if (claim.isSpoilt) return;
    digest.add(hash);
    if (position < order.to || digest.end() === order.digest) return;
    const message = `The commits at positions ${order.from} to ${order.to} are not those that were anchored in epoch ${epoch}.`;
    this.#faults.add('anchor_mismatch', message, { position: order.from });
  }

  #report({ position, place, isReported, faultsBefore }: Stray, anchoredAt: number | undefined): void {
    if (isReported) return;
    const name = place.stream === undefined ? 'What does not count' : `${place.stream}@${place.version}`;
    if (anchoredAt === undefined) {
      const message = `${name} is not the commit that was anchored at position ${position}.`;
      this.#faults.insert(faultsBefore, 'anchor_mismatch', message, place);
    } else {
      const message = `${name} is at position ${position}, and was at position ${anchoredAt} when it was anchored.`;
      this.#faults.insert(faultsBefore, 'wrong_position', message, place);
    }
  }

  #reportMoved({ position, place, faultsBefore }: Stray, isAlone: boolean): void {
    const message = `From position ${position} on the commits are not those that were anchored at these positions.`;
    // Where a commit is missing, that one is named where it is missed.
    if (isAlone) this.#faults.insert(faultsBefore, 'wrong_position', message, place);
    else this.#faults.add('wrong_position', message, { position });
  }
}

import type { Hex } from '../hash.ts';
import type { Address } from '../ids.ts';
import type { Wei } from '../wei.ts';
import type { LeafKind } from './leaves.ts';
import type { BatchHeader } from './rules.ts';

/** Why a batch is void, in the order of the contract's `Fault`. */
export const batchFaults = [
  'Late',
  'Orphan',
  'BadAssignment',
  'WrongReveal',
  'WrongOutcome',
  'WrongSum',
  'WrongPayment',
  'MissingPayment',
  'WrongOrder',
  'WrongEarnings',
  'DoublePayment',
  'Withheld',
] as const;
export type BatchFault = (typeof batchFaults)[number];

/** What the chain says about batches. `batch` is the contract's own number of one. */
export type BatchFact =
  | {
      readonly type: 'BatchPrecommitted';
      readonly batch: number;
      readonly poster: Address;
      readonly manifestDigest: Hex;
      readonly header: BatchHeader;
    }
  | { readonly type: 'BatchRevealed'; readonly batch: number; readonly manifestDigest: Hex; readonly root: Hex }
  | {
      readonly type: 'BatchPosted';
      readonly batch: number;
      readonly manifestDigest: Hex;
      readonly outcomeRoot: Hex;
      readonly paymentRoot: Hex;
      readonly payments: number;
      /** Its place in its poster's line. */
      readonly linePlace: number;
      readonly drawnWei: readonly Wei[];
    }
  | {
      readonly type: 'LeafDemanded';
      readonly batch: number;
      readonly kind: LeafKind;
      readonly position: number;
      /** Who has put down a deposit for whoever shows it. */
      readonly asker: Address;
      /** Milliseconds since 1970. */
      readonly answerBy: number;
    }
  | { readonly type: 'BatchFinal'; readonly batch: number; readonly drawnWei: Wei }
  | { readonly type: 'BatchVoid'; readonly batch: number; readonly fault: BatchFault; readonly challenger: Address };

/** How long outcomes can be challenged at least, in seconds; the contract's `WINDOW_S`. */
export const batchWindowS = 3_600;
/** How long the next roots of a batch may take, in seconds; the contract's `STEP_S`. */
export const batchStepS = 3_600;
/** How long a demanded leaf may take to be shown, in seconds; the contract's `ANSWER_S`. */
export const batchAnswerS = 600;
/** How long leaves may be demanded after the outcomes, in seconds; the contract's `DEMANDS_S`. */
const batchDemandsS = 21_600;

/**
 * A batch's header after another of its posts: only its hash is on chain, and each post changes of it what its event says.
 *
 * @param place the block of the event, and its time in milliseconds since 1970.
 */
export function headerAfter(
  header: BatchHeader,
  fact: Extract<BatchFact, { type: 'BatchRevealed' | 'BatchPosted' }>,
  place: { readonly block: number; readonly blockAt: number },
): BatchHeader {
  const postedBlock = place.block;
  if (fact.type === 'BatchRevealed') return { ...header, postedBlock, revealRoot: fact.root };
  const { outcomeRoot, paymentRoot, payments, drawnWei } = fact;
  return {
    ...header,
    postedBlock,
    outcomeRoot,
    paymentRoot,
    payments,
    place: fact.linePlace,
    demandsUntil: Math.floor(place.blockAt / 1_000) + batchDemandsS,
    sessions: header.sessions.map((part, index) => ({ ...part, drawnWei: drawnWei[index] ?? part.drawnWei })),
  };
}

/** When the outcomes of a batch were posted, in milliseconds since 1970. */
export function postedAt({ demandsUntil }: BatchHeader): number {
  return (demandsUntil - batchDemandsS) * 1_000;
}

/** Until when a posted batch can be challenged at least, unless something is demanded; milliseconds since 1970. */
export function windowOverAt(header: BatchHeader): number {
  return postedAt(header) + batchWindowS * 1_000;
}

/** A batch as the chain's facts tell it. */
export interface BatchOnChain {
  readonly batch: number;
  readonly poster: Address;
  readonly state: 'precommitted' | 'revealed' | 'posted' | 'final' | 'void';
  /** The header that the next call about it brings along. */
  readonly header: BatchHeader;
  /** The digest of the content of its newest post. */
  readonly manifestDigest: Hex;
  readonly fault: BatchFault | null;
}

type Placed = BatchFact & { readonly place: { readonly block: number; readonly blockAt: number } };

/** The batches that facts tell of, by their numbers; facts come in the chain's order. */
export function batchesIn(facts: Iterable<{ readonly type: string }>): ReadonlyMap<number, BatchOnChain> {
  const batches = new Map<number, BatchOnChain>();
  for (const fact of facts) if (isBatchFact(fact)) note(batches, fact);
  return batches;
}

const batchFactTypes: ReadonlySet<string> = new Set([
  'BatchPrecommitted',
  'BatchRevealed',
  'BatchPosted',
  'LeafDemanded',
  'BatchFinal',
  'BatchVoid',
] satisfies BatchFact['type'][]);

/** Whether a fact is about a batch. */
export function isBatchFact<Fact extends { readonly type: string }>(fact: Fact): fact is Fact & Placed {
  return batchFactTypes.has(fact.type);
}

function note(batches: Map<number, BatchOnChain>, fact: Placed): void {
  const { batch } = fact;
  if (fact.type === 'BatchPrecommitted') {
    const { poster, header, manifestDigest } = fact;
    batches.set(batch, { batch, poster, header, manifestDigest, state: 'precommitted', fault: null });
    return;
  }
  const known = batches.get(batch);
  if (known === undefined || fact.type === 'LeafDemanded') return;
  switch (fact.type) {
    case 'BatchRevealed':
    case 'BatchPosted': {
      const { manifestDigest } = fact;
      const state = fact.type === 'BatchRevealed' ? 'revealed' : 'posted';
      batches.set(batch, { ...known, state, manifestDigest, header: headerAfter(known.header, fact, fact.place) });
      return;
    }
    case 'BatchFinal':
      batches.set(batch, { ...known, state: 'final' });
      return;
    case 'BatchVoid':
      batches.set(batch, { ...known, state: 'void', fault: fact.fault });
  }
}

import type { BatchFact } from '../../src/core/batch/fact.ts';
import { batchWindowS, headerAfter } from '../../src/core/batch/fact.ts';
import type { SessionShare } from '../../src/core/batch/build.ts';
import type { BatchHeader } from '../../src/core/batch/rules.ts';
import type { ChainPlace } from '../../src/core/chain-fact.ts';
import { accept, type Decision, reject, unchanged } from '../../src/core/decision.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid } from '../../src/core/ids.ts';
import type { Wei } from '../../src/core/wei.ts';
import { seenAt } from '../task/events.ts';
import type { RouterContext } from './context.ts';
import type {
  BatchBegun,
  BatchEnded,
  BatchOutcomesBound,
  BatchOutcomesSeen,
  BatchPrecommitsSeen,
  BatchRevealsBound,
  BatchRevealsSeen,
} from './batch-events.ts';
import type { RouterEvent } from './events.ts';

/** What an account had been paid by the line, and by which batch last. */
export type LineEntry = { readonly totalWei: Wei; readonly batch: number };
/** What the line has paid, by account. */
export type Line = { readonly [account: Address]: LineEntry };

/** How far a batch is: what is on its way to the chain, or what the chain has. */
export const batchSteps = ['begun', 'precommitted', 'showing', 'revealed', 'ending', 'posted', 'finalising'] as const;
export type BatchStep = (typeof batchSteps)[number];

/** A batch of this router that is not final. */
export type OpenBatch = {
  /** How many it had begun before. */
  readonly number: number;
  readonly step: BatchStep;
  readonly root: Hex;
  readonly shares: readonly SessionShare[];
  readonly leaves: Cid;
  readonly reveals: Cid | null;
  readonly outcomes: Cid | null;
  /** The contract's own number; 0 until it has one. */
  readonly batch: number;
  readonly header: BatchHeader | null;
  /** Until when it can be challenged at least, milliseconds since 1970. */
  readonly dueAt: number;
  /** What its payments have changed of the line, as it was before; null for accounts that were new. */
  readonly undo: { readonly [account: Address]: LineEntry | null };
  /** Whether it was built on a batch that is void. */
  readonly isOrphan: boolean;
};

/** All batches of a router. */
export type Batches = {
  /** How many the chain has seen begun. */
  readonly begun: number;
  readonly open: { readonly [number: string]: OpenBatch };
  readonly line: Line;
  /** Goes up whenever the line changes: who has computed payments from an older one computes them again. */
  readonly lineVersion: number;
};

/** The batches of a router before its first. */
export const noBatches: Batches = { begun: 0, open: {}, line: {}, lineVersion: 0 };

/** Tasks are gathered; their leaves are pinned. */
export type BeginBatch = Omit<BatchBegun, 'type' | 'number'> & { readonly type: 'BeginBatch' };
/** All that will be shown is there; it is pinned. */
export type BindReveals = Omit<BatchRevealsBound, 'type'> & { readonly type: 'BindReveals' };
/** All tasks have ended; outcomes and payments are pinned. */
export type BindOutcomes = Omit<BatchOutcomesBound, 'type'> & {
  readonly type: 'BindOutcomes';
  /** That of the line from which the payments go on. */
  readonly lineVersion: number;
};
/** A batch's window is over by the chain's time, or one before it is void. */
export type EndBatch = { readonly type: 'EndBatch'; readonly number: number };
/** The chain would not begin a batch. */
export type DropBatch = { readonly type: 'DropBatch'; readonly number: number; readonly reason: string };

/** Commands about batches. */
export type BatchCommand = BeginBatch | BindReveals | BindOutcomes | EndBatch | DropBatch;

/** What a command about batches leads to. */
export function decideBatch({ batches = noBatches }: RouterContext, command: BatchCommand): Decision<RouterEvent> {
  if (command.type === 'BeginBatch') {
    const { type: _, ...begun } = command;
    const other = Object.values(batches.open).find(({ step }) => step === 'begun');
    if (other !== undefined)
      return reject('batch_pending', `Batch ${other.number} is on its way to the chain.`, { class: 'busy' });
    return accept<RouterEvent>({ type: 'BatchBegun', number: batches.begun, ...begun });
  }
  const batch = batches.open[command.number];
  if (batch === undefined) return unchanged;
  switch (command.type) {
    case 'BindReveals': {
      const { type: _, ...bound } = command;
      return batch.step === 'precommitted' ? accept<RouterEvent>({ type: 'BatchRevealsBound', ...bound }) : unchanged;
    }
    case 'BindOutcomes': {
      const { type: _, lineVersion, ...bound } = command;
      if (batch.step !== 'revealed') return unchanged;
      // Totals go on from batch to batch, so that they are bound one after the other.
      const other = Object.values(batches.open).find(({ step }) => step === 'ending');
      if (other !== undefined)
        return reject('batch_pending', `Batch ${other.number} is on its way to the chain.`, { class: 'busy' });
      if (lineVersion !== batches.lineVersion)
        return reject('batch_line_moved', 'The totals have gone on since the payments were computed.', {
          class: 'conflict',
        });
      return accept<RouterEvent>({ type: 'BatchOutcomesBound', ...bound });
    }
    case 'EndBatch':
      return batch.step === 'posted' ? accept<RouterEvent>({ type: 'BatchEnding', number: batch.number }) : unchanged;
    case 'DropBatch':
      return batch.step === 'begun'
        ? accept<RouterEvent>({ type: 'BatchDropped', number: batch.number, reason: command.reason })
        : unchanged;
  }
}

/** What the chain says about this router's batches. */
export function seeBatch(context: RouterContext, fact: BatchFact, place: ChainPlace): Decision<RouterEvent> {
  const { batches = noBatches, router } = context;
  const seen = seenAt(place);
  const open = Object.values(batches.open);
  if (fact.type === 'BatchPrecommitted') {
    const begun = open.find(({ step, root }) => step === 'begun' && root === fact.header.precommitRoot);
    if (fact.poster !== router || begun === undefined) return unchanged;
    const { batch, header } = fact;
    return accept<RouterEvent>({ type: 'BatchPrecommitsSeen', number: begun.number, batch, header, seen });
  }
  const known = open.find(({ batch }) => batch === fact.batch);
  if (known?.header === null || known === undefined) return unchanged;
  const { number, step, header } = known;
  switch (fact.type) {
    // What is demanded is shown by the desk, from the batch's content.
    case 'LeafDemanded':
      return unchanged;
    case 'BatchRevealed':
      if (step !== 'showing' && step !== 'precommitted') return unchanged;
      return accept<RouterEvent>({ type: 'BatchRevealsSeen', number, header: headerAfter(header, fact, place), seen });
    case 'BatchPosted': {
      if (step !== 'ending' && step !== 'revealed') return unchanged;
      const dueAt = place.blockAt + batchWindowS * 1_000;
      const after = headerAfter(header, fact, place);
      return accept<RouterEvent>({ type: 'BatchOutcomesSeen', number, header: after, dueAt, seen });
    }
    case 'BatchFinal':
      return accept<RouterEvent>({ type: 'BatchEnded', number, fault: null, seen });
    case 'BatchVoid':
      return accept<RouterEvent>({ type: 'BatchEnded', number, fault: fact.fault, seen });
  }
}

type Change<Event> = (batches: Batches, event: Event) => Batches;

function changed(batches: Batches, number: number, change: Partial<OpenBatch>): Batches {
  const batch = batches.open[number];
  return batch === undefined ? batches : { ...batches, open: { ...batches.open, [number]: { ...batch, ...change } } };
}

/** A batch has begun. */
export const afterBegun: Change<BatchBegun> = (batches, { number, root, shares, leaves }) => {
  const rest = { reveals: null, outcomes: null, batch: 0, header: null, dueAt: 0, undo: {}, isOrphan: false } as const;
  const batch: OpenBatch = { number, step: 'begun', root, shares, leaves, ...rest };
  return { ...batches, open: { ...batches.open, [number]: batch } };
};

/** The chain has the precommits of a batch. */
export const afterPrecommits: Change<BatchPrecommitsSeen> = (batches, { number, batch, header }) => ({
  ...changed(batches, number, { step: 'precommitted', batch, header }),
  begun: number + 1,
});

/** The reveals of a batch are on their way. */
export const afterRevealsBound: Change<BatchRevealsBound> = (batches, { number, reveals }) =>
  changed(batches, number, { step: 'showing', reveals });

/** The chain has the reveals of a batch. */
export const afterReveals: Change<BatchRevealsSeen> = (batches, { number, header }) =>
  changed(batches, number, { step: 'revealed', header });

/** The outcomes of a batch are on their way, and the line goes on from its payments. */
export const afterOutcomesBound: Change<BatchOutcomesBound> = (batches, { number, outcomes, paid }) => {
  const accounts = Object.keys(paid) as Address[];
  const undo = Object.fromEntries(accounts.map((account) => [account, batches.line[account] ?? null]));
  const line = { ...batches.line, ...paid };
  const lineVersion = batches.lineVersion + 1;
  return { ...changed(batches, number, { step: 'ending', outcomes, undo }), line, lineVersion };
};

/** The chain has the outcomes of a batch. */
export const afterOutcomes: Change<BatchOutcomesSeen> = (batches, { number, header, dueAt }) =>
  changed(batches, number, { step: 'posted', header, dueAt });

/** Someone is asked to end a batch. */
export const afterEnding: Change<{ readonly number: number }> = (batches, { number }) =>
  changed(batches, number, { step: 'finalising' });

/** A batch is over. A void one takes its payments, and those of all behind it in the line, out of the totals. */
export const afterEnded: Change<BatchEnded> = (batches, { number, fault: why }) => {
  const ended = batches.open[number];
  const { [number]: _, ...open } = batches.open;
  if (ended === undefined || why === null) return { ...batches, open };
  return ended.isOrphan ? { ...batches, open } : rolledBack({ ...batches, open }, ended);
};

/** Where the chain would not begin a batch, its tasks are free again. */
export const afterDropped: Change<{ readonly number: number }> = (batches, { number }) => {
  const { [number]: _, ...open } = batches.open;
  return { ...batches, open };
};

/** Whether a batch stands in the line on chain, on which the next ones build. */
function isInLine({ step, isOrphan }: OpenBatch): boolean {
  return !isOrphan && (step === 'posted' || step === 'finalising');
}

/**
 * Takes a void batch out of the line, and all that stand behind it. One that never stood there, as its roots were late,
 * takes nobody along; one whose outcomes are on their way to the chain comes into the line that is left.
 */
function rolledBack(batches: Batches, ended: OpenBatch): Batches {
  const open = Object.values(batches.open);
  const stood = isInLine(ended);
  const coming = stood ? open.find(({ step }) => step === 'ending') : undefined;
  const behind = open
    .filter((batch) => stood && isInLine(batch) && placeOf(batch) > placeOf(ended))
    .toSorted((a, b) => placeOf(b) - placeOf(a));
  const line: Record<Address, LineEntry> = { ...batches.line };
  const built = coming === undefined ? [...behind, ended] : [coming, ...behind, ended];
  for (const { undo } of built) {
    for (const [account, before] of Object.entries(undo) as [Address, LineEntry | null][]) {
      if (before === null) delete line[account];
      else line[account] = before;
    }
  }
  const orphans = Object.fromEntries(behind.map((batch) => [batch.number, { ...batch, isOrphan: true }]));
  const left = { ...batches, open: { ...batches.open, ...orphans }, line, lineVersion: batches.lineVersion + 1 };
  return coming === undefined ? left : paidAgain(left, coming, batches.line);
}

/** The line with the payments of a batch, which were its last, after those that it was built on were taken out. */
function paidAgain(batches: Batches, coming: OpenBatch, before: Line): Batches {
  const accounts = Object.keys(coming.undo) as Address[];
  const undo = Object.fromEntries(accounts.map((account) => [account, batches.line[account] ?? null]));
  const paid = Object.fromEntries(accounts.map((account) => [account, before[account]])) as Line;
  return { ...changed(batches, coming.number, { undo }), line: { ...batches.line, ...paid } };
}

function placeOf({ header }: OpenBatch): number {
  return header?.place ?? 0;
}

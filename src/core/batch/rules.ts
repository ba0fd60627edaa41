import type { Address } from '../ids.ts';
import type { Hex } from '../hash.ts';
import { limits } from '../limits.ts';
import { numberedPrecommitHash } from '../precommit.ts';
import { priceWei } from '../price-split.ts';
import type { Wei } from '../wei.ts';
import { type OutcomeLeaf, type PrecommitLeaf, type RevealLeaf, zeroHash } from './leaves.ts';

/** One session's part of a batch, with what of its terms holds for all its tasks; the contract's `SessionPart`. */
export type SessionPart = {
  readonly session: number;
  readonly tasks: number;
  readonly minMiners: number;
  readonly redundancy: number;
  readonly validators: number;
  readonly level: number;
  readonly maxTaskPriceWei: Wei;
  readonly promptTokenWei: Wei;
  readonly outputTokenWei: Wei;
  readonly reservedWei: Wei;
  /** What its tasks cost, once outcomes are posted. */
  readonly drawnWei: Wei;
};

/** How prices of a batch are divided; the contract's `BatchRates`. */
export type BatchRates = {
  readonly treasury: Address;
  readonly minersBps: number;
  readonly validatorsBps: number;
  readonly routerBps: number;
};

/** All about a batch that its leaves are checked against; the contract's `BatchHeader`. */
export type BatchHeader = {
  readonly poster: Address;
  readonly tasks: number;
  readonly payments: number;
  readonly place: number;
  readonly postedBlock: number;
  /** Seconds since 1970. */
  readonly demandsUntil: number;
  readonly bondWei: Wei;
  readonly precommitRoot: Hex;
  readonly revealRoot: Hex;
  readonly outcomeRoot: Hex;
  readonly paymentRoot: Hex;
  readonly rates: BatchRates;
  readonly sessions: readonly SessionPart[];
};

/** Where a batch's precommits were bound. */
export interface BatchPlace {
  readonly chainId: number;
  /** The contract `Batches`. */
  readonly contract: Address;
}

/** The session that a position belongs to, with the positions of its first and last task. */
export function partOf(
  sessions: readonly SessionPart[],
  position: number,
): { readonly part: SessionPart; readonly first: number; readonly last: number } | undefined {
  let first = 0;
  for (const part of sessions) {
    if (position < first + part.tasks) return { part, first, last: first + part.tasks - 1 };
    first += part.tasks;
  }
  return undefined;
}

/** How many members a set has. */
export function sizeOf(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** Whether a set has a member. */
export function isIn(set: number, member: number): boolean {
  return (set >>> member) % 2 === 1;
}

/** The slots that were shown. */
export function revealedIn(shown: RevealLeaf): number {
  return shown.resultRoots
    .slice(0, limits.redundancyMax)
    .reduce((set, root, slot) => (root === zeroHash ? set : set | (1 << slot)), 0);
}

/** The precommit of a slot that was shown. */
export function slotPrecommit(place: BatchPlace, task: PrecommitLeaf, shown: RevealLeaf, slot: number): Hex {
  return numberedPrecommitHash({
    chainId: place.chainId,
    queueContract: place.contract,
    session: task.session,
    task: task.task,
    step: task.step,
    attempt: task.attempts[slot] ?? 0,
    miner: task.miners[slot] ?? (zeroHash as Address),
    resultRoot: shown.resultRoots[slot] ?? zeroHash,
    salt: shown.salts[slot] ?? zeroHash,
  });
}

/** Whether a task was given out as its session's terms want. Who is a node is not asked. */
export function isGivenOut(task: PrecommitLeaf, part: SessionPart): boolean {
  const miners = task.miners.length;
  const validators = task.validators.length;
  const price = BigInt(task.maxPriceWei);
  return (
    task.session === part.session &&
    price !== 0n &&
    price <= BigInt(part.maxTaskPriceWei) &&
    miners >= part.minMiners &&
    miners <= part.redundancy &&
    task.attempts.length === miners &&
    task.precommits.length === miners &&
    validators <= part.validators &&
    (validators !== 0 || part.level === 0) &&
    new Set(task.miners).size === miners &&
    new Set(task.validators).size === validators
  );
}

/** Whether what was shown is what was precommitted. */
export function isRevealed(place: BatchPlace, task: PrecommitLeaf, shown: RevealLeaf): boolean {
  const slots = task.precommits.length;
  if (shown.task !== task.task || shown.resultRoots.length !== slots || shown.salts.length !== slots) return false;
  if (task.miners.length !== slots || task.attempts.length !== slots) return true;
  return shown.resultRoots.every(
    (root, slot) => root === zeroHash || slotPrecommit(place, task, shown, slot) === task.precommits[slot],
  );
}

/** Whether an outcome follows from what was given out and shown, and its price from the session's prices. */
export function follows(part: SessionPart, task: PrecommitLeaf, shown: RevealLeaf, outcome: OutcomeLeaf): boolean {
  if (outcome.task !== task.task || outcome.step !== task.step) return false;
  if (BigInt(outcome.priceWei) + BigInt(outcome.refundWei) !== BigInt(task.maxPriceWei)) return false;
  const revealed = revealedIn(shown);
  if (part.level === 0) {
    if (outcome.honest !== revealed) return false;
    if (revealed === 0) return isFailed(outcome);
    const isFirst = 2 ** outcome.winner === (revealed & -revealed);
    return isFirst && outcome.voters === 0 && hasNoTokens(outcome) && outcome.priceWei === task.maxPriceWei;
  }
  if (outcome.honest === 0) return isFailed(outcome);
  return (
    (outcome.honest & ~revealed) === 0 &&
    outcome.winner < limits.redundancyMax &&
    isIn(outcome.honest, outcome.winner) &&
    isQuorum(task, outcome) &&
    outcome.priceWei === priceOf(part, outcome, task.maxPriceWei)
  );
}

/** What delivered work costs, at most what was agreed to. */
export function priceOf(
  part: Pick<SessionPart, 'promptTokenWei' | 'outputTokenWei'>,
  tokens: Pick<OutcomeLeaf, 'promptTokens' | 'outputTokens'>,
  maxPriceWei: Wei,
): Wei {
  const { promptTokens, outputTokens } = tokens;
  const { promptTokenWei, outputTokenWei } = part;
  return priceWei({ promptTokens, outputTokens, promptTokenWei, outputTokenWei, escrowWei: maxPriceWei });
}

/** Whether more than half of a task's validators are said to have signed. */
export function isQuorum(task: PrecommitLeaf, outcome: OutcomeLeaf): boolean {
  const validators = task.validators.length;
  return outcome.voters < 2 ** validators && 2 * sizeOf(outcome.voters) > validators;
}

function isFailed(outcome: OutcomeLeaf): boolean {
  return outcome.winner === 0 && outcome.voters === 0 && hasNoTokens(outcome) && outcome.priceWei === '0';
}

function hasNoTokens({ promptTokens, outputTokens }: OutcomeLeaf): boolean {
  return promptTokens === 0 && outputTokens === 0;
}

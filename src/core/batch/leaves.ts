import { type Hex, word } from '../hash.ts';
import type { Address, TaskId } from '../ids.ts';
import { merkleLeaf } from '../merkle.ts';
import type { Wei } from '../wei.ts';

/** What a payment of a batch is for; the order is that of the contract's `Share`. */
export const batchShares = ['miner', 'validator', 'router', 'oracle', 'treasury'] as const;
export type BatchShare = (typeof batchShares)[number];

/** The trees of a batch; the order is that of the contract's `LeafKind`. */
export const leafKinds = ['precommit', 'reveal', 'outcome', 'payment'] as const;
export type LeafKind = (typeof leafKinds)[number];

/** A task as it was given out, and what its miners bound themselves to. */
export interface PrecommitLeaf {
  readonly position: number;
  /** The contract's own number of the session. */
  readonly session: number;
  readonly task: TaskId;
  readonly step: number;
  readonly maxPriceWei: Wei;
  readonly miners: readonly Address[];
  readonly attempts: readonly number[];
  readonly precommits: readonly Hex[];
  readonly validators: readonly Address[];
}

/** What the miners showed, by slot; {@link zeroHash} where one did not. */
export interface RevealLeaf {
  readonly position: number;
  readonly task: TaskId;
  readonly resultRoots: readonly Hex[];
  readonly salts: readonly Hex[];
}

/** How a task ended and what that costs. Sets are one bit for each miner or validator of the task. */
export interface OutcomeLeaf {
  readonly position: number;
  readonly task: TaskId;
  readonly step: number;
  readonly winner: number;
  readonly honest: number;
  readonly voters: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly priceWei: Wei;
  readonly refundWei: Wei;
  /** The prices of the session's tasks up to this one. */
  readonly sessionPriceWei: Wei;
  /** The refunds of the session's tasks up to this one. */
  readonly sessionRefundWei: Wei;
}

/** One payment. All of a batch are in the order of account, position and share. */
export interface PaymentLeaf {
  readonly index: number;
  readonly account: Address;
  readonly position: number;
  readonly share: BatchShare;
  readonly amountWei: Wei;
  /** All that the account has earned by its poster's batches up to this payment. */
  readonly accountTotalWei: Wei;
  /** The payments of the batch up to this one. */
  readonly batchTotalWei: Wei;
  /** The last earlier batch of the poster that paid the account; 0 where there is none. */
  readonly sinceBatch: number;
}

/** 32 bytes of nothing. */
export const zeroHash: Hex = `0x${'00'.repeat(32)}`;

/** Solidity types of the leaves, in the order of their values: what `StandardMerkleTree` is given. */
export const leafTypes: Readonly<Record<LeafKind, readonly string[]>> = {
  precommit: ['uint16', 'uint64', 'bytes32', 'uint32', 'uint128', 'address[]', 'uint8[]', 'bytes32[]', 'address[]'],
  reveal: ['uint16', 'bytes32', 'bytes32[]', 'bytes32[]'],
  outcome: [
    'uint16',
    'bytes32',
    'uint32',
    'uint8',
    'uint16',
    'uint16',
    'uint32',
    'uint32',
    'uint128',
    'uint128',
    'uint128',
    'uint128',
  ],
  payment: ['uint32', 'address', 'uint16', 'uint8', 'uint128', 'uint128', 'uint128', 'uint64'],
};

/** One value of a leaf: a number, a word, or a list of them. */
export type LeafValue = number | string | readonly (number | string)[];

/** The values of a leaf in the order of {@link leafTypes}. */
export function precommitValues(leaf: PrecommitLeaf): LeafValue[] {
  const { position, session, task, step, maxPriceWei, miners, attempts, precommits, validators } = leaf;
  return [position, session, task, step, maxPriceWei, miners, attempts, precommits, validators];
}

/** The values of a leaf in the order of {@link leafTypes}. */
export function revealValues({ position, task, resultRoots, salts }: RevealLeaf): LeafValue[] {
  return [position, task, resultRoots, salts];
}

/** The values of a leaf in the order of {@link leafTypes}. */
export function outcomeValues(leaf: OutcomeLeaf): LeafValue[] {
  const { position, task, step, winner, honest, voters, promptTokens, outputTokens } = leaf;
  const sums = [leaf.priceWei, leaf.refundWei, leaf.sessionPriceWei, leaf.sessionRefundWei];
  return [position, task, step, winner, honest, voters, promptTokens, outputTokens, ...sums];
}

/** The values of a leaf in the order of {@link leafTypes}. */
export function paymentValues(leaf: PaymentLeaf): LeafValue[] {
  const { index, account, position, share, amountWei, accountTotalWei, batchTotalWei, sinceBatch } = leaf;
  return [index, account, position, batchShares.indexOf(share), amountWei, accountTotalWei, batchTotalWei, sinceBatch];
}

/** The hash of a leaf: keccak-256 twice over its ABI encoding, as `StandardMerkleTree` does. */
export function leafHash(values: readonly LeafValue[]): Hex {
  return merkleLeaf(abiEncode(values));
}

/** `abi.encode` of words and lists of words. */
export function abiEncode(values: readonly LeafValue[]): Uint8Array {
  const heads: Uint8Array[] = [];
  const tails: Uint8Array[] = [];
  let offset = values.length * 32;
  for (const value of values) {
    if (!Array.isArray(value)) {
      heads.push(wordOf(value as number | string));
      continue;
    }
    const tail = [word(value.length), ...(value as readonly (number | string)[]).map(wordOf)];
    heads.push(word(offset));
    tails.push(...tail);
    offset += tail.length * 32;
  }
  return new Uint8Array(Buffer.concat([...heads, ...tails]));
}

/** A number, a decimal text or hex digits as one word. */
function wordOf(value: number | string): Uint8Array {
  return word(typeof value === 'string' && value.startsWith('0x') ? (value as Hex) : BigInt(value));
}

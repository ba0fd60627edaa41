import { type Abi, decodeErrorResult } from 'viem';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';

/** What a contract said when it reverted. */
export interface Revert {
  /** The name of the contract's error; `Error` and `Panic` are Solidity's own, `unknown` where nothing was said. */
  readonly reason: string;
  /** The error's arguments by name, JSON-able: integers as decimal strings. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** Decodes revert data by the errors of an ABI. */
export function decodeRevert(errors: Abi, data: Hex | undefined): Revert {
  if (data === undefined || data === '0x') return { reason: 'unknown', args: {} };
  try {
    const { errorName, args, abiItem } = decodeErrorResult({ abi: errors, data });
    const inputs = 'inputs' in abiItem ? (abiItem.inputs ?? []) : [];
    const named = (args ?? []).map((value, index) => [inputs[index]?.name ?? String(index), jsonable(value)] as const);
    return { reason: errorName, args: Object.fromEntries(named) };
  } catch {
    return { reason: 'unknown', args: { data } };
  }
}

function jsonable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(jsonable);
  return value;
}

/** The `chain_reverted` error of a call; `call` names it for people. */
export function revertError(call: string, revert: Revert, cause?: unknown): PouwError {
  const args = Object.entries(revert.args)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(', ');
  return new PouwError('chain_reverted', `The contract refused ${call}: ${revert.reason}(${args}).`, {
    class: 'conflict',
    why: `The contract reverted with ${revert.reason}.`,
    hint: 'See docs/contracts.md for the rule behind this error; nothing has changed on chain.',
    details: { call, reason: revert.reason, args: revert.args },
    cause,
  });
}

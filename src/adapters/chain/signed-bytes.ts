import { formatTransaction, keccak256 as hashOfRaw, type RpcTransaction, serializeTransaction } from 'viem';
import type { Hex } from '../../core/hash.ts';

/**
 * The bytes of a mined transaction as they were signed, put together from its fields: a question to the node less.
 *
 * @returns undefined where they do not have the transaction's hash, as for kinds that are not known here.
 */
export function signedBytes(mined: RpcTransaction): Hex | undefined {
  try {
    const { input: data, to, r, s, v, yParity, ...fields } = formatTransaction(mined);
    const target = to === null ? {} : { to };
    const parity = yParity === undefined ? {} : { yParity };
    const raw = serializeTransaction({ ...fields, ...target, data } as Signable, { r, s, v, ...parity });
    return hashOfRaw(raw) === mined.hash ? raw : undefined;
  } catch {
    return undefined;
  }
}

type Signable = Parameters<typeof serializeTransaction>[0];

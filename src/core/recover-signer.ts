import { secp256k1 } from '@noble/curves/secp256k1.js';
import { type Hex, hexToBytes, keccak256 } from './hash.ts';
import { type Address, toAddress } from './ids.ts';

/** A signature as ERC-2098 has it: `vs` holds `s` and, in its first bit, the parity of the point. */
export interface CompactSignature {
  readonly r: Hex;
  readonly vs: Hex;
}

/**
 * The account that signed a digest, as the contracts find it: undefined for what is no signature, and for the other form
 * of one, with a high `s`.
 */
export function recoverSigner(digest: Hex, { r, vs }: CompactSignature): Address | undefined {
  try {
    const rs = hexToBytes(`0x${r.slice(2)}${vs.slice(2)}`);
    const parity = (rs[32] as number) >> 7;
    rs[32] = (rs[32] as number) & 0x7f;
    const signature = secp256k1.Signature.fromBytes(rs, 'compact').addRecoveryBit(parity);
    if (signature.hasHighS()) return undefined;
    const key = signature.recoverPublicKey(hexToBytes(digest)).toBytes(false);
    return toAddress(`0x${keccak256(key.subarray(1)).slice(-40)}`);
  } catch {
    // Not every 64 bytes are a signature.
    return undefined;
  }
}

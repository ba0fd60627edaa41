import { bytesToHex, type Hex, hexToBytes } from './hash.ts';
import type { CompactSignature } from './recover-signer.ts';

/** A compact signature in the 65 bytes that contracts with lists of signatures take: `r`, `s`, and 27 or 28. */
export function signatureBytes({ r, vs }: CompactSignature): Hex {
  const s = hexToBytes(vs);
  const parity = (s[0] as number) >> 7;
  s[0] = (s[0] as number) & 0x7f;
  return `0x${r.slice(2)}${bytesToHex(s).slice(2)}${(27 + parity).toString(16)}`;
}

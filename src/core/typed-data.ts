import { type Hex, hexToBytes, keccak256, keccakWords } from './hash.ts';
import type { Address } from './ids.ts';

/** What an EIP-712 signature is bound to beside its message. */
export interface TypedDataDomain {
  readonly name: string;
  readonly version: string;
  readonly chainId: number;
  readonly contract: Address;
}

const domainType = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

/** The EIP-712 digest of a message of static members: what its signer signs. */
export function typedDataDigest(
  { name, version, chainId, contract }: TypedDataDomain,
  type: string,
  members: readonly (bigint | number | Hex)[],
): Hex {
  const domain = keccakWords([keccak256(domainType), keccak256(name), keccak256(version), chainId, contract]);
  const message = keccakWords([keccak256(type), ...members]);
  return keccak256(hexToBytes(`0x1901${domain.slice(2)}${message.slice(2)}`));
}

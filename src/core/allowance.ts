import { type Hex, hexToBytes, keccak256, keccakWords } from './hash.ts';
import { type Address, type SessionId, sessionNumber } from './ids.ts';
import type { Wei } from './wei.ts';

/** What the owner of a session lets one router escrow of it. */
export interface Allowance {
  readonly owner: Address;
  readonly session: SessionId;
  readonly router: Address;
  /** Of all tasks together; the contract has 96 bits for it. */
  readonly limitWei: Wei;
  /** Of one task. */
  readonly taskLimitWei: Wei;
  /** Milliseconds since 1970; the chain counts whole seconds. */
  readonly goodUntil: number;
  /** A number of 256 bits that the owner has not used, in decimal digits. */
  readonly nonce: string;
}

/** An allowance and its owner's signature: 65 bytes of an account, whatever a contract takes where the owner is one. */
export interface SignedAllowance {
  readonly allowance: Allowance;
  readonly signature: Hex;
}

/** What a router may still escrow of a session, as the chain has it. */
export type RouterGrant = {
  /** Who has allowed it: worth nothing once the session is another's. */
  readonly owner: Address;
  readonly leftWei: Wei;
  readonly taskLimitWei: Wei;
  /** Milliseconds since 1970. */
  readonly goodUntil: number;
  /** The time of the chain's newest block, in milliseconds since 1970. */
  readonly chainAt: number;
};

/** The most that an allowance can be of: 96 bits. */
export const allowanceWeiMax = 2n ** 96n - 1n;

const allowanceType =
  'Allowance(address owner,uint64 sessionId,address router,uint96 limitWei,uint96 taskLimitWei,uint40 goodUntil,uint256 nonce)';
const domainType = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

/** What the owner signs: the digest of an EIP-712 message for one chain and one `Allowances` contract. */
export function allowanceDigest(
  { chainId, allowances }: { readonly chainId: number; readonly allowances: Address },
  { owner, session, router, limitWei, taskLimitWei, goodUntil, nonce }: Allowance,
): Hex {
  const domain = keccakWords([
    keccak256(domainType),
    keccak256('pouw Allowances'),
    keccak256('1'),
    chainId,
    BigInt(allowances),
  ]);
  const message = keccakWords([
    keccak256(allowanceType),
    BigInt(owner),
    sessionNumber(session),
    BigInt(router),
    BigInt(limitWei),
    BigInt(taskLimitWei),
    BigInt(Math.floor(goodUntil / 1_000)),
    BigInt(nonce),
  ]);
  return keccak256(hexToBytes(`0x1901${domain.slice(2)}${message.slice(2)}`));
}

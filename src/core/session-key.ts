import { type Hex, hexToBytes, keccak256, keccakWords } from './hash.ts';
import { type Address, type SessionId, sessionNumber } from './ids.ts';
import { type CompactSignature, recoverSigner } from './recover-signer.ts';

/** What the owner of a session signs: whoever has the HTTP key of this hash may use the session. */
export interface SessionKey {
  readonly session: SessionId;
  /** SHA-256 of the key's UTF-8, 64 hex digits. */
  readonly keyHash: string;
  /** Until when it may be bound, in milliseconds since 1970; a key that is bound stays so. */
  readonly goodUntil: number;
}

/** A session's key with its owner's signature. */
export interface SignedSessionKey extends SessionKey {
  readonly signature: CompactSignature;
}

/** The deployment that a key is signed for. */
export interface KeyPlace {
  readonly chainId: number;
  readonly sessions: Address;
}

const keyType = 'Key(uint64 sessionId,bytes32 keyHash,uint40 goodUntil)';
const domainType = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

/** The digest of the EIP-712 message; no contract takes it, so it is good for nothing else. */
export function sessionKeyDigest(place: KeyPlace, { session, keyHash, goodUntil }: SessionKey): Hex {
  const domain = keccakWords([
    keccak256(domainType),
    keccak256('pouw keys'),
    keccak256('1'),
    place.chainId,
    BigInt(place.sessions),
  ]);
  const message = keccakWords([
    keccak256(keyType),
    sessionNumber(session),
    `0x${keyHash}`,
    BigInt(Math.floor(goodUntil / 1_000)),
  ]);
  return keccak256(hexToBytes(`0x1901${domain.slice(2)}${message.slice(2)}`));
}

/** Who has signed a key; undefined where the signature is none. */
export function keySigner(place: KeyPlace, { signature, ...key }: SignedSessionKey): Address | undefined {
  return recoverSigner(sessionKeyDigest(place, key), signature);
}

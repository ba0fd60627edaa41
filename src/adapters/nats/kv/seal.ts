import { type Signer, verifySignature } from '../../../core/ed25519.ts';
import { type Hex, hexToBytes, sha256 } from '../../../core/hash.ts';
import { type Address, isAddress, type SessionId } from '../../../core/ids.ts';
import { isSessionsLease, routersOfLease } from '../../../core/lease-names.ts';
import type { LogRegistry } from '../store/log-trust.ts';
import type { BucketName } from './own-keys.ts';

/** Who writes to a bucket, and whose entries count in it. */
export interface BucketSeal {
  readonly author: Address;
  readonly signer: Signer;
  /** The registered nodes. The author's own entries are known without it. */
  readonly registry: LogRegistry;
  /** Told of an entry that nobody has signed who may write it. */
  readonly onUnsound?: (unsound: UnsoundEntry) => void;
}

/** An entry that nobody has signed who may write it. */
export interface UnsoundEntry {
  readonly bucket: BucketName;
  readonly key: string;
}

/** Where an entry is. */
export interface EntryPlace extends UnsoundEntry {
  /** The subject that it is written to, which is signed with it. */
  readonly subject: string;
}

const authorBytes = 20;
const signatureBytes = 64;
const sealBytes = authorBytes + signatureBytes;

/**
 * A value with its author and signature before it. A server sends its answers wherever it is asked to, into the subjects
 * of a bucket too, so that whoever may ask it for anything can have something written there. What counts is signed.
 */
export function sealed({ author, signer }: BucketSeal, subject: string, value: Uint8Array | string): Uint8Array {
  const bytes = Buffer.from(value);
  const signature = signer.sign(signedText(subject, bytes));
  return Buffer.concat([hexToBytes(author), Buffer.from(signature, 'hex'), bytes]);
}

/** What was sealed, unread: for whoever only wants to know what it says. */
export function unsealedUnread(value: Uint8Array): Uint8Array {
  return value.subarray(sealBytes);
}

/** What was sealed, where the author's signature is good and the author may write to the key; else undefined. */
export async function unsealed(
  seal: BucketSeal,
  { bucket, key, subject }: EntryPlace,
  value: Uint8Array,
): Promise<Uint8Array | undefined> {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const author = `0x${bytes.subarray(0, authorBytes).toString('hex')}` as Address;
  const signature = bytes.subarray(authorBytes, sealBytes).toString('hex');
  const content = bytes.subarray(sealBytes);
  const publicKey = bytes.length < sealBytes ? undefined : await keyOfWriter(seal, key, author);
  if (publicKey !== undefined && verifySignature(publicKey, signedText(subject, content), signature)) return content;
  seal.onUnsound?.({ bucket, key });
  return undefined;
}

/**
 * What is about one node is written by that node, the lease of a group by a router of the group, what is about a session by
 * a router that the chain opened it with, where the chain is asked, and everything else by routers.
 */
async function keyOfWriter(
  { author: self, signer, registry }: BucketSeal,
  key: string,
  author: Address,
): Promise<Hex | undefined> {
  const about = key.split('.')[1] ?? '';
  if (isAddress(about) && about !== author) return undefined;
  // Whatever the servers let somebody write: those of before let each router write all leases.
  if (isSessionsLease(key) && !routersOfLease(key).includes(author)) return undefined;
  if (author === self) return signer.publicKey;
  if (key.startsWith('session.') && !(await mayWriteOf(about as SessionId, author, registry))) return undefined;
  if (registry.get(author) === undefined) await registry.learn([author]);
  const writer = registry.get(author);
  return writer !== undefined && (isAddress(about) || writer.roles.includes('router')) ? writer.key : undefined;
}

async function mayWriteOf(session: SessionId, author: Address, { openings }: LogRegistry): Promise<boolean> {
  if (openings === undefined) return true;
  if (openings.get(session) === undefined) await openings.learn([{ session, author, block: undefined }]);
  return openings.get(session)?.includes(author) === true;
}

function signedText(subject: string, content: Uint8Array): string {
  return `${subject}\n${sha256(content)}`;
}

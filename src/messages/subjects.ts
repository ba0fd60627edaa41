import { assert } from '../core/assert.ts';
import { sha256 } from '../core/hash.ts';
import type { Address, Cid, Role, SessionId, StreamId, TaskId } from '../core/ids.ts';

/** The root of every subject; its version goes up when messages change in a way old nodes cannot read. */
export const subjectRoot = 'pouw.v1';

/** What nodes of a role are told to do; the permissions of a network name the same. */
export const commandVerbs = {
  router: ['bind-key', 'claim', 'submit', 'plan', 'cancel', 'keep', 'carry'],
  miner: ['accept', 'job', 'cancel', 'resend', 'show'],
  validator: ['validate', 'sign-round'],
  oracle: ['sign-checkpoint', 'sign-ruling'],
} as const;

/** What some node is told to do. */
export type CommandVerb = (typeof commandVerbs)[keyof typeof commandVerbs][number];

/**
 * Where a node takes commands of another one: request and reply. Who sends is said in the subject, as everywhere in its
 * last token, so that it can be bound before anything is read.
 */
export function commandSubject(
  role: Role,
  node: Address | '*',
  verb: CommandVerb | '*',
  sender: Address | '*',
): string {
  return `${subjectRoot}.cmd.${role}.${node}.${verb}.${sender}`;
}

/** Where a miner's tokens for a task go; only the router (or the direct client) may subscribe. */
export function tokenSubject(session: SessionId | '*', task: TaskId | '*', miner: Address | '*'): string {
  return `${subjectRoot}.tok.${session}.${task}.${miner}`;
}

/** Where a node says that it lives. */
export function heartbeatSubject(role: Role | '*', node: Address | '*'): string {
  return `${subjectRoot}.hb.${role}.${node}`;
}

/** Shards of the event log: who needs a part of it subscribes to some of them. */
export const logShards = 64;

/** The shard of a stream, `00` to `63`: the first byte of SHA-256 over its id, modulo 64. */
export function shardOf(stream: StreamId): string {
  return String(Number.parseInt(sha256(stream).slice(0, 2), 16) % logShards).padStart(2, '0');
}

/** Where the commits of a stream are kept: `<root>.evt.<shard>.<kind>.<key>`. */
export function eventSubject(stream: StreamId, root: string = subjectRoot): string {
  return `${root}.evt.${shardOf(stream)}.${stream}`;
}

/** Where it is told that a commit of a stream was stored: its headers, never its content. */
export function storedSubject(stream: StreamId | '>', root: string = subjectRoot): string {
  return stream === '>' ? `${root}.new.>` : `${root}.new.${shardOf(stream)}.${stream}`;
}

/** Where the jobs for a model wait. */
export function jobSubject(model: string, root: string = subjectRoot): string {
  return `${root}.job.${encodeToken(model)}`;
}

/** Where the jobs for a model go that nobody could do. */
export function deadJobSubject(model: string, root: string = subjectRoot): string {
  return `${root}.dead.${encodeToken(model)}`;
}

/**
 * Any text as one token of a subject, the same for the same text: letters, digits, `_` and `-` stay, every other byte
 * of its UTF-8 becomes `=` and two hexadecimal digits. {@link decodeToken} gives the text back.
 */
export function encodeToken(text: string): string {
  assert(text !== '' && text.isWellFormed(), 'a token is made of some text');
  return text.replaceAll(/[^A-Za-z0-9_-]/gu, (char) =>
    [...new TextEncoder().encode(char)].map((byte) => `=${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

/** The text a token was made of; undefined for one that {@link encodeToken} does not make. */
export function decodeToken(token: string): string | undefined {
  if (!/^(?:[A-Za-z0-9_-]|=[0-9a-f]{2})+$/.test(token)) return undefined;
  try {
    const text = decodeURIComponent(token.replaceAll('=', '%'));
    return encodeToken(text) === token ? text : undefined;
  } catch {
    // The bytes are no UTF-8.
    return undefined;
  }
}

/** Where a process asks all others who holds a block; who does not stays silent. */
export function blockWantSubject(cid: Cid | '*', asker: string): string {
  return `${subjectRoot}.blk.want.${cid}.${asker}`;
}

/** Where a process hears who holds what it wants; only the holder may publish under its name. */
export function blockOfferSubject(asker: string, holder: string): string {
  return `${subjectRoot}.blk.offer.${asker}.${holder}`;
}

/** Where a holder is asked for a range of a block: request and reply. */
export function blockRangeSubject(holder: string, asker: string): string {
  return `${subjectRoot}.blk.range.${holder}.${asker}`;
}

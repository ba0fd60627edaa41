import type { RegisteredKey } from '../core/author-rules.ts';
import { type AnchoredHead, type AnchorManifest, parseAnchorManifest } from '../core/anchor.ts';
import type { Hex } from '../core/hash.ts';
import type { Address, StreamId } from '../core/ids.ts';
import type { Json } from '../core/json.ts';
import type { ChainFact, Deployment, RegisteredNode } from '../ports/chain.ts';
import type { EventStore, StoredCommit, StreamHead } from '../ports/event-store.ts';

/** The registered nodes by address. */
export type RegisteredKeys = ReadonlyMap<Address, RegisteredKey>;

/** An anchor as the chain has it, with its manifest fetched by the digest. */
export interface ChainAnchor {
  /** From 1, without gaps. */
  readonly epoch: number;
  /** The router that sent it. */
  readonly by: Address;
  readonly block: number;
  readonly txHash: Hex;
  readonly root: Hex;
  readonly manifestDigest: Hex;
  /** Commits the router says the log had. */
  readonly commits: number;
  /** Null where the content could not be had or is no manifest. */
  readonly manifest: AnchorManifest | null;
}

/** What an exported log says it holds; a store says nothing of itself. */
export interface LogClaims {
  /** Milliseconds since 1970. */
  readonly exportedAt: number;
  readonly commits: number;
  readonly streams: number;
  /** In order of stream id. */
  readonly heads: readonly AnchoredHead[];
}

/** Something in a log that others may write to, and that does not count. */
export interface PassedOver {
  readonly position: number;
  /** Why: one of the codes of a verification's faults. */
  readonly code: string;
  /** The stream in whose place it lies; null where it lies in none. */
  readonly stream: StreamId | null;
}

/** What the readers of a log have passed over so far. */
export interface PassedOverList {
  readonly count: number;
  /** The first ones, at most `limits.logFaultsMax`. */
  readonly first: readonly PassedOver[];
}

/** A log to read: a live store or an exported file, with what the chain says about it. */
export interface LogSource {
  /** Where it came from, for messages: a path. */
  readonly origin: string;
  /** The deployment it belongs to, null where that is not known. */
  readonly deployment: Deployment | null;
  /** Null for a store. */
  readonly claims: LogClaims | null;
  /** The heads of all streams, in order of stream id. */
  heads(): AsyncIterable<StreamHead>;
  /** A stream's commits in order, up to `toVersion` included. */
  read(stream: StreamId, options?: { readonly toVersion?: number }): AsyncIterable<StoredCommit>;
  /** All commits in the store's order, up to what was there when the reading began or later. */
  readAll(): AsyncIterable<StoredCommit>;
  keys(): Promise<RegisteredKeys>;
  /** In order of epoch. */
  anchors(): Promise<readonly ChainAnchor[]>;
  /** What was passed over in what was read; left out where the source does not know more than the commits say. */
  passedOver?(): PassedOverList;
}

/** What a log is checked against: registry and anchors, from the chain. */
export interface ChainKnowledge {
  readonly deployment: Deployment | null;
  readonly keys: RegisteredKeys;
  readonly anchors: readonly ChainAnchor[];
}

/** A live store as a source. */
export function storeSource(origin: string, store: EventStore, chain: ChainKnowledge): LogSource {
  return {
    origin,
    deployment: chain.deployment,
    claims: null,
    heads: () => store.heads(),
    read: (stream, options) => store.read(stream, options),
    readAll: () => store.readAll(),
    keys: async () => chain.keys,
    anchors: async () => chain.anchors,
  };
}

/** The same log, checked against the chain itself instead of what an export wrote down about it. */
export function withChain(source: LogSource, chain: ChainKnowledge): LogSource {
  return {
    origin: source.origin,
    deployment: chain.deployment,
    claims: source.claims,
    heads: () => source.heads(),
    read: (stream, options) => source.read(stream, options),
    readAll: () => source.readAll(),
    keys: async () => chain.keys,
    anchors: async () => chain.anchors,
    ...(source.passedOver === undefined ? {} : { passedOver: () => passedOverIn(source) }),
  };
}

/** What a source says it has passed over; nothing where it does not say. */
export function passedOverIn(source: LogSource): PassedOverList {
  return source.passedOver?.() ?? { count: 0, first: [] };
}

/** The registered keys among node records. */
export function keysOf(nodes: Iterable<RegisteredNode>): RegisteredKeys {
  return new Map([...nodes].map(({ node, roles, key }) => [node, { roles, key }]));
}

/** An anchor from its fact on chain and the content its digest names; null content where it could not be had. */
export function anchorOf(fact: ChainFact & { readonly type: 'LogAnchored' }, content: Json): ChainAnchor {
  const { epoch, by, root, manifestDigest, commits, place } = fact;
  const manifest = parseAnchorManifest(content) ?? null;
  return { epoch, by, block: place.block, txHash: place.txHash, root, manifestDigest, commits, manifest };
}

import { assert } from './assert.ts';
import { type Hex, keccakWords } from './hash.ts';

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A node's or client's Ethereum address, lower case. */
export type Address = Branded<Hex, 'Address'>;
/** `<chainId>-<first 8 hex digits of the sessions contract>-<number>`: unique across chains and deployments. */
export type SessionId = Branded<string, 'SessionId'>;
/** `keccak256(abi.encode(sessionNumber, requestId))`, known before the chain has seen the task. */
export type TaskId = Branded<Hex, 'TaskId'>;
/** The name of an event stream: `<actor kind>.<id>`. */
export type StreamId = Branded<string, 'StreamId'>;
/** `<stream>:<version>:<n>`: the n-th effect of a commit; every receiver drops what it has seen. */
export type EffectId = Branded<string, 'EffectId'>;
/** A content identifier, CIDv1 in base32. */
export type Cid = Branded<string, 'Cid'>;

/** The kinds of actor, each the first part of its stream ids. */
export const actorKinds = ['session', 'router', 'miner', 'validator', 'oracle', 'client', 'network'] as const;
export type ActorKind = (typeof actorKinds)[number];

/** The kinds of node the registry knows. The order is the contract's `Role` enum, from 1. */
export const roles = ['client', 'router', 'miner', 'validator', 'oracle'] as const;
export type Role = (typeof roles)[number];

const addressPattern = /^0x[0-9a-fA-F]{40}$/;
const bytes32Pattern = /^0x[0-9a-f]{64}$/;
const sessionPattern = /^(\d+)-([0-9a-f]{8})-(\d+)$/;

/** Brands an address, in lower case; asserts its form. */
export function toAddress(value: string): Address {
  assert(addressPattern.test(value), `not an address: ${value}`);
  return value.toLowerCase() as Address;
}

/** Whether text has the form of an address. */
export function isAddress(value: string): boolean {
  return addressPattern.test(value);
}

/** Whether text has the form of a task id. */
export function isTaskId(value: string): value is TaskId {
  return bytes32Pattern.test(value);
}

/** Whether text has the form of a session id. */
export function isSessionId(value: string): value is SessionId {
  return sessionPattern.test(value);
}

/** The id of session `number` of the sessions contract at `contract` on chain `chainId`. */
export function sessionId(chainId: number, contract: Address, number: bigint | number): SessionId {
  return `${chainId}-${contract.slice(2, 10)}-${number}` as SessionId;
}

/** The contract's own number of a session. */
export function sessionNumber(id: SessionId): bigint {
  const match = sessionPattern.exec(id);
  assert(match?.[3] !== undefined, `not a session id: ${id}`);
  return BigInt(match[3]);
}

/** The id of the task that `requestId` (32 bytes, chosen by the submitter) makes in a session. */
export function taskId(session: SessionId, requestId: Hex): TaskId {
  return keccakWords([sessionNumber(session), requestId]) as TaskId;
}

/** The stream of an actor. */
export function streamId(kind: ActorKind, id: string): StreamId {
  assert(/^[A-Za-z0-9_-]+$/.test(id), `not a stream key: ${id}`);
  return `${kind}.${id}` as StreamId;
}

/** The actor kind and key of a stream. */
export function parseStreamId(stream: StreamId): { kind: ActorKind; key: string } {
  const dot = stream.indexOf('.');
  const kind = stream.slice(0, dot);
  assert(actorKinds.includes(kind as ActorKind), `not a stream: ${stream}`);
  return { kind: kind as ActorKind, key: stream.slice(dot + 1) };
}

/** The id of effect `index` of the commit that made `version` of `stream`. */
export function effectId(stream: StreamId, version: number, index: number): EffectId {
  return `${stream}:${version}:${index}` as EffectId;
}

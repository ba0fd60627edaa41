import { type Address, type Role, type SessionId, streamId, type StreamId } from '../../core/ids.ts';
import {
  commandSubject,
  blockOfferSubject,
  blockRangeSubject,
  blockWantSubject,
  type CommandVerb,
  commandVerbs,
  deadJobSubject,
  eventSubject,
  heartbeatSubject,
  storedSubject,
  subjectRoot,
  tokenSubject,
} from '../../messages/subjects.ts';
import { answersTo, inboxPrefixOf } from './inbox-prefix.ts';
import { leaseKeys, ownKeys } from './kv/own-keys.ts';
import { jobConsumerName } from './jobs/job-streams.ts';
import { natsNames, ownConsumerName } from './store/names.ts';
import { openedApi } from './streams-api.ts';

/** Who connects to NATS: a node of a role, who may look at everything, or who looks after the servers. */
export type NatsRole = Role | 'observer' | 'operator';

/** Somebody who connects to NATS. */
export interface NatsPeer {
  readonly role: NatsRole;
  readonly address: Address;
  /** The models whose jobs a miner takes from their queues. */
  readonly models?: readonly string[];
  /** The sessions whose tokens a client reads straight from the miners. */
  readonly sessions?: readonly SessionId[];
}

/** The subjects a peer may use; the server refuses all others. */
export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** Subjects that something needs. */
interface Grant {
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
}

const names = natsNames();
const buckets = ['lease', 'snap', 'done', 'node'] as const;

/**
 * The subjects that a peer may use, and no others:
 *
 * | role | sends | receives |
 * |---|---|---|
 * | everybody | | answers to itself |
 * | every node | its heartbeat, its own events, its keys in the buckets, blocks | commands to itself, its own events, wants of blocks |
 * | router | commands, to other routers what concerns their sessions' tasks; jobs, events and keys of sessions | heartbeats, tokens, the whole log |
 * | oracle | which checkpoints and rulings on them other oracles are to sign | the whole log |
 * | miner | tokens in its own name, claims, what a router is to carry | jobs for its models |
 * | validator | what a router is to carry; which idle rounds other validators are to sign | |
 * | client | which keys may use its sessions | tokens of its sessions |
 * | observer | | heartbeats, the whole log |
 * | operator | whatever JetStream can be told; no message of the network | everything of the network |
 *
 * Permissions say who may send where. They do not prove who has written something: messages and commits are signed.
 * Nobody may make a consumer but on what it may read anyway; where the server then sends it, receivers must check.
 */
export function natsPermissions(peer: NatsPeer): NatsPermissions {
  const answers = [`${inboxPrefixOf(peer.address)}.>`, `${answersTo(peer.address)}.>`];
  const grants = [{ subscribe: answers }, ...grantsOf(peer)];
  return {
    publish: [...new Set(grants.flatMap(({ publish = [] }) => publish))],
    subscribe: [...new Set(grants.flatMap(({ subscribe = [] }) => subscribe))],
  };
}

function grantsOf(peer: NatsPeer): readonly Grant[] {
  switch (peer.role) {
    case 'observer':
      return [presence(), wholeLog()];
    case 'operator':
      return [operator()];
    case 'router':
      return [...node(peer.role, peer.address), presence(), wholeLog(), routerSends(peer.address)];
    case 'miner':
      return [
        ...node(peer.role, peer.address),
        tokensOf(peer.address),
        carried(peer.address),
        ...(peer.models ?? []).map((model) => jobsFor(model, peer.address)),
      ];
    case 'validator':
      return [...node(peer.role, peer.address), carried(peer.address), asks('validator', ['sign-round'], peer.address)];
    case 'oracle':
      return [...node(peer.role, peer.address), wholeLog(), asks('oracle', commandVerbs.oracle, peer.address)];
    case 'client':
      return [...node(peer.role, peer.address), bindsKeys(peer.address), ...(peer.sessions ?? []).map(tokensIn)];
    default:
      return node(peer.role, peer.address);
  }
}

/**
 * Answering who asks. Not the server's `allow_responses`: that allows whatever subject a message has for its answers, and
 * whoever may send a message to itself can give it any. Who was not asked does not know the two tokens of an answer.
 */
const answers: Grant = { publish: [`${answersTo('*')}.*.*`] };
/** Asking the others of one's role to sign what they have found, too. */
function asks(role: 'validator' | 'oracle', verbs: readonly CommandVerb[], by: Address): Grant {
  return { publish: verbs.map((verb) => commandSubject(role, '*', verb, by)) };
}

/** What every node needs: to be seen, to be told, and to keep what it decides. */
function node(role: Role, address: Address): readonly Grant[] {
  const own = streamId(role, address);
  const verbs = role in commandVerbs ? commandVerbs[role as keyof typeof commandVerbs] : [];
  return [
    { publish: [heartbeatSubject(role, address)] },
    { subscribe: verbs.map((verb) => commandSubject(role, address, verb, '*')) },
    // Every node is asked for blocks, some for more.
    answers,
    ownEvents(own, ownConsumerName(address)),
    blocks(address),
    ...buckets.map((bucket) => keysOf(bucket, own)),
    ...idleRounds(role, address),
  ];
}

/** Keeping its part in idle rounds: a stream beside its own, with what is remembered of it. */
function idleRounds(role: Role, address: Address): readonly Grant[] {
  if (role !== 'miner' && role !== 'validator' && role !== 'oracle') return [];
  const stream = streamId('network', address);
  return [ownEvents(stream, ownConsumerName(address)), keysOf('snap', stream), keysOf('done', stream)];
}

/**
 * Appending to one stream of the log and reading it. The newest commit is read by its subject, the ones before it
 * through a consumer whose name and filter the server compares with the subject it was made on. It is one of a fixed
 * name, since a server keeps only so many for all.
 */
function ownEvents(stream: StreamId, consumer: string): Grant {
  const subject = eventSubject(stream);
  return {
    publish: [
      subject,
      api('STREAM.INFO', names.log),
      api('DIRECT.GET', names.log, subject),
      api('CONSUMER.CREATE', names.log, consumer, subject),
      api('CONSUMER.MSG.NEXT', names.log, consumer),
      api('CONSUMER.DELETE', names.log, consumer),
    ],
    subscribe: [storedSubject(stream)],
  };
}

/** Reading all streams of the log, and hearing of each commit. */
function wholeLog(): Grant {
  return {
    publish: [...readStream(names.log), api('STREAM.MSG.GET', names.log), api('DIRECT.GET', names.log)],
    subscribe: [storedSubject('>')],
  };
}

/** Asking for blocks, offering them and sending them, each in one's own name. */
function blocks(address: Address): Grant {
  return {
    publish: [blockWantSubject('*', address), blockOfferSubject('*', address), blockRangeSubject('*', address)],
    subscribe: [blockWantSubject('*', '*'), blockOfferSubject(address, '*'), blockRangeSubject(address, '*')],
  };
}

/** Telling the router that owns a session whose HTTP keys may use it. */
function bindsKeys(client: Address): Grant {
  return { publish: [commandSubject('router', '*', 'bind-key', client)] };
}

/** Giving a router what it is to carry to the chain. */
function carried(address: Address): Grant {
  return { publish: [commandSubject('router', '*', 'carry', address)] };
}

function presence(): Grant {
  return { publish: readStream(bucketStream('node')), subscribe: [heartbeatSubject('*', '*')] };
}

function routerSends(router: Address): Grant {
  const workers = (['miner', 'validator'] as const).flatMap((role) =>
    commandVerbs[role].map((verb) => commandSubject(role, '*', verb, router)),
  );
  // Whose keys may use a session is its client's to say, not another router's; idle rounds are none of theirs.
  const commands = [
    ...workers.filter((subject) => !subject.includes('.sign-round.')),
    ...(['submit', 'plan', 'cancel', 'keep'] as const).map((verb) => commandSubject('router', '*', verb, router)),
  ];
  const dead = `${subjectRoot}.dead.*`;
  return {
    publish: [
      ...commands,
      `${subjectRoot}.evt.*.session.*`,
      `${subjectRoot}.job.*`,
      dead,
      ...manageJobs(),
      api('DIRECT.GET', names.deadJobs),
      ...sessionKeys(router),
    ],
    subscribe: [tokenSubject('*', '*', '*')],
  };
}

/** Which consumers of jobs there are is decided by routers, so that a miner can neither make nor change one. */
function manageJobs(): readonly string[] {
  return [names.jobs, names.deadJobs].flatMap((stream) => [
    api('STREAM.INFO', stream),
    api('CONSUMER.CREATE', stream, '>'),
    api('CONSUMER.INFO', stream, '*'),
    api('CONSUMER.DELETE', stream, '*'),
  ]);
}

/** The keys by which a router leads sessions, and what is remembered of those. */
function sessionKeys(router: Address): readonly string[] {
  const leases = leaseKeys(router).map((key) => `$KV.${names.bucket('lease')}.${key}`);
  const kept = (['snap', 'done'] as const).flatMap((bucket) => [
    ...readStream(bucketStream(bucket)),
    ...keys(bucket, 'session.*'),
  ]);
  return [...readStream(bucketStream('lease')), ...leases, ...kept];
}

/** Taking jobs from the queue of a model, saying what became of them, and putting those aside that nobody can do. */
function jobsFor(model: string, miner: Address): Grant {
  const consumer = jobConsumerName(model);
  return {
    publish: [
      api('STREAM.INFO', names.jobs),
      api('STREAM.INFO', names.deadJobs),
      deadJobSubject(model),
      commandSubject('router', '*', 'claim', miner),
      api('CONSUMER.INFO', names.jobs, consumer),
      api('CONSUMER.MSG.NEXT', names.jobs, consumer),
      `$JS.ACK.${names.jobs}.${consumer}.>`,
    ],
  };
}

function tokensOf(miner: Address): Grant {
  return { publish: [tokenSubject('*', '*', miner)] };
}

function tokensIn(session: SessionId): Grant {
  return { subscribe: [tokenSubject(session, '*', '*')] };
}

/** The keys about one stream in a bucket: writing those that there can be, for a bucket takes all, and reading each by name. */
function keysOf(bucket: (typeof buckets)[number], stream: StreamId): Grant {
  const store = bucketStream(bucket);
  // The routers' alone: who could write there could keep a server too busy for any to be held.
  if (bucket === 'lease') return { publish: [api('STREAM.INFO', store)] };
  const written = ownKeys(bucket, stream).map((key) => `$KV.${names.bucket(bucket)}.${key}`);
  const read = keys(bucket, stream).map((key) => api('DIRECT.GET', store, key));
  return { publish: [api('STREAM.INFO', store), ...written, ...read] };
}

/** A key, and the keys below it. */
function keys(bucket: (typeof buckets)[number], key: string): readonly string[] {
  const subject = `$KV.${names.bucket(bucket)}.${key}`;
  return [subject, `${subject}.>`];
}

/** The stream behind a bucket. */
function bucketStream(bucket: (typeof buckets)[number]): string {
  return `KV_${names.bucket(bucket)}`;
}

/** Reading a JetStream stream in every way that needs no right to change it. */
function readStream(stream: string): readonly string[] {
  return [
    api('STREAM.INFO', stream),
    api('DIRECT.GET', stream, '>'),
    api('CONSUMER.CREATE', stream),
    api('CONSUMER.CREATE', stream, '>'),
    api('CONSUMER.MSG.NEXT', stream, '*'),
    api('CONSUMER.INFO', stream, '*'),
    api('CONSUMER.DELETE', stream, '*'),
    `$JS.FC.${stream}.>`,
  ];
}

/** Makes streams and buckets, looks after them, and hears all; a heartbeat or commit of its own it cannot send. */
function operator(): Grant {
  return { publish: ['$JS.API.>', api('>'), '$JS.ACK.>', '$JS.FC.>'], subscribe: [`${subjectRoot}.>`] };
}

function api(verb: string, ...path: readonly string[]): string {
  return [openedApi, verb, ...path].join('.');
}

/**
 * What of JetStream lies open to the account of the nodes. It is apart from the one of the streams, since a server sends
 * its answers wherever they are wanted, JetStream's own subjects included, whatever the asking user may send itself: so
 * nothing is open that changes or deletes a stream. Each node's permissions say which part of this is its own.
 */
export const streamsForMembers = {
  served: [
    api('STREAM.INFO', '*'),
    api('STREAM.MSG.GET', '*'),
    api('CONSUMER.CREATE', '>'),
    api('CONSUMER.INFO', '*', '*'),
    api('CONSUMER.DELETE', '*', '*'),
    '$JS.ACK.>',
    '$JS.FC.>',
    ...buckets.map((bucket) => `$KV.${names.bucket(bucket)}.>`),
    `${subjectRoot}.evt.>`,
    `${subjectRoot}.job.*`,
    `${subjectRoot}.dead.*`,
  ],
  servedInMany: [api('CONSUMER.MSG.NEXT', '*', '*'), api('DIRECT.GET', '>')],
  heard: [storedSubject('>')],
} as const;

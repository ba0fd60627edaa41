import { encodeEventTopics } from 'viem';
import type { SessionRules } from '../../core/chain-fact.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, type SessionId, sessionId, sessionNumber, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { type Wei, wei } from '../../core/wei.ts';
import type { ChainFact, Deployment, SessionTerms } from '../../ports/chain.ts';
import { reservationsAbi, sessionsAbi } from './abi.ts';
import { withTimes } from './fact-reader.ts';
import { decodeFacts } from './facts.ts';
import { type RawLog, readAllLogs } from './logs.ts';
import type { RpcClient } from './rpc-client.ts';

const sessionStates = ['none', 'open', 'draining', 'closed', 'inactive'] as const;

/** A session as the chain has it now. */
export interface SessionOnLedger {
  readonly session: SessionId;
  /** Its owner. */
  readonly client: Address;
  /** Who may take it over; undefined where it is offered to nobody. */
  readonly offeredTo: Address | undefined;
  readonly state: Exclude<(typeof sessionStates)[number], 'none'>;
  readonly balanceWei: Wei;
  readonly escrowedWei: Wei;
  /** The newest, with the lists as they are now. */
  readonly terms: SessionTerms;
  /** How many terms it has had, counted from 1. */
  readonly version: number;
  /** Those it was opened with, who write its log. */
  readonly openedRouters: readonly Address[];
  /** The block in which it was opened. */
  readonly openedBlock: number;
}

type Topics = readonly (Hex | readonly Hex[] | null)[];
type Opened = Extract<ChainFact, { readonly type: 'SessionOpened' }>;

/** What logs are as facts. */
export async function factsOf(
  client: RpcClient,
  deployment: Deployment,
  logs: readonly RawLog[],
): Promise<ChainFact[]> {
  const timed = await withTimes(client, logs);
  return decodeFacts(deployment, timed.logs, (hash) => timed.times.get(hash) ?? 0);
}

/** A session; undefined where there is none of this id here. */
export async function readSession(
  client: RpcClient,
  deployment: Deployment,
  id: SessionId,
): Promise<SessionOnLedger | undefined> {
  const number = sessionNumber(id);
  if (sessionId(deployment.chainId, deployment.sessions, number) !== id) return undefined;
  return (await openedSessions(client, deployment, openedTopics({ sessionId: number })))[0];
}

/** All sessions, or those that an account owns now, in the order in which they were opened. */
export async function readSessions(
  client: RpcClient,
  deployment: Deployment,
  owner: Address | undefined,
): Promise<readonly SessionOnLedger[]> {
  if (owner === undefined) return openedSessions(client, deployment, openedTopics({}));
  const opened = await openedSessions(client, deployment, openedTopics({ client: owner }));
  const given = await givenTo(client, deployment, owner);
  const [selector = null] = openedTopics({});
  const takenOver = given.length === 0 ? [] : await openedSessions(client, deployment, [selector, given]);
  const all = new Map([...opened, ...takenOver].map((session) => [session.session, session]));
  const owned = [...all.values()].filter((session) => session.client === owner);
  return owned.toSorted((a, b) => Number(sessionNumber(a.session) - sessionNumber(b.session)));
}

/** How often a session was changed by somebody, its pool of miners included: what names the next change, whoever asks. */
export async function countChanges(client: RpcClient, deployment: Deployment, id: SessionId): Promise<number> {
  const { sessions, reservations } = deployment;
  const changes = [
    'SessionUpdated',
    'SessionOffered',
    'SessionTransferred',
    'SessionDeactivated',
    'SessionReactivated',
    'SessionRouterAdded',
    'SessionRouterRemoved',
    'SessionMinerAdded',
    'SessionMinerRemoved',
  ] as const;
  const inPool = ['MinerInvited', 'InvitationWithdrawn', 'MinerReserved', 'ReservationEnded'] as const;
  const selectors = [
    ...changes.flatMap((eventName) => encodeEventTopics({ abi: sessionsAbi, eventName })[0]),
    ...inPool.flatMap((eventName) => encodeEventTopics({ abi: reservationsAbi, eventName })[0]),
  ];
  const topics: Topics = [selectors, ...openedTopics({ sessionId: sessionNumber(id) }).slice(1, 2)];
  return (await readAllLogs(client, deployment, { addresses: [sessions, reservations], topics })).length;
}

function openedTopics(args: { readonly sessionId?: bigint; readonly client?: Address }): Topics {
  return encodeEventTopics({ abi: sessionsAbi, eventName: 'SessionOpened', args });
}

/** The sessions that others have given to an account, as topics. */
async function givenTo(client: RpcClient, deployment: Deployment, to: Address): Promise<readonly Hex[]> {
  const topics = encodeEventTopics({ abi: sessionsAbi, eventName: 'SessionTransferred', args: { to } });
  const logs = await readAllLogs(client, deployment, { addresses: [deployment.sessions], topics });
  return [...new Set(logs.flatMap((log) => log.topics[1] ?? []))];
}

async function openedSessions(
  client: RpcClient,
  deployment: Deployment,
  topics: Topics,
): Promise<readonly SessionOnLedger[]> {
  const filter = { addresses: [deployment.sessions], topics };
  const facts = await factsOf(client, deployment, await readAllLogs(client, deployment, filter));
  const updates = await updatesOf(client, deployment, topics);
  const sessions: SessionOnLedger[] = [];
  for (const fact of facts) {
    if (fact.type !== 'SessionOpened') continue;
    const session = await readNow(client, deployment, fact, updates.get(fact.session));
    if (session !== undefined) sessions.push(session);
  }
  return sessions;
}

async function readNow(
  client: RpcClient,
  { sessions }: Deployment,
  { session, terms, place }: Opened,
  newest: SessionRules | undefined,
): Promise<SessionOnLedger | undefined> {
  const of = { address: sessions, abi: sessionsAbi } as const;
  const number = sessionNumber(session);
  const routersArgs = [number, 0n, BigInt(limits.sessionRoutersMax)] as const;
  const minersArgs = [number, 0n, BigInt(limits.dedicatedMinersMax)] as const;
  const [stored, routers, miners] = await Promise.all([
    client.readContract({ ...of, functionName: 'sessionOf', args: [number] }),
    client.readContract({ ...of, functionName: 'routersPage', args: routersArgs }),
    client.readContract({ ...of, functionName: 'dedicatedMinersPage', args: minersArgs }),
  ]);
  const state = sessionStates[stored.state];
  if (state === undefined || state === 'none') return undefined;
  const { owner, pendingOwner, version, balanceWei, escrowedWei } = stored;
  return {
    session,
    client: toAddress(owner),
    offeredTo: BigInt(pendingOwner) === 0n ? undefined : toAddress(pendingOwner),
    state,
    balanceWei: wei(balanceWei),
    escrowedWei: wei(escrowedWei),
    terms: { ...terms, ...newest, routers: routers.map(toAddress), dedicatedMiners: miners.map(toAddress) },
    version,
    openedRouters: terms.routers,
    openedBlock: place.block,
  };
}

/** The newest terms of the sessions that were updated, of some where the question is for these. */
async function updatesOf(
  client: RpcClient,
  deployment: Deployment,
  [, sessionTopic]: Topics,
): Promise<ReadonlyMap<SessionId, SessionRules>> {
  const [updated] = encodeEventTopics({ abi: sessionsAbi, eventName: 'SessionUpdated' });
  const topics: Topics = [updated, ...(sessionTopic ? [sessionTopic] : [])];
  const filter = { addresses: [deployment.sessions], topics };
  const facts = await factsOf(client, deployment, await readAllLogs(client, deployment, filter));
  return new Map(facts.flatMap((fact) => (fact.type === 'SessionUpdated' ? [[fact.session, fact.terms]] : [])));
}

import { encodeEventTopics } from 'viem';
import type { RouterGrant } from '../../core/allowance.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, type EffectId, type SessionId, sessionId, sessionNumber, toAddress } from '../../core/ids.ts';
import { type BatchOnChain, batchesIn } from '../../core/batch/fact.ts';
import { type Wei, wei } from '../../core/wei.ts';
import type { SessionRules } from '../../core/chain-fact.ts';
import type { ChainFact, Deployment, SessionTerms, Spender } from '../../ports/chain.ts';
import type { RouterAccess } from '../../ports/chain-access.ts';
import type { ReputationState } from '../../ports/reputation.ts';
import type { RoundsState } from '../../ports/rounds.ts';
import { readAccess, readServed } from './access.ts';
import { readGrants } from './allowance-reads.ts';
import { appealsAbi, corAbi, registryAbi, sessionsAbi } from './abi.ts';
import { connect, pinDeployment, requireChain, requireContracts } from './connect.ts';
import type { ChainReaderOptions } from './chain-reader.ts';
import { effectContracts } from './effects-on-chain.ts';
import { withTimes } from './fact-reader.ts';
import { decodeFacts, factFilter } from './facts.ts';
import { type RawLog, readAllLogs } from './logs.ts';
import { type Market, readMarket } from './market.ts';
import { type ChainReads, createReads } from './reads.ts';
import { countWithdrawals, readOwed, readReputation } from './reputation.ts';
import { type ClaimableReward, readRewards } from './rewards.ts';
import { createRoundsChain } from './rounds.ts';
import { asked, type RpcClient } from './rpc-client.ts';
import { effectKey } from './sender.ts';

const sessionStates = ['none', 'open', 'draining', 'closed', 'inactive'] as const;

/** A session as the chain has it now. */
export interface SessionOnLedger {
  readonly session: SessionId;
  readonly client: Address;
  readonly state: Exclude<(typeof sessionStates)[number], 'none'>;
  readonly balanceWei: Wei;
  readonly escrowedWei: Wei;
  readonly terms: SessionTerms;
  /** The block in which it was opened. */
  readonly openedBlock: number;
}

/** Where an effect was carried out. */
export interface DoneEffect {
  readonly txHash: Hex;
  readonly block: number;
}

/** Facts of money that one account has moved. */
export type AccountFact = Extract<
  ChainFact,
  { readonly type: 'StakeAdded' | 'UnstakeRequested' | 'StakeWithdrawn' | 'EarningsWithdrawn' | 'AppealWithdrawn' }
>;

/** What a wallet wants to know of a deployment. Every read throws PouwError `chain_unreachable`, `chain_refused`. */
export interface Ledger extends Pick<
  ChainReads,
  | 'block'
  | 'node'
  | 'nodes'
  | 'task'
  | 'corBalance'
  | 'earnings'
  | 'money'
  | 'batchClaimed'
  | 'appeal'
  | 'appealRules'
  | 'appealOwed'
  | 'appealRefusal'
  | 'allowanceRefusal'
  | 'useStake'
  | 'usePool'
  | 'poolUser'
> {
  readonly deployment: Deployment;
  /** A session; undefined where there is none of this id here. */
  session(id: SessionId): Promise<SessionOnLedger | undefined>;
  /** All sessions, or those of one client, in the order in which they were opened. */
  sessions(client?: Address): Promise<readonly SessionOnLedger[]>;
  /** Where an effect of an account was carried out; undefined where it was not. */
  effect(account: Address, effect: EffectId): Promise<DoneEffect | undefined>;
  /** What an account has moved of its stake and earnings, and of what appeals owed it, in chain order. */
  movements(account: Address): Promise<readonly AccountFact[]>;
  /** All batches, as the chain's events tell them. */
  batches(): Promise<readonly BatchOnChain[]>;
  /** Where idle rounds stand. */
  rounds(): Promise<RoundsState>;
  /** Where checkpoints of reputation stand. */
  reputation(): Promise<ReputationState>;
  /** What of the bonds of disputed checkpoints an account can take, and how often it has taken some. */
  bonds(account: Address): Promise<{ readonly owedWei: Wei; readonly withdrawals: number }>;
  /** How prices of a model are split and moved now. */
  market(model: string): Promise<Market>;
  /** What a node can claim for its idle work, by what the chain has credited; oldest epoch first. */
  rewards(node: Address): Promise<readonly ClaimableReward[]>;
  /** What routers may still escrow of a session: of all that were ever allowed something. */
  grants(session: SessionId): Promise<readonly (RouterGrant & { readonly router: Address })[]>;
  /** Whom a router serves. */
  access(router: Address): Promise<RouterAccess>;
  /** Whether a router serves an account. */
  isServed(router: Address, account: Address): Promise<boolean>;
  /** What a contract may take of an account's $COR. */
  allowance(owner: Address, spender: Spender): Promise<Wei>;
  /** The chain's own coin of an account, in its wei. */
  gasBalance(account: Address): Promise<Wei>;
}

/**
 * Reaches a deployment for a wallet's questions.
 *
 * @throws PouwError `chain_unreachable`, `chain_refused`, `wrong_chain`, `contracts_missing`.
 */
export async function openLedger(options: ChainReaderOptions): Promise<Ledger> {
  const { rpcUrl, deployment } = options;
  const connection = await connect({ url: rpcUrl, retryMs: options.retryMs ?? 5_000 }, deployment.chainId);
  if (options.chain !== undefined) requireChain(connection, options.chain);
  await requireContracts(connection, deployment);
  await pinDeployment(connection, deployment.fromBlock);
  const { client } = connection;
  const opened = (args: { sessionId?: bigint; client?: Address }) =>
    openedSessions(client, deployment, encodeEventTopics({ abi: sessionsAbi, eventName: 'SessionOpened', args }));
  return {
    deployment,
    ...createReads(client, deployment),
    session: (id) =>
      asked('a session', async () => {
        const number = sessionNumber(id);
        if (sessionId(deployment.chainId, deployment.sessions, number) !== id) return undefined;
        return (await opened({ sessionId: number }))[0];
      }),
    sessions: (of) => asked('the sessions', () => opened(of === undefined ? {} : { client: of })),
    effect: (account, effect) => asked('an effect', () => findEffect(client, deployment, account, effectKey(effect))),
    movements: (account) => asked('what an account has moved', () => readMovements(client, deployment, account)),
    batches: () =>
      asked('the batches', async () => {
        const { topics } = factFilter(deployment);
        const logs = await readAllLogs(client, deployment, { addresses: [deployment.batches], topics });
        return [...batchesIn(await factsOf(client, deployment, logs)).values()];
      }),
    rounds: () => createRoundsChain(client, deployment).state(),
    reputation: () => asked('reputation', () => readReputation(client, deployment)),
    bonds: (account) =>
      asked('bonds', async () => ({
        owedWei: await readOwed(client, deployment, account),
        withdrawals: await countWithdrawals(client, deployment, account),
      })),
    market: (model) => asked('prices', () => readMarket(client, deployment, model)),
    rewards: (node) => asked('rewards', () => readRewards(client, deployment, node)),
    grants: (id) => readGrants(client, deployment, id),
    allowance: (owner, spender) =>
      asked('an allowance', async () => {
        const args = [owner, deployment[spender]] as const;
        return wei(
          await client.readContract({ address: deployment.cor, abi: corAbi, functionName: 'allowance', args }),
        );
      }),
    access: (router) =>
      asked('whom a router serves', () =>
        readAccess(client, deployment, router, (logs) => factsOf(client, deployment, logs)),
      ),
    isServed: (router, account) => asked('whom a router serves', () => readServed(client, deployment, router, account)),
    gasBalance: (account) => asked('a balance', async () => wei(await client.getBalance({ address: account }))),
  };
}

type Topics = readonly (Hex | readonly Hex[] | null)[];

async function factsOf(client: RpcClient, deployment: Deployment, logs: readonly RawLog[]): Promise<ChainFact[]> {
  const timed = await withTimes(client, logs);
  return decodeFacts(deployment, timed.logs, (hash) => timed.times.get(hash) ?? 0);
}

async function openedSessions(
  client: RpcClient,
  deployment: Deployment,
  topics: Topics,
): Promise<readonly SessionOnLedger[]> {
  const facts = await factsOf(
    client,
    deployment,
    await readAllLogs(client, deployment, { addresses: [deployment.sessions], topics }),
  );
  const updates = await updatesOf(client, deployment, topics);
  const sessions: SessionOnLedger[] = [];
  for (const fact of facts) {
    if (fact.type !== 'SessionOpened') continue;
    const { session, place } = fact;
    const terms = { ...fact.terms, ...updates.get(session) };
    const stored = await client.readContract({
      address: deployment.sessions,
      abi: sessionsAbi,
      functionName: 'sessionOf',
      args: [sessionNumber(session)],
    });
    const state = sessionStates[stored.state];
    if (state === undefined || state === 'none') continue;
    const money = { balanceWei: wei(stored.balanceWei), escrowedWei: wei(stored.escrowedWei) };
    sessions.push({ session, client: toAddress(stored.owner), state, ...money, terms, openedBlock: place.block });
  }
  return sessions;
}

/** The newest terms of the sessions that were updated, of one where the question is for one. */
async function updatesOf(
  client: RpcClient,
  deployment: Deployment,
  [, sessionTopic]: Topics,
): Promise<ReadonlyMap<SessionId, SessionRules>> {
  const [updated] = encodeEventTopics({ abi: sessionsAbi, eventName: 'SessionUpdated' });
  const topics: Topics = [updated, ...(sessionTopic ? [sessionTopic] : [])];
  const facts = await factsOf(
    client,
    deployment,
    await readAllLogs(client, deployment, { addresses: [deployment.sessions], topics }),
  );
  return new Map(facts.flatMap((fact) => (fact.type === 'SessionUpdated' ? [[fact.session, fact.terms]] : [])));
}

async function findEffect(
  client: RpcClient,
  deployment: Deployment,
  account: Address,
  effectId: Hex,
): Promise<DoneEffect | undefined> {
  const topics = encodeEventTopics({ abi: corAbi, eventName: 'EffectApplied', args: { sender: account, effectId } });
  const [log] = await readAllLogs(client, deployment, { addresses: effectContracts(deployment), topics });
  return log === undefined ? undefined : { txHash: log.transactionHash ?? '0x', block: Number(log.blockNumber) };
}

async function readMovements(
  client: RpcClient,
  deployment: Deployment,
  account: Address,
): Promise<readonly AccountFact[]> {
  const stakes = ['StakeAdded', 'UnstakeRequested', 'StakeWithdrawn'] as const;
  const selectors = stakes.flatMap((eventName) => encodeEventTopics({ abi: registryAbi, eventName })[0]);
  const earned = encodeEventTopics({ abi: sessionsAbi, eventName: 'EarningsWithdrawn', args: { account } });
  const [, of] = earned;
  const appealed = encodeEventTopics({ abi: appealsAbi, eventName: 'AppealWithdrawn', args: { account } });
  const topics: Topics = [[...selectors, earned[0], appealed[0]], ...(of === undefined ? [] : [of as Hex])];
  const logs = await readAllLogs(client, deployment, {
    addresses: [deployment.registry, deployment.sessions, deployment.appeals],
    topics,
  });
  const facts = await factsOf(client, deployment, logs);
  return facts.filter((fact): fact is AccountFact =>
    ['StakeAdded', 'UnstakeRequested', 'StakeWithdrawn', 'EarningsWithdrawn', 'AppealWithdrawn'].includes(fact.type),
  );
}

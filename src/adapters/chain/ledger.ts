import { encodeEventTopics } from 'viem';
import type { RouterGrant } from '../../core/allowance.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address, EffectId, SessionId } from '../../core/ids.ts';
import { type BatchOnChain, batchesIn } from '../../core/batch/fact.ts';
import { type Wei, wei } from '../../core/wei.ts';
import type { ChainFact, Deployment, Spender } from '../../ports/chain.ts';
import type { Capacity } from '../../ports/chain-market.ts';
import type { RouterAccess } from '../../ports/chain-access.ts';
import type { ReputationState } from '../../ports/reputation.ts';
import type { RoundsState } from '../../ports/rounds.ts';
import { readAccess, readServed } from './access.ts';
import { readGrants } from './allowance-reads.ts';
import { appealsAbi, corAbi, registryAbi, sessionsAbi } from './abi.ts';
import { connect, pinDeployment, requireChain, requireContracts } from './connect.ts';
import type { ChainReaderOptions } from './chain-reader.ts';
import { createDisciplineReads, type DisciplineReads } from './discipline-reads.ts';
import { effectContracts } from './effects-on-chain.ts';
import { factFilter } from './facts.ts';
import { readAllLogs } from './logs.ts';
import { type Market, readCapacity, readMarket } from './market.ts';
import { type ChainReads, createReads } from './reads.ts';
import { countWithdrawals, readOwed, readReputation } from './reputation.ts';
import { readReservationPay } from './reservation-reads.ts';
import { type ClaimableReward, readRewards } from './rewards.ts';
import { createRoundsChain } from './rounds.ts';
import { asked, type RpcClient } from './rpc-client.ts';
import { effectKey } from './sender.ts';
import { countChanges, factsOf, readSession, readSessions, type SessionOnLedger } from './session-reads.ts';

export type { SessionOnLedger } from './session-reads.ts';

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
export interface Ledger
  extends
    DisciplineReads,
    Pick<
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
      | 'reservations'
      | 'invitations'
    > {
  readonly deployment: Deployment;
  /** A session; undefined where there is none of this id here. */
  session(id: SessionId): Promise<SessionOnLedger | undefined>;
  /** All sessions, or those that an account owns now, in the order in which they were opened. */
  sessions(client?: Address): Promise<readonly SessionOnLedger[]>;
  /** How often a session was changed by somebody, its pool of miners included: what names the next change. */
  changes(session: SessionId): Promise<number>;
  /** What a miner earned by the end of its reservation in a transaction; undefined where none ended in it. */
  reservationPay(of: { session: SessionId; miner: Address; txHash: Hex }): Promise<Wei | undefined>;
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
  /** Who counts to the capacity of a model, and who should. */
  capacity(model: string): Promise<Capacity>;
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
  const reads = createReads(client, deployment);
  return {
    deployment,
    ...reads,
    ...createDisciplineReads(client, deployment),
    session: (id) => asked('a session', () => readSession(client, deployment, id)),
    sessions: (of) => asked('the sessions', () => readSessions(client, deployment, of)),
    changes: (id) => asked('the changes of a session', () => countChanges(client, deployment, id)),
    reservationPay: (of) => asked('a reservation', () => readReservationPay(client, deployment, of)),
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
    capacity: (model) =>
      asked('who counts for a model', async () => {
        const nodes = await reads.nodes();
        const miners = nodes.filter(({ roles }) => roles.includes('miner'));
        return readCapacity(client, deployment, model, miners);
      }),
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

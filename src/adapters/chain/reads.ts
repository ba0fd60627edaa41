import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, type TaskId, toAddress } from '../../core/ids.ts';
import { addWei, type Wei, wei } from '../../core/wei.ts';
import { limits } from '../../core/limits.ts';
import type { Block, ChainFact, Deployment, MoneyTotals, NodeRecord } from '../../ports/chain.ts';
import type { AllowanceReads } from '../../ports/chain-allowances.ts';
import type { AppealReads } from '../../ports/chain-appeals.ts';
import type { OpeningReads } from '../../ports/chain-openings.ts';
import type { ReservationReads } from '../../ports/chain-reservations.ts';
import type { StepReads } from '../../ports/chain-steps.ts';
import type { UseReads } from '../../ports/chain-use.ts';
import type { ChainTaskRecord } from '../../ports/queue-messages.ts';
import { createAllowanceReads } from './allowance-reads.ts';
import { createAppealReads } from './appeal-reads.ts';
import { readOpenings } from './openings.ts';
import { createReservationReads } from './reservation-reads.ts';
import { createStepReads } from './step-reads.ts';
import { createUseReads } from './use-reads.ts';
import { batchesAbi, corAbi, queueAbi, registryAbi, sessionsAbi } from './abi.ts';
import { readFactBlocks, readHeader } from './fact-reader.ts';
import { rolesIn } from './role-set.ts';
import { toTaskRecord } from './task-record.ts';
import { asked, type RpcClient } from './rpc-client.ts';

/** Nodes of one page of the registry. */
const nodesPerPage = 100;

/** The state of a node that takes new work. */
const activeState = 1;

/** The state of a task that the queue does not have. */
const noTask = 0;

/** What the contracts say now; each read is one question to the latest block, or says otherwise. */
export interface ChainReads extends AllowanceReads, AppealReads, StepReads, OpeningReads, UseReads, ReservationReads {
  block(number?: number): Promise<Block>;
  facts(fromBlock: number, toBlock: number): Promise<readonly ChainFact[]>;
  submittedBlock(task: TaskId): Promise<number | undefined>;
  task(task: TaskId): Promise<ChainTaskRecord | undefined>;
  node(address: Address): Promise<NodeRecord | undefined>;
  nodes(): Promise<readonly NodeRecord[]>;
  servedModels(node: Address): Promise<readonly Hex[]>;
  corBalance(address: Address): Promise<Wei>;
  earnings(address: Address): Promise<Wei>;
  money(): Promise<MoneyTotals>;
  batchClaimed(poster: Address, account: Address): Promise<Wei>;
}

/** The reads of a deployment. Each throws PouwError `chain_unreachable`, or `chain_refused` where a contract is missing. */
export function createReads(client: RpcClient, deployment: Deployment): ChainReads {
  const { cor, registry, sessions, queue, batches } = deployment;
  return {
    ...createAllowanceReads(client, deployment),
    ...createAppealReads(client, deployment),
    ...createStepReads(client, deployment),
    ...createUseReads(client, deployment),
    ...createReservationReads(client, deployment),
    block: (number) => asked('a block', () => readBlock(client, number)),
    facts: (fromBlock, toBlock) => asked('facts', () => readFacts(client, deployment, fromBlock, toBlock)),
    openings: (of) => asked('openings of sessions', () => readOpenings(client, deployment, of)),
    submittedBlock: (task) =>
      asked('a task', async () => {
        const { state, submittedBlock } = await readTask(client, queue, task);
        return state === noTask ? undefined : submittedBlock;
      }),
    task: (task) =>
      asked('a task', async () => {
        const record = await readTask(client, queue, task);
        return record.state === noTask ? undefined : toTaskRecord(record, deployment);
      }),
    node: (address) =>
      asked('a node', async () => {
        const record = await client.readContract({
          address: registry,
          abi: registryAbi,
          functionName: 'nodeOf',
          args: [address],
        });
        return record.number === 0 ? undefined : toNode(record);
      }),
    nodes: () => asked('the nodes', () => readNodes(client, registry)),
    servedModels: (node) =>
      asked('models', () =>
        client.readContract({ address: registry, abi: registryAbi, functionName: 'modelsOf', args: [node] }),
      ),
    corBalance: (address) =>
      asked('a balance', async () =>
        wei(await client.readContract({ address: cor, abi: corAbi, functionName: 'balanceOf', args: [address] })),
      ),
    earnings: (address) =>
      asked('earnings', async () =>
        wei(
          await client.readContract({
            address: sessions,
            abi: sessionsAbi,
            functionName: 'earningsOf',
            args: [address],
          }),
        ),
      ),
    money: () => asked('the totals', () => readMoney(client, deployment)),
    batchClaimed: (poster, account) =>
      asked('what batches have paid', async () => {
        const args = [poster, account] as const;
        return wei(await client.readContract({ address: batches, abi: batchesAbi, functionName: 'claimedOf', args }));
      }),
  };
}

async function readTask(client: RpcClient, address: Address, task: TaskId) {
  return client.readContract({ address, abi: queueAbi, functionName: 'taskOf', args: [task] });
}

async function readBlock(client: RpcClient, number: number | undefined): Promise<Block> {
  const header = await readHeader(client, number ?? 'latest');
  if (header === undefined) {
    throw new PouwError('block_not_found', `The chain has no block ${number}.`, {
      class: 'not-found',
      hint: 'Wait for the block first.',
    });
  }
  return { number: header.number, hash: header.hash, at: header.at };
}

async function readFacts(client: RpcClient, deployment: Deployment, from: number, to: number): Promise<ChainFact[]> {
  const facts: ChainFact[] = [];
  for (let start = Math.max(from, deployment.fromBlock); start <= to; start += limits.chainLogRangeBlocksMax) {
    const end = Math.min(to, start + limits.chainLogRangeBlocksMax - 1);
    for (const block of await readFactBlocks(client, deployment, start, end)) facts.push(...block.facts);
  }
  return facts;
}

async function readNodes(client: RpcClient, registry: Address): Promise<NodeRecord[]> {
  const nodes: NodeRecord[] = [];
  for (let from = 0n; ; from += BigInt(nodesPerPage)) {
    const args = [from, BigInt(nodesPerPage)] as const;
    const page = await client.readContract({ address: registry, abi: registryAbi, functionName: 'nodesPage', args });
    nodes.push(...page.map(toNode));
    if (page.length < nodesPerPage) return nodes;
  }
}

function toNode(record: {
  readonly node: string;
  readonly number: number;
  readonly roles: number;
  readonly state: number;
  readonly level: number;
  readonly key: `0x${string}`;
  readonly stakeWei: bigint;
  readonly coolUntilAt: number;
  readonly unbondsAt: number;
}): NodeRecord {
  const { node, number, roles, state, level, key, stakeWei, coolUntilAt, unbondsAt } = record;
  return {
    node: toAddress(node),
    number,
    roles: rolesIn(roles),
    key,
    stakeWei: wei(stakeWei),
    active: state === activeState,
    level,
    coolUntilAt: coolUntilAt * 1_000,
    ...(unbondsAt === 0 ? {} : { unbondsAt: unbondsAt * 1_000 }),
  };
}

/**
 * Sessions and stakes together: a stake is a deposit, counts as balance while it is there, as slashed or as
 * refunded after; what is slashed stays until the treasury and challengers take it out. All four answers are of one block, or the sums would not add up.
 */
async function readMoney(client: RpcClient, deployment: Deployment): Promise<MoneyTotals> {
  const { cor, registry, sessions } = deployment;
  const blockNumber = await client.getBlockNumber({ cacheTime: 0 });
  const at = { blockNumber } as const;
  const [session, stake, inSessions, inRegistry] = await Promise.all([
    client.readContract({ address: sessions, abi: sessionsAbi, functionName: 'totals', ...at }),
    client.readContract({ address: registry, abi: registryAbi, functionName: 'totals', ...at }),
    client.readContract({ address: cor, abi: corAbi, functionName: 'balanceOf', args: [sessions], ...at }),
    client.readContract({ address: cor, abi: corAbi, functionName: 'balanceOf', args: [registry], ...at }),
  ]);
  return {
    depositedWei: addWei(wei(session.depositedWei), wei(stake.depositedWei)),
    balanceWei: addWei(wei(session.balanceWei), wei(stake.stakedWei)),
    escrowedWei: wei(session.escrowedWei),
    paidWei: wei(session.paidWei),
    refundedWei: addWei(wei(session.refundedWei), wei(stake.withdrawnWei)),
    slashedWei: wei(stake.slashedWei),
    heldWei: addWei(wei(inSessions), wei(inRegistry)),
    unclaimedWei: addWei(wei(session.unclaimedWei), wei(stake.unclaimedWei)),
  };
}

import { createPublicClient, http, parseEventLogs } from 'viem';
import { corAbi, queueAbi, sessionsAbi } from './abi.ts';
import { createReads } from './reads.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { contractNames, type Deployment, type MoneyTotals } from '../../ports/chain.ts';

/** A session as the chain has it. */
export interface SessionOnChain {
  readonly balanceWei: bigint;
  readonly escrowedWei: bigint;
  /** Sums over the session's events. */
  readonly depositedWei: bigint;
  readonly paidWei: bigint;
}

/** What the contracts have logged from their first block to the newest, read by nobody's account. */
export interface ChainAudit {
  /** How often each effect was applied, by `sender/effect`. */
  readonly effects: ReadonlyMap<string, number>;
  /** The ends of each task: `TaskSettled` and `TaskRefunded`, in chain order. */
  readonly endings: ReadonlyMap<string, readonly string[]>;
  readonly submitted: ReadonlyMap<string, number>;
  readonly money: MoneyTotals;
  session(id: SessionId): Promise<SessionOnChain>;
  /** What an account holds in $COR, in wei. */
  corBalance(account: Address): Promise<bigint>;
  /** What was spent on the contracts so far. */
  spent(): Promise<ChainSpending>;
}

/** What the transactions that the contracts have logged anything of have cost; refused ones leave no log. */
export interface ChainSpending {
  /** All of them, those of sessions, nodes and anchors too. */
  readonly transactions: number;
  /** The gas of those about tasks. */
  readonly taskGas: number;
}

/**
 * Reads everything that the contracts of a deployment have logged, to see that nothing was applied twice.
 *
 * @throws PouwError `chain_unreachable`.
 */
export async function auditDeployment(rpcUrl: string, deployment: Deployment): Promise<ChainAudit> {
  const client = createPublicClient({ transport: http(rpcUrl, { batch: true }) });
  const address = contractNames.map((name) => deployment[name]);
  const logs = await client.getLogs({ address, fromBlock: 0n, toBlock: 'latest' });
  const effects = new Map<string, number>();
  for (const { args } of parseEventLogs({ abi: corAbi, eventName: 'EffectApplied', logs })) {
    countUp(effects, `${args.sender}/${args.effectId}`);
  }
  const tasks = parseEventLogs({ abi: queueAbi, logs });
  const endings = new Map<string, string[]>();
  const submitted = new Map<string, number>();
  for (const { eventName, args } of tasks) {
    if (eventName === 'TaskSubmitted' || eventName === 'StepSubmitted') countUp(submitted, args.taskId);
    if (eventName !== 'TaskSettled' && eventName !== 'TaskRefunded') continue;
    endings.set(args.taskId, [...(endings.get(args.taskId) ?? []), eventName]);
  }
  const deposits = parseEventLogs({ abi: sessionsAbi, eventName: 'SessionDeposited', logs });
  const settled = parseEventLogs({ abi: queueAbi, eventName: 'TaskSettled', logs });
  return {
    effects,
    endings,
    submitted,
    money: await createReads(client, deployment).money(),
    corBalance: async (account) => BigInt(await createReads(client, deployment).corBalance(account)),
    spent: async () => {
      const aboutTasks = new Set(tasks.map(({ transactionHash }) => transactionHash));
      const receipts = await Promise.all([...aboutTasks].map((hash) => client.getTransactionReceipt({ hash })));
      return {
        transactions: new Set(logs.map(({ transactionHash }) => transactionHash)).size,
        taskGas: receipts.reduce((sum, { gasUsed }) => sum + Number(gasUsed), 0),
      };
    },
    session: async (id) => {
      const number = BigInt(id.slice(id.lastIndexOf('-') + 1));
      const ofSession = <Log extends { readonly args: { readonly sessionId: bigint } }>(all: readonly Log[]): Log[] =>
        all.filter(({ args }) => args.sessionId === number);
      const onChain = await client.readContract({
        address: deployment.sessions,
        abi: sessionsAbi,
        functionName: 'sessionOf',
        args: [number],
      });
      return {
        balanceWei: onChain.balanceWei,
        escrowedWei: onChain.escrowedWei,
        depositedWei: ofSession(deposits).reduce((sum, { args }) => sum + args.amountWei, 0n),
        paidWei: ofSession(settled).reduce((sum, { args }) => sum + args.priceWei, 0n),
      };
    },
  };
}

function countUp(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

import { toEventSelector } from 'viem';
import type { ChainFact } from '../../core/chain-fact.ts';
import type { TaskId } from '../../core/ids.ts';
import type { StepReads, StepSource } from '../../ports/chain-steps.ts';
import type { Deployment } from '../../ports/chain.ts';
import { appealsAbi, queueAbi } from './abi.ts';
import { decodeFacts } from './facts.ts';
import { readLogs } from './logs.ts';
import { asked, type RpcClient } from './rpc-client.ts';

/** What the chain is asked about steps. Throws PouwError `chain_unreachable`, or `chain_refused` where a contract is missing. */
export function createStepReads(client: RpcClient, deployment: Deployment): StepReads {
  return {
    stepSource: (task) => asked('what a task is made of', () => readSource(client, deployment, task)),
  };
}

type Named = (typeof queueAbi | typeof appealsAbi)[number] & { readonly type: 'event' };

const selectorsOf = (...names: readonly string[]) =>
  [...queueAbi, ...appealsAbi]
    .filter((item): item is Named => item.type === 'event' && names.includes(item.name))
    .map((event) => toEventSelector(event));

const submissions = selectorsOf('TaskSubmitted', 'StepSubmitted');
const outcomes = selectorsOf('TaskRevealed', 'ResultValidated', 'AppealDecided');

async function readSource(client: RpcClient, deployment: Deployment, task: TaskId): Promise<StepSource | undefined> {
  const { queue, appeals } = deployment;
  const submittedBlock = await blockOf(client, deployment, task);
  if (submittedBlock === undefined) return undefined;
  const facts = async (topics: readonly `0x${string}`[], tasks: readonly TaskId[], from: number, to: number) =>
    decodeFacts(
      deployment,
      await readLogs(client, { addresses: [queue, appeals], topics: [topics, null, tasks] }, from, to),
      () => 0,
    );
  const [submitted] = await facts(submissions, [task], submittedBlock, submittedBlock);
  if (submitted?.type !== 'TaskSubmitted') return undefined;
  const { promptDigest, step = 0, after = [] } = submitted;
  if (after.length === 0) return { promptDigest, step, parents: [] };
  const blocks = await Promise.all(after.map((parent) => blockOf(client, deployment, parent)));
  const head = Number(await client.request({ method: 'eth_blockNumber' }));
  const first = Math.min(...blocks.map((block) => block ?? head));
  const seen = await facts(outcomes, after, first, head);
  return {
    promptDigest,
    step,
    parents: after.map((parent) => ({ task: parent, resultDigest: winning(seen, parent) })),
  };
}

async function blockOf(client: RpcClient, { queue }: Deployment, task: TaskId): Promise<number | undefined> {
  const { state, submittedBlock } = await client.readContract({
    address: queue,
    abi: queueAbi,
    functionName: 'taskOf',
    args: [task],
  });
  return state === 0 ? undefined : submittedBlock;
}

/** The result of the miner that won by the last word about a task: that of its validators, or of those on appeal. */
function winning(facts: readonly ChainFact[], task: TaskId): StepSource['parents'][number]['resultDigest'] {
  const own = facts.filter((fact) => 'task' in fact && fact.task === task);
  const words = own.flatMap((fact) => (fact.type === 'ResultValidated' || fact.type === 'AppealDecided' ? [fact] : []));
  const winner = words.at(-1)?.winner;
  const shown = own.flatMap((fact) => (fact.type === 'TaskRevealed' && fact.miner === winner ? [fact] : []));
  return shown.at(-1)?.resultDigest;
}

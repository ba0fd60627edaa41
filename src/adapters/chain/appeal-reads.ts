import { encodeFunctionData, toEventSelector } from 'viem';
import { present } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, sessionId, type TaskId, toAddress } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import { type AppealReads, appealStates, type ChainAppeal, type TaskCase } from '../../ports/chain-appeals.ts';
import type { ChainFact, Deployment } from '../../ports/chain.ts';
import { appealsAbi, corAbi, parametersAbi, queueAbi, sessionsAbi } from './abi.ts';
import { contractErrors } from './calls.ts';
import { decodeFacts } from './facts.ts';
import { readLogs } from './logs.ts';
import { decodeRevert } from './reverts.ts';
import { asked, nodeAnswer, type RpcClient } from './rpc-client.ts';

/** What the chain is asked about appeals. Each throws PouwError `chain_unreachable`, or `chain_refused` where a contract is missing. */
export function createAppealReads(client: RpcClient, deployment: Deployment): AppealReads {
  const { appeals, cor, parameters } = deployment;
  return {
    appeal: (task) => asked('an appeal', () => readAppeal(client, deployment, task)),
    taskCase: (task) => asked('the results of a task', () => readCase(client, deployment, task)),
    appealRules: () =>
      asked('the rules of appeals', async () => {
        const found = await client.readContract({ address: parameters, abi: parametersAbi, functionName: 'appeals' });
        return { bondWei: wei(found.bondWei), windowMaxS: found.windowMaxS };
      }),
    appealOwed: (account) =>
      asked('what is owed', async () => {
        const args = [account] as const;
        return wei(await client.readContract({ address: appeals, abi: appealsAbi, functionName: 'owedTo', args }));
      }),
    appealRefusal: (account, task) => asked('an appeal', () => tryAppeal(client, deployment, account, task)),
    appealAllowance: (account) =>
      asked('an allowance', async () => {
        const args = [account, appeals] as const;
        return wei(await client.readContract({ address: cor, abi: corAbi, functionName: 'allowance', args }));
      }),
  };
}

async function readAppeal(client: RpcClient, { appeals }: Deployment, task: TaskId): Promise<ChainAppeal | undefined> {
  const record = await client.readContract({
    address: appeals,
    abi: appealsAbi,
    functionName: 'appealOf',
    args: [task],
  });
  const state = present(appealStates[record.state], 'a state of an appeal');
  if (state === 'none') return undefined;
  const voters = record.opinions.reduce((set, opinion) => set | opinion.voters, 0n);
  return {
    state,
    appellant: toAddress(record.appellant),
    bondWei: wei(record.bondWei),
    wanted: record.wanted,
    needed: record.needed,
    beaconBlock: record.beaconBlock,
    beacon: /^0x0+$/.test(record.beacon) ? undefined : record.beacon,
    drawBy: record.drawBy * 1_000,
    attestBy: record.attestBy * 1_000,
    validators: record.validators.map((validator, place) => {
      return { validator: toAddress(validator), hasAttested: ((voters >> BigInt(place)) & 1n) === 1n };
    }),
  };
}

/** The slot's state in which a result was shown. */
const revealed = 4;

const shownNames: ReadonlySet<string> = new Set(['TaskSubmitted', 'StepSubmitted', 'TaskRevealed']);
const shownEvents = queueAbi.flatMap((item) => (item.type === 'event' && shownNames.has(item.name) ? [item] : []));

async function readCase(client: RpcClient, deployment: Deployment, task: TaskId): Promise<TaskCase | undefined> {
  const { queue, sessions } = deployment;
  const record = await client.readContract({ address: queue, abi: queueAbi, functionName: 'taskOf', args: [task] });
  if (record.slots.length === 0) return undefined;
  const { similarityBps, level } = await client.readContract({
    address: sessions,
    abi: sessionsAbi,
    functionName: 'rulesOf',
    args: [record.sessionId, record.version],
  });
  const head = Number(await client.request({ method: 'eth_blockNumber' }));
  const topics = [shownEvents.map((event) => toEventSelector(event)), null, task] as const;
  const logs = await readLogs(client, { addresses: [queue], topics }, record.submittedBlock, head);
  const facts = decodeFacts(deployment, logs, () => 0);
  const submitted = facts.find((fact) => fact.type === 'TaskSubmitted');
  const shown = facts.filter(
    (fact): fact is Extract<ChainFact, { type: 'TaskRevealed' }> => fact.type === 'TaskRevealed',
  );
  return {
    session: sessionId(deployment.chainId, deployment.sessions, record.sessionId),
    task,
    promptDigest: present(submitted, 'the submission of a task').promptDigest,
    similarityBps,
    level,
    results: record.slots.flatMap(({ miner, attempt, state }) => {
      const found = shown.find((fact) => fact.miner === toAddress(miner));
      if (state !== revealed || found === undefined) return [];
      return [{ miner: toAddress(miner), attempt, resultRoot: found.resultRoot, resultDigest: found.resultDigest }];
    }),
  };
}

const noEffect: Hex = `0x${'00'.repeat(32)}`;

/** Has the call made without sending it. Without the bond it comes as far as the token, which is asked last. */
async function tryAppeal(
  client: RpcClient,
  { appeals }: Deployment,
  account: Address,
  task: TaskId,
): Promise<string | undefined> {
  const data = encodeFunctionData({ abi: appealsAbi, functionName: 'appeal', args: [task, noEffect] });
  try {
    await client.call({ account, to: appeals, data });
    return undefined;
  } catch (error) {
    const answer = nodeAnswer(error);
    if (answer === undefined || (answer.data === undefined && !/revert/i.test(answer.message))) throw error;
    const { reason } = decodeRevert(contractErrors, answer.data);
    return reason.startsWith('ERC20') ? undefined : reason;
  }
}

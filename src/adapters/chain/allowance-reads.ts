import { encodeEventTopics } from 'viem';
import type { RouterGrant, SignedAllowance } from '../../core/allowance.ts';
import { present } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, type SessionId, sessionNumber, toAddress } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import type { AllowanceReads } from '../../ports/chain-allowances.ts';
import type { Deployment } from '../../ports/chain.ts';
import { allowancesAbi } from './abi.ts';
import { allowanceCall } from './allowance-calls.ts';
import { contractErrors } from './calls.ts';
import { readAllLogs } from './logs.ts';
import { decodeRevert } from './reverts.ts';
import { asked, nodeAnswer, type RpcClient } from './rpc-client.ts';

/** A trial leaves nothing behind. */
const noEffect: Hex = `0x${'00'.repeat(32)}`;

/** What the chain is asked about allowances. Each throws PouwError `chain_unreachable`, `chain_refused`. */
export function createAllowanceReads(client: RpcClient, deployment: Deployment): AllowanceReads {
  return {
    grant: (session, router) => asked('an allowance', () => readGrant(client, deployment, session, router)),
    allowanceRefusal: (signed) => asked('an allowance', () => tryAllowance(client, deployment, signed)),
  };
}

/** Every router that was ever allowed something of a session, with what it has left. */
export async function readGrants(
  client: RpcClient,
  deployment: Deployment,
  session: SessionId,
): Promise<readonly (RouterGrant & { readonly router: Address })[]> {
  const args = { sessionId: sessionNumber(session) };
  const topics = encodeEventTopics({ abi: allowancesAbi, eventName: 'AllowanceTaken', args });
  return asked('allowances', async () => {
    const filter = { addresses: [deployment.allowances], topics: topics.filter((topic) => topic !== null) };
    const logs = await readAllLogs(client, deployment, filter);
    // `router` is the second of the event's indexed arguments.
    const routers = new Set(logs.map((log) => toAddress(`0x${present(log.topics[2], 'a router').slice(-40)}`)));
    const found = await Promise.all(
      [...routers].map(async (router) => ({ router, grant: await readGrant(client, deployment, session, router) })),
    );
    return found.flatMap(({ router, grant }) => (grant === undefined ? [] : [{ router, ...grant }]));
  });
}

async function readGrant(
  client: RpcClient,
  { allowances }: Deployment,
  session: SessionId,
  router: Address,
): Promise<RouterGrant | undefined> {
  const args = [sessionNumber(session), router] as const;
  const [found, block] = await Promise.all([
    client.readContract({ address: allowances, abi: allowancesAbi, functionName: 'grantOf', args }),
    client.getBlock(),
  ]);
  if (/^0x0+$/.test(found.owner)) return undefined;
  return {
    owner: toAddress(found.owner),
    leftWei: wei(found.leftWei),
    taskLimitWei: wei(found.taskLimitWei),
    goodUntil: found.goodUntil * 1_000,
    chainAt: Number(block.timestamp) * 1_000,
  };
}

async function tryAllowance(
  client: RpcClient,
  { allowances }: Deployment,
  signed: SignedAllowance,
): Promise<string | undefined> {
  const data = allowanceCall({ call: 'useAllowance', ...signed }, noEffect);
  try {
    await client.call({ to: allowances, data });
    return undefined;
  } catch (error) {
    const answer = nodeAnswer(error);
    if (answer === undefined || (answer.data === undefined && !/revert/i.test(answer.message))) throw error;
    return decodeRevert(contractErrors, answer.data).reason;
  }
}

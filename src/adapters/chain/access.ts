import { encodeEventTopics, encodeFunctionData } from 'viem';
import type { AccountAccess, ChainFact } from '../../core/chain-fact.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import type { AccessCall, RouterAccess } from '../../ports/chain-access.ts';
import { registryAbi } from './abi.ts';
import { type RawLog, readAllLogs } from './logs.ts';
import type { RpcClient } from './rpc-client.ts';

/** `Access` of the contracts. */
export const accesses = ['unlisted', 'served', 'refused'] as const satisfies readonly AccountAccess[];

/** The data of a call to the registry. */
export function accessCall(call: AccessCall, effect: Hex): Hex {
  const abi = registryAbi;
  if (call.call === 'setExclusive')
    return encodeFunctionData({ abi, functionName: 'setExclusive', args: [call.exclusive, effect] });
  const args = [call.accounts, accesses.indexOf(call.access), effect] as const;
  return encodeFunctionData({ abi, functionName: 'setAccess', args });
}

/**
 * Reads whom a router serves. The registry keeps no list that could be asked for; its events tell.
 *
 * @param factsOf makes facts of logs.
 */
export async function readAccess(
  client: RpcClient,
  deployment: Deployment,
  router: Address,
  factsOf: (logs: readonly RawLog[]) => Promise<readonly ChainFact[]>,
): Promise<RouterAccess> {
  const { registry } = deployment;
  const topics = encodeEventTopics({ abi: registryAbi, eventName: 'AccessSet', args: { router } });
  const facts = await factsOf(await readAllLogs(client, deployment, { addresses: [registry], topics }));
  const said = new Map(facts.flatMap((fact) => (fact.type === 'AccessSet' ? [[fact.account, fact.access]] : [])));
  const listed = [...said].flatMap(([account, access]) => (access === 'unlisted' ? [] : [{ account, access }]));
  return {
    exclusive: await client.readContract({
      address: registry,
      abi: registryAbi,
      functionName: 'isExclusive',
      args: [router],
    }),
    listed: listed.toSorted((a, b) => (a.account < b.account ? -1 : 1)),
  };
}

/** Whether a router serves an account. */
export function readServed(
  client: RpcClient,
  { registry }: Deployment,
  router: Address,
  account: Address,
): Promise<boolean> {
  return client.readContract({
    address: registry,
    abi: registryAbi,
    functionName: 'isServed',
    args: [router, account],
  });
}

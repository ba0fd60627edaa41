import { encodeEventTopics } from 'viem';
import { isSessionId, sessionId, sessionNumber } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import type { OpeningsAsked, SessionOpening } from '../../ports/chain-openings.ts';
import { sessionsAbi } from './abi.ts';
import { decodeFacts } from './facts.ts';
import { readAllLogs, readLogs } from './logs.ts';
import type { RpcClient } from './rpc-client.ts';

/** Which routers sessions were opened with: those of some blocks, or one session wherever it was. */
export async function readOpenings(
  client: RpcClient,
  deployment: Deployment,
  asked: OpeningsAsked,
): Promise<readonly SessionOpening[]> {
  const [selector] = encodeEventTopics({ abi: sessionsAbi, eventName: 'SessionOpened' });
  const topics = 'session' in asked ? topicsOf(deployment, asked) : [selector];
  if (topics === undefined) return [];
  const filter = { addresses: [deployment.sessions], topics };
  const logs =
    'session' in asked
      ? await readAllLogs(client, deployment, filter)
      : await readLogs(client, filter, asked.fromBlock, asked.toBlock);
  return decodeFacts(deployment, logs, () => 0).flatMap((fact) =>
    fact.type === 'SessionOpened' ? [{ session: fact.session, routers: fact.terms.routers }] : [],
  );
}

type OneSession = Extract<OpeningsAsked, { readonly session: unknown }>;

/** Numbers of sessions are of 64 bits. */
const numberMax = 2n ** 64n - 1n;

/** Undefined for what is no session of these contracts: whoever writes a log may put any name there. */
function topicsOf({ chainId, sessions }: Deployment, { session }: OneSession) {
  const number = isSessionId(session) ? sessionNumber(session) : undefined;
  if (number === undefined || number > numberMax || sessionId(chainId, sessions, number) !== session) return undefined;
  const topics = encodeEventTopics({ abi: sessionsAbi, eventName: 'SessionOpened', args: { sessionId: number } });
  return topics.map((topic) => topic as `0x${string}`);
}

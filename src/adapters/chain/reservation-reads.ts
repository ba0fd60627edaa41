import { decodeEventLog, encodeEventTopics } from 'viem';
import { present } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, type SessionId, sessionNumber, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { type Wei, wei } from '../../core/wei.ts';
import type { Invitation, Reservation, ReservationReads } from '../../ports/chain-reservations.ts';
import type { Deployment } from '../../ports/chain.ts';
import { reservationsAbi } from './abi.ts';
import { readAllLogs } from './logs.ts';
import { asked, type RpcClient } from './rpc-client.ts';

/** What the chain is asked about reserved miners. Each throws PouwError `chain_unreachable`, `chain_refused`. */
export function createReservationReads(client: RpcClient, deployment: Deployment): ReservationReads {
  return {
    reservations: (session) => asked('reservations', () => readReservations(client, deployment, session)),
    invitations: (session) => asked('invitations', () => readInvitations(client, deployment, session)),
  };
}

/** What a miner earned by the end of its reservation in a transaction; undefined where none ended in it. */
export async function readReservationPay(
  client: RpcClient,
  deployment: Deployment,
  { session, miner, txHash }: { readonly session: SessionId; readonly miner: Address; readonly txHash: Hex },
): Promise<Wei | undefined> {
  const [abi, eventName] = [reservationsAbi, 'ReservationEnded'] as const;
  const topics = encodeEventTopics({ abi, eventName, args: { sessionId: sessionNumber(session), miner } });
  const logs = await readAllLogs(client, deployment, { addresses: [deployment.reservations], topics });
  const log = logs.find(({ transactionHash }) => transactionHash === txHash);
  if (log === undefined) return undefined;
  return wei(decodeEventLog({ abi, eventName, topics: log.topics, data: log.data }).args.paidWei);
}

async function readReservations(
  client: RpcClient,
  { reservations: address }: Deployment,
  session: SessionId,
): Promise<readonly Reservation[]> {
  const of = { address, abi: reservationsAbi } as const;
  const number = sessionNumber(session);
  const args = [number, 0n, BigInt(limits.dedicatedMinersMax)] as const;
  const miners = await client.readContract({ ...of, functionName: 'reservedPage', args });
  const found = await Promise.all(
    miners.map(async (miner) => {
      const reserved = await client.readContract({ ...of, functionName: 'reservationOf', args: [number, miner] });
      const times = { since: reserved.since * 1_000, reservedUntil: reserved.reservedUntil * 1_000 };
      return { miner: toAddress(miner), feeWei: wei(reserved.feeWei), ...times };
    }),
  );
  // One that ended between the two questions is none.
  return found.filter(({ reservedUntil }) => reservedUntil !== 0);
}

async function readInvitations(
  client: RpcClient,
  deployment: Deployment,
  session: SessionId,
): Promise<readonly Invitation[]> {
  const of = { address: deployment.reservations, abi: reservationsAbi } as const;
  const sessionId = sessionNumber(session);
  const topics = encodeEventTopics({ abi: reservationsAbi, eventName: 'MinerInvited', args: { sessionId } });
  const logs = await readAllLogs(client, deployment, { addresses: [deployment.reservations], topics });
  // `miner` is the second of the event's indexed arguments.
  const miners = new Set(logs.map((log) => toAddress(`0x${present(log.topics[2], 'a miner').slice(-40)}`)));
  const found = await Promise.all(
    [...miners].map(async (miner) => {
      const args = [sessionId, miner] as const;
      return { miner, version: await client.readContract({ ...of, functionName: 'invitationOf', args }) };
    }),
  );
  return found.filter(({ version }) => version !== 0);
}

import { type Address, roles, toAddress } from '../../core/ids.ts';
import { type PoolRole, roundStates } from '../../core/round-fact.ts';
import type { Deployment } from '../../ports/chain.ts';
import type { RoundRecord, RoundsChain, RoundsState } from '../../ports/rounds.ts';
import { networkAbi, parametersAbi } from './abi.ts';
import { connect } from './connect.ts';
import { at } from './fact-events.ts';
import { asked, type RpcClient } from './rpc-client.ts';
import type { RpcUrls } from './rpc-endpoints.ts';

/** How the contract of network sessions is reached. */
export interface RoundsChainOptions {
  readonly rpcUrl: RpcUrls;
  readonly deployment: Deployment;
  /** How long a question may be tried again, in milliseconds. */
  readonly retryMs?: number;
}

/** Reaches the network sessions of a deployment. @throws PouwError what `connect` throws. */
export async function openRoundsChain({
  rpcUrl,
  deployment,
  retryMs = 5_000,
}: RoundsChainOptions): Promise<RoundsChain> {
  const { client } = await connect({ url: rpcUrl, retryMs }, deployment.chainId);
  return createRoundsChain(client, deployment);
}

/** The same through a client that is there. */
export function createRoundsChain(client: RpcClient, { network, parameters }: Deployment): RoundsChain {
  const of = { address: network, abi: networkAbi } as const;
  const askedOf = <T>(read: () => Promise<T>): Promise<T> => asked('idle rounds', read);
  return {
    terms: () =>
      askedOf(async () => {
        const [times, start] = await Promise.all([
          client.readContract({ ...of, functionName: 'times' }),
          client.readContract({ ...of, functionName: 'EPOCH_START' }),
        ]);
        const { slotS, createS, prepareS, graceS } = times;
        return { startsAt: start * 1_000, slotS, createS, prepareS, graceS };
      }),
    state: () => askedOf(() => readState(client, network)),
    round: (round) =>
      askedOf(async () =>
        toRecord(round, await client.readContract({ ...of, functionName: 'roundOf', args: [BigInt(round)] })),
      ),
    isInPool: (role, node) =>
      askedOf(() => client.readContract({ ...of, functionName: 'isInPool', args: [roleNumber(role), node] })),
    quorum: (validators) =>
      askedOf(async () => {
        const shares = { address: parameters, abi: parametersAbi, functionName: 'shares' } as const;
        const { quorumBps } = await client.readContract(shares);
        return Math.floor((validators * quorumBps) / 10_000) + 1;
      }),
  };
}

/** The contract counts roles from 1. */
function roleNumber(role: PoolRole): number {
  return roles.indexOf(role) + 1;
}

async function readState(client: RpcClient, network: Address): Promise<RoundsState> {
  const { number: blockNumber, timestamp } = await client.getBlock({ blockTag: 'latest' });
  const of = { address: network, abi: networkAbi, blockNumber } as const;
  const [slot, newest, miners, validators, epoch] = await Promise.all([
    client.readContract({ ...of, functionName: 'slotAt', args: [timestamp] }),
    client.readContract({ ...of, functionName: 'newestRound' }),
    client.readContract({ ...of, functionName: 'poolSize', args: [roleNumber('miner')] }),
    client.readContract({ ...of, functionName: 'poolSize', args: [roleNumber('validator')] }),
    client.readContract({ ...of, functionName: 'epochAt', args: [timestamp] }),
  ]);
  const [round, credits] = await Promise.all([
    newest === 0n ? undefined : client.readContract({ ...of, functionName: 'roundOf', args: [newest] }),
    client.readContract({ ...of, functionName: 'creditSumOf', args: [epoch] }),
  ]);
  return {
    at: Number(timestamp) * 1_000,
    block: Number(blockNumber),
    slot: Number(slot),
    newest: round === undefined ? undefined : toRecord(Number(newest), round),
    pools: { miner: Number(miners), validator: Number(validators) },
    epoch: Number(epoch),
    credits: Number(credits),
  };
}

interface RoundOnChain {
  readonly state: number;
  readonly phaseBy: number;
  readonly creator: string;
  readonly preparer: string;
  readonly answers: readonly { readonly miner: string; readonly revealed: boolean; readonly precommit: string }[];
  readonly validators: readonly string[];
}

function toRecord(round: number, on: RoundOnChain): RoundRecord {
  return {
    round,
    state: at(roundStates, on.state),
    phaseBy: on.phaseBy * 1_000,
    creator: somebody(on.creator),
    preparer: somebody(on.preparer),
    answers: on.answers.map(({ miner, revealed, precommit }) => {
      return { miner: toAddress(miner), precommitted: !isZero(precommit), revealed };
    }),
    validators: on.validators.map(toAddress),
  };
}

function somebody(address: string): Address | null {
  return isZero(address) ? null : toAddress(address);
}

function isZero(hex: string): boolean {
  return /^0x0+$/.test(hex);
}

import { recoverAddress } from 'viem';
import { type Checkpoint, checkpointDigest } from '../../core/checkpoint.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, toAddress } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import type { ReputationChain, ReputationState } from '../../ports/reputation.ts';
import { networkAbi, parametersAbi, registryAbi, reputationAbi } from './abi.ts';
import { accountOfKey } from './accounts.ts';
import { connect } from './connect.ts';
import { chainError, type RpcClient } from './rpc-client.ts';
import type { RpcUrls } from './rpc-endpoints.ts';

/** What the reputation contract is reached by. */
export interface ReputationChainOptions {
  readonly rpcUrl: RpcUrls;
  readonly deployment: Deployment;
  /** The private keys of the accounts that sign. */
  readonly accounts: ReadonlyMap<Address, Hex>;
  /** How long a question may be tried again, in milliseconds. */
  readonly retryMs?: number;
}

/** The state of a checkpoint that counts. */
const finalState = 3;
const noState = 0;

/** Reaches the reputation contract of a deployment. @throws PouwError what `connect` throws. */
export async function openReputationChain(options: ReputationChainOptions): Promise<ReputationChain> {
  const { rpcUrl, deployment, accounts, retryMs = 5_000 } = options;
  const { client } = await connect({ url: rpcUrl, retryMs }, deployment.chainId);
  const asked = async <T>(what: string, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      throw chainError(error, `a question for ${what}`);
    }
  };
  return {
    state: () => asked('reputation', () => readState(client, deployment)),
    idleWork: (epoch, nodes) => asked('idle work', () => readIdleWork(client, deployment, epoch, nodes)),
    sign: async (by, checkpoint) => {
      const key = accounts.get(by);
      if (key === undefined)
        throw new PouwError('unknown_account', `No key for ${by} is here.`, {
          class: 'not-found',
          hint: 'Only accounts of this process can sign.',
        });
      const hash = checkpointDigest(deployment.chainId, deployment.reputation, checkpoint);
      const { sign } = accountOfKey(key);
      if (sign === undefined) throw new Error('a local account signs');
      return sign({ hash });
    },
    signerOf: async (checkpoint, signature) => {
      try {
        const hash = checkpointDigest(deployment.chainId, deployment.reputation, checkpoint);
        return toAddress(await recoverAddress({ hash, signature }));
      } catch {
        // Not a point of the curve, or too short: nobody has signed that.
        return undefined;
      }
    },
  };
}

async function readState(client: RpcClient, deployment: Deployment): Promise<ReputationState> {
  const blockNumber = await client.getBlockNumber({ cacheTime: 0 });
  const { timestamp } = await client.getBlock({ blockNumber });
  const of = { address: deployment.reputation, abi: reputationAbi, blockNumber } as const;
  const [now, newestEpoch, revision, oracles, shares] = await Promise.all([
    client.readContract({ ...of, functionName: 'epochAt', args: [timestamp] }),
    client.readContract({ ...of, functionName: 'newestEpoch' }),
    client.readContract({ ...of, functionName: 'revision' }),
    client.readContract({
      address: deployment.registry,
      abi: registryAbi,
      functionName: 'activeOracleCount',
      blockNumber,
    }),
    client.readContract({ address: deployment.parameters, abi: parametersAbi, functionName: 'shares', blockNumber }),
  ]);
  const endedEpoch = Math.max(0, Number(now) - 1);
  const endsAt = await client.readContract({ ...of, functionName: 'epochEndsAt', args: [BigInt(endedEpoch)] });
  const record =
    newestEpoch === 0n
      ? undefined
      : await client.readContract({ ...of, functionName: 'checkpointOf', args: [newestEpoch] });
  const isThere = record !== undefined && record.state !== noState;
  return {
    endedEpoch,
    endedAt: Number(endsAt) * 1_000,
    newest: isThere ? { checkpoint: toCheckpoint(record.checkpoint), isFinal: record.state === finalState } : undefined,
    revision,
    quorum: Math.min(signaturesMax, Math.floor((Number(oracles) * shares.quorumBps) / 10_000) + 1),
  };
}

/** More than so many signatures are never needed (`IncentiveLimits.SIGNATURES_MAX`). */
const signaturesMax = 256;

async function readIdleWork(
  client: RpcClient,
  { network }: Deployment,
  epoch: number,
  nodes: readonly Address[],
): Promise<ReadonlyMap<Address, number>> {
  const of = { address: network, abi: networkAbi } as const;
  const credits = new Map<Address, number>();
  // Most epochs have none at all: one question then.
  if ((await client.readContract({ ...of, functionName: 'creditSumOf', args: [BigInt(epoch)] })) === 0n) return credits;
  for (const node of nodes) {
    const count = await client.readContract({ ...of, functionName: 'creditsOf', args: [BigInt(epoch), node] });
    if (Number(count) > 0) credits.set(node, Number(count));
  }
  return credits;
}

type CheckpointOnChain = {
  readonly [Name in keyof Omit<Checkpoint, 'root' | 'manifestDigest' | 'nodes' | 'revision'>]: bigint;
} & Pick<Checkpoint, 'root' | 'manifestDigest' | 'nodes' | 'revision'>;

function toCheckpoint(checkpoint: CheckpointOnChain): Checkpoint {
  const { epoch, skipped, fromPosition, toPosition, anchorEpoch, idleWork, ...same } = checkpoint;
  return {
    ...same,
    epoch: Number(epoch),
    skipped: Number(skipped),
    fromPosition: Number(fromPosition),
    toPosition: Number(toPosition),
    anchorEpoch: Number(anchorEpoch),
    idleWork: Number(idleWork),
  };
}

/** A checkpoint as the contract takes it. */
export function checkpointStruct(checkpoint: Checkpoint): CheckpointOnChain {
  const { epoch, skipped, fromPosition, toPosition, anchorEpoch, idleWork, ...same } = checkpoint;
  return {
    ...same,
    epoch: BigInt(epoch),
    skipped: BigInt(skipped),
    fromPosition: BigInt(fromPosition),
    toPosition: BigInt(toPosition),
    anchorEpoch: BigInt(anchorEpoch),
    idleWork: BigInt(idleWork),
  };
}

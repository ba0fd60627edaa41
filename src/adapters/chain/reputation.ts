import { encodeEventTopics, recoverAddress } from 'viem';
import { type Checkpoint, checkpointDigest, rulingDigest } from '../../core/checkpoint.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, toAddress } from '../../core/ids.ts';
import { type Wei, wei } from '../../core/wei.ts';
import type { Deployment } from '../../ports/chain.ts';
import type { PostedCheckpoint, ReputationChain, ReputationState } from '../../ports/reputation.ts';
import { corAbi, networkAbi, parametersAbi, registryAbi, reputationAbi } from './abi.ts';
import { accountOfKey } from './accounts.ts';
import { connect } from './connect.ts';
import { readAllLogs } from './logs.ts';
import { asked, type RpcClient } from './rpc-client.ts';
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

/** The contract's states, in its order. */
const states = ['none', 'open', 'disputed', 'final'] as const;

/** Reaches the reputation contract of a deployment. @throws PouwError what `connect` throws. */
export async function openReputationChain(options: ReputationChainOptions): Promise<ReputationChain> {
  const { rpcUrl, deployment, accounts, retryMs = 5_000 } = options;
  const { client } = await connect({ url: rpcUrl, retryMs }, deployment.chainId);
  const { chainId, reputation: contract, cor } = deployment;
  return {
    state: () => asked('reputation', () => readReputation(client, deployment)),
    idleWork: (epoch, nodes) => asked('idle work', () => readIdleWork(client, deployment, epoch, nodes)),
    sign: (by, checkpoint) => signDigest(accounts, by, checkpointDigest(chainId, contract, checkpoint)),
    signerOf: (checkpoint, signature) => signerOfDigest(checkpointDigest(chainId, contract, checkpoint), signature),
    signRuling: (by, ruling) => signDigest(accounts, by, rulingDigest(chainId, contract, ruling)),
    signerOfRuling: (ruling, signature) => signerOfDigest(rulingDigest(chainId, contract, ruling), signature),
    owed: (account) => asked('bonds', () => readOwed(client, deployment, account)),
    withdrawals: (account) => asked('bonds', () => countWithdrawals(client, deployment, account)),
    allowance: (account) =>
      asked('an allowance', async () => {
        const of = { address: cor, abi: corAbi, functionName: 'allowance' } as const;
        return wei(await client.readContract({ ...of, args: [account, contract] }));
      }),
  };
}

async function signDigest(accounts: ReadonlyMap<Address, Hex>, by: Address, hash: Hex): Promise<Hex> {
  const key = accounts.get(by);
  if (key === undefined)
    throw new PouwError('unknown_account', `No key for ${by} is here.`, {
      class: 'not-found',
      hint: 'Only accounts of this process can sign.',
    });
  const { sign } = accountOfKey(key);
  if (sign === undefined) throw new Error('a local account signs');
  return sign({ hash });
}

async function signerOfDigest(hash: Hex, signature: Hex): Promise<Address | undefined> {
  try {
    return toAddress(await recoverAddress({ hash, signature }));
  } catch {
    // Not a point of the curve, or too short: nobody has signed that.
    return undefined;
  }
}

/** What of the bonds of disputes an account can take. */
export async function readOwed(client: RpcClient, { reputation }: Deployment, account: Address): Promise<Wei> {
  const of = { address: reputation, abi: reputationAbi, functionName: 'owedTo' } as const;
  return wei(await client.readContract({ ...of, args: [account] }));
}

/** How often an account has taken its bonds: what names the next time, whoever asks. */
export async function countWithdrawals(client: RpcClient, deployment: Deployment, account: Address): Promise<number> {
  const { reputation } = deployment;
  const topics = encodeEventTopics({ abi: reputationAbi, eventName: 'BondWithdrawn', args: { account } });
  const filter = { addresses: [reputation], topics: topics.filter((topic) => topic !== null) };
  return (await readAllLogs(client, deployment, filter)).length;
}

/** Where reputation stands, all of the newest block. */
export async function readReputation(client: RpcClient, deployment: Deployment): Promise<ReputationState> {
  const blockNumber = await client.getBlockNumber({ cacheTime: 0 });
  const { timestamp } = await client.getBlock({ blockNumber });
  const of = { address: deployment.reputation, abi: reputationAbi, blockNumber } as const;
  const registry = { address: deployment.registry, abi: registryAbi, blockNumber } as const;
  const parameters = { address: deployment.parameters, abi: parametersAbi, blockNumber } as const;
  const [now, newestEpoch, revision, disputeS, oracles, shares] = await Promise.all([
    client.readContract({ ...of, functionName: 'epochAt', args: [timestamp] }),
    client.readContract({ ...of, functionName: 'newestEpoch' }),
    client.readContract({ ...of, functionName: 'revision' }),
    client.readContract({ ...of, functionName: 'DISPUTE_S' }),
    client.readContract({ ...registry, functionName: 'activeOracleCount' }),
    client.readContract({ ...parameters, functionName: 'shares' }),
  ]);
  const endedEpoch = Math.max(0, Number(now) - 1);
  const endsAt = await client.readContract({ ...of, functionName: 'epochEndsAt', args: [BigInt(endedEpoch)] });
  return {
    at: Number(timestamp) * 1_000,
    endedEpoch,
    endedAt: Number(endsAt) * 1_000,
    newest: await readPosted(client, of, newestEpoch),
    revision,
    ...quorums(Number(oracles), shares.quorumBps),
    disputeMs: disputeS * 1_000,
  };
}

/** As `Quorum` counts: a ruling needs more than two thirds, and never less than a checkpoint. */
function quorums(oracles: number, quorumBps: number): Pick<ReputationState, 'quorum' | 'rulingQuorum'> {
  const quorum = Math.min(signaturesMax, Math.floor((oracles * quorumBps) / 10_000) + 1);
  const twoThirds = Math.min(signaturesMax, Math.floor((2 * oracles) / 3) + 1);
  return { quorum, rulingQuorum: Math.max(quorum, twoThirds) };
}

async function readPosted(
  client: RpcClient,
  of: { readonly address: Address; readonly abi: typeof reputationAbi; readonly blockNumber: bigint },
  epoch: bigint,
): Promise<PostedCheckpoint | undefined> {
  const recordOf = async (one: bigint) => {
    const record = await client.readContract({ ...of, functionName: 'checkpointOf', args: [one] });
    const { checkpoint, dueAt, disputer } = record;
    const state = states[record.state] ?? 'none';
    return { checkpoint, dueAt, state, disputer: BigInt(disputer) === 0n ? undefined : toAddress(disputer) };
  };
  const { checkpoint, state, dueAt, disputer } = await recordOf(epoch);
  if (state === 'none') return undefined;
  const endsAt = await client.readContract({ ...of, functionName: 'epochEndsAt', args: [epoch] });
  const before = await recordOf(epoch - checkpoint.skipped - 1n);
  return {
    checkpoint: toCheckpoint(checkpoint),
    state,
    endedAt: Number(endsAt) * 1_000,
    dueAt: dueAt * 1_000,
    disputer,
    before:
      before.state === 'none'
        ? undefined
        : { anchorEpoch: Number(before.checkpoint.anchorEpoch), disputer: before.disputer },
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

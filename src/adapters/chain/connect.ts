import { setTimeout as sleep } from 'node:timers/promises';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import { contractNames, type Deployment } from '../../ports/chain.ts';
import { readHeader } from './fact-reader.ts';
import { chainError, createRpcClient, endpointsOf, type RpcClient, type RpcClientOptions } from './rpc-client.ts';
import type { RpcEndpoints } from './rpc-endpoints.ts';

const firstBlockTimeoutMs = 30_000;

/** A node that answered, and which chain it serves. */
export interface Connection {
  readonly client: RpcClient;
  readonly chainId: number;
  /**
   * The hash of block 1, which tells chains with the same id apart. Not of block 0: an anvil that loads a state
   * makes a block 0 of its own beside the loaded one and answers with either.
   */
  readonly chain: Hex;
  /** Where it is asked. */
  readonly endpoints: RpcEndpoints;
}

/**
 * Connects to a node and asks which chain it serves.
 *
 * @throws PouwError `chain_unreachable`, `chain_refused`, `wrong_chain` where it is not `expectedChainId`.
 */
export async function connect(options: RpcClientOptions, expectedChainId?: number): Promise<Connection> {
  const endpoints = endpointsOf(options.url);
  const client = createRpcClient({ ...options, url: endpoints });
  try {
    const chainId = await client.getChainId();
    if (expectedChainId !== undefined && chainId !== expectedChainId)
      throw wrongChain(endpoints.shown, chainId, expectedChainId);
    const chain = await firstBlock(client, options.signal);
    await endpoints.pin({ chainId, blocks: [{ number: 1, hash: chain }] });
    return { client, chainId, chain, endpoints };
  } catch (error) {
    throw chainError(error, 'a question for its id');
  }
}

/** A chain that was just started makes its first block in a moment. */
async function firstBlock(client: RpcClient, signal: AbortSignal | undefined): Promise<Hex> {
  const giveUpAt = performance.now() + firstBlockTimeoutMs;
  if ((await readHeader(client, 1)) === undefined) await mineOnDevelopmentChain(client);
  while (performance.now() < giveUpAt) {
    const header = await readHeader(client, 1);
    if (header !== undefined) return header.hash;
    await sleep(50, undefined, signal === undefined ? {} : { signal });
  }
  throw new Error(
    `the node has made no block within ${firstBlockTimeoutMs / 1_000} s; a chain is told apart by its first`,
  );
}

/** A development chain that was just started makes no block until somebody sends something. */
async function mineOnDevelopmentChain(client: RpcClient): Promise<void> {
  const version = await client.request({ method: 'web3_clientVersion' });
  if (/^(anvil|hardhat)/i.test(version)) await client.request({ method: 'evm_mine' } as never);
}

function wrongChain(url: string, found: number, expected: number): PouwError {
  return new PouwError('wrong_chain', `The node at ${url} serves chain ${found}, not ${expected}.`, {
    class: 'invalid',
    hint: 'Name the right node with --rpc, or use another --data directory for this chain.',
    details: { found, expected },
  });
}

/** Checks that a node serves the very chain whose first block this is: others may have its id. @throws PouwError `wrong_chain`. */
export function requireChain({ chainId, chain, endpoints }: Connection, expected: Hex): void {
  if (chain === expected) return;
  throw new PouwError('wrong_chain', `The node at ${endpoints.shown} serves another chain with the id ${chainId}.`, {
    class: 'invalid',
    why: 'Its first block is not the one of the chain that the contracts were deployed to.',
    hint: 'Name the right node with --rpc, restore the chain from a copy, or use another --data directory for this chain.',
  });
}

/**
 * Holds all endpoints to the block of a deployment as well: a chain may share its first blocks with another one.
 *
 * @throws PouwError `wrong_chain`, `chain_unreachable`, `chain_refused`.
 */
export async function pinDeployment({ client, chainId, chain, endpoints }: Connection, at: number): Promise<void> {
  if (!endpoints.areSeveral) return;
  try {
    const header = await readHeader(client, at);
    const deployed = header === undefined ? [] : [{ number: at, hash: header.hash }];
    await endpoints.pin({ chainId, blocks: [{ number: 1, hash: chain }, ...deployed] });
  } catch (error) {
    throw chainError(error, 'a question for the block of the deployment');
  }
}

/** Checks that the chain has the code of a deployment. @throws PouwError `contracts_missing`. */
export async function requireContracts(connection: Connection, deployment: Deployment): Promise<void> {
  for (const name of contractNames) {
    const address = deployment[name];
    const code = await connection.client.getCode({ address }).catch((error: unknown) => {
      throw chainError(error, 'a question for a contract');
    });
    if (code === undefined || code === '0x') throw contractsMissing(name, address);
  }
}

function contractsMissing(name: string, address: Address): PouwError {
  return new PouwError('contracts_missing', `There is no ${name} contract at ${address}.`, {
    class: 'not-found',
    why: 'The contracts were deployed to another chain, or the chain has lost them.',
    hint: 'Check --rpc, or start on a new --data directory to deploy again.',
    details: { contract: name, address },
  });
}

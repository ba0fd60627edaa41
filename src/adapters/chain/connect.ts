import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import { readHeader } from './fact-reader.ts';
import { chainError, createRpcClient, type RpcClient, type RpcClientOptions } from './rpc-client.ts';

/** A node that answered, and which chain it serves. */
export interface Connection {
  readonly client: RpcClient;
  readonly chainId: number;
  /** The hash of block 0: another chain with the same id has another one. */
  readonly chain: Hex;
}

/**
 * Connects to a node and asks which chain it serves.
 *
 * @throws PouwError `chain_unreachable`, `chain_refused`, `wrong_chain` where it is not `expectedChainId`.
 */
export async function connect(options: RpcClientOptions, expectedChainId?: number): Promise<Connection> {
  const client = createRpcClient(options);
  try {
    const [chainId, genesis] = [await client.getChainId(), await readHeader(client, 0)];
    if (expectedChainId !== undefined && chainId !== expectedChainId)
      throw wrongChain(options.url, chainId, expectedChainId);
    if (genesis === undefined) throw new Error('the node does not know block 0');
    return { client, chainId, chain: genesis.hash };
  } catch (error) {
    throw chainError(error, 'a question for its id');
  }
}

function wrongChain(url: string, found: number, expected: number): PouwError {
  return new PouwError('wrong_chain', `The node at ${url} serves chain ${found}, not ${expected}.`, {
    class: 'invalid',
    hint: 'Name the right node with --rpc, or use another --data directory for this chain.',
    details: { found, expected },
  });
}

/** Checks that the chain has the code of a deployment. @throws PouwError `contracts_missing`. */
export async function requireContracts(connection: Connection, deployment: Deployment): Promise<void> {
  const { cor, registry, sessions, queue, anchors } = deployment;
  for (const [name, address] of Object.entries({ cor, registry, sessions, queue, anchors })) {
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

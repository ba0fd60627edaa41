import { numberToHex } from 'viem';
import type { Hex } from '../../core/hash.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import type { Wei } from '../../core/wei.ts';
import type { Chain } from '../../ports/chain.ts';
import { accountOfKey, addressOfKey } from './accounts.ts';
import type { ChainStore } from './chain-store.ts';
import { connect, type Connection } from './connect.ts';
import { createFees } from './fees.ts';
import type { RpcUrls } from './rpc-endpoints.ts';
import { defaultBumpAfterMs } from './sender.ts';
import { createSenderPool } from './sender-pool.ts';
import { chainError } from './rpc-client.ts';

/** Who gets money for gas, and from whom. */
export interface FundGasOptions {
  readonly rpcUrl: RpcUrls;
  readonly accounts: readonly Address[];
  /** An account with less than this, in wei of the chain's own coin, is given twice as much. Default 1 coin. */
  readonly minimumWei?: bigint;
  /** Who pays on a chain that is not anvil. */
  readonly funder?: { readonly key: Hex; readonly store: ChainStore };
  /** How long the node may be unreachable, in milliseconds. Default 30,000. */
  readonly retryMs?: number;
  /** Ends all waiting for the node. */
  readonly signal?: AbortSignal;
}

const oneCoin = 10n ** 18n;

/**
 * Sees to it that accounts can pay for gas: on anvil by setting their balance, elsewhere by transfers from the
 * funder. Without a funder, accounts elsewhere are left as they are.
 *
 * @returns the accounts that were given something.
 * @throws PouwError `chain_unreachable`, `chain_refused`.
 */
export async function fundGas(options: FundGasOptions): Promise<readonly Address[]> {
  const { rpcUrl: url, retryMs = 30_000, signal } = options;
  const connection = await connect({ url, retryMs, ...(signal && { signal }) });
  const minimum = options.minimumWei ?? oneCoin;
  try {
    const local = await isAnvil(connection);
    const give = local ? setBalances(connection) : transfers(connection, options.funder);
    if (give === undefined) return [];
    const given: Address[] = [];
    for (const account of options.accounts) {
      if ((await connection.client.getBalance({ address: account })) >= minimum) continue;
      await give(account, minimum * 2n);
      given.push(account);
    }
    return given;
  } catch (error) {
    throw chainError(error, 'to fund accounts');
  }
}

type Give = (account: Address, amountWei: bigint) => Promise<void>;

/**
 * Whether a node is a development chain that mines when it is asked to.
 *
 * @throws PouwError `chain_unreachable`.
 */
export async function servesAnvil(rpcUrl: RpcUrls, retryMs = 30_000): Promise<boolean> {
  const connection = await connect({ url: rpcUrl, retryMs });
  try {
    return await isAnvil(connection);
  } catch (error) {
    throw chainError(error, 'a question for its version');
  }
}

async function isAnvil({ client }: Connection): Promise<boolean> {
  const version = await client.request({ method: 'web3_clientVersion' });
  return version.toLowerCase().startsWith('anvil');
}

function setBalances({ client }: Connection): Give {
  return async (account, amountWei) => {
    await client.request({ method: 'anvil_setBalance', params: [account, numberToHex(amountWei)] } as never);
  };
}

function transfers(connection: Connection, funder: FundGasOptions['funder']): Give | undefined {
  if (funder === undefined) return undefined;
  const { client } = connection;
  const senders = createSenderPool([accountOfKey(funder.key)], {
    ...connection,
    journal: funder.store.journal,
    fees: createFees(client),
    effectsOnChain: async () => new Map(),
    pollMs: 1_000,
    patienceMs: 120_000,
    bumpAfterMs: defaultBumpAfterMs,
  });
  return async (account, amountWei) => {
    // An account may run low again and again: each shortage is an effect of its own.
    const block = await client.getBlockNumber({ cacheTime: 0 });
    const effect = `fund.gas:${account}:${block}` as EffectId;
    const request = { to: account, data: '0x', value: amountWei, call: 'a transfer of gas money', errors: [] } as const;
    await senders.send(addressOfKey(funder.key), request, effect);
  };
}

/**
 * Gives accounts their first $COR, once each: called again, even after a crash, it changes nothing.
 *
 * @throws PouwError what {@link Chain.send} throws.
 */
export async function fundCor(chain: Chain, from: Address, shares: ReadonlyMap<Address, Wei>): Promise<void> {
  for (const [to, amountWei] of shares) {
    await chain.send(from, { call: 'transfer', to, amountWei }, `fund.cor:${to}:0` as EffectId);
  }
}

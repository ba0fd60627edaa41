import { addressOfKey } from '../../adapters/chain/accounts.ts';
import { type AnvilProcess, startAnvil } from '../../adapters/chain/anvil-process.ts';
import { blockLogFile, readBlockLog } from '../../adapters/chain/block-log.ts';
import { openChainStore } from '../../adapters/chain/chain-store.ts';
import { deployContracts } from '../../adapters/chain/deploy.ts';
import type { Incentives } from '../../adapters/chain/economy.ts';
import { fundCor, fundGas } from '../../adapters/chain/fund.ts';
import type { RpcUrls } from '../../adapters/chain/rpc-endpoints.ts';
import { createViemChain } from '../../adapters/chain/viem-chain.ts';
import type { DataDir } from '../../adapters/local/data-dir.ts';
import type { LocalStores } from '../../adapters/local/local-stores.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { LogMark } from '../../core/log-mark.ts';
import type { Address } from '../../core/ids.ts';
import { lessWei, type Wei } from '../../core/wei.ts';
import type { Chain } from '../../ports/chain.ts';
import type { Log } from '../../ports/log.ts';
import type { Member } from './members.ts';
import { reachWithinMs, recordOf, requireOwnChain, requireToldBlocks } from './own-chain.ts';
import { depositBond, registerMember } from './register.ts';
import { fundsOf, stakeWei } from './settings.ts';
import { requireMarks } from './whole-log.ts';
import { unlessEnded } from './unless-ended.ts';

/** What a chain is made from. */
export interface ComposeChainOptions {
  readonly data: DataDir;
  /** The endpoints of an outside chain; our own anvil where it is left out. */
  readonly rpcUrl: RpcUrls | undefined;
  /** The account that deploys and holds the token's supply. */
  readonly deployerKey: Hex;
  readonly members: readonly Member[];
  /** Epochs and slots of a new deployment that are not the usual ones. */
  readonly incentives?: Partial<Incentives> | undefined;
  /** Whether the log has nothing yet: only then may the directory begin with a chain. */
  readonly isLogEmpty: boolean;
  /** The log that runs on the chain, where there is one. */
  readonly stores?: Pick<LocalStores, 'events' | 'mark'>;
  readonly log: Log;
  /** Told what is going on, for a person who waits. */
  readonly onStep: (step: string) => void;
}

/** A chain with our contracts on it and everybody registered. */
export interface ComposedChain {
  readonly chain: Chain;
  /** The preferred endpoint, to be shown. */
  readonly rpcUrl: string;
  /** All of them. */
  readonly rpcUrls: RpcUrls;
  /** Resolves where our own chain ended although nobody stopped it. */
  readonly lost: Promise<PouwError>;
  /** Has the chain folder say from now on what the chain and how far the log is: what is started goes on. */
  accept(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts or reaches the chain, deploys what is missing, funds and registers the members.
 *
 * @throws PouwError `log_behind_chain`, `chain_parts_mixed`, `deployment_unknown`, `chain_state_missing`, `wrong_chain`
 *   where it is not the chain of the data directory, `key_file_foreign` where the keys are not those it was begun with; what starting, reaching and deploying throw.
 */
export async function composeChain(options: ComposeChainOptions): Promise<ComposedChain> {
  const { data, log, members, stores, onStep } = options;
  const directory = data.file('chain');
  const record = await recordOf(directory, options);
  const kept = (await readBlockLog(blockLogFile(directory)))?.logMark;
  // A start that is refused leaves the marks as they are: the log that they are of may be put back.
  let isAccepted = stores !== undefined && options.isLogEmpty;
  const mark = (): LogMark | undefined => (isAccepted ? stores?.mark() : kept);
  const store = openChainStore(data.file('chain', 'tx.sqlite'), () => (isAccepted ? stores?.mark() : undefined));
  let own: AnvilProcess | undefined;
  let chain: Chain | undefined;
  let isStopping = false;
  const stop = async (): Promise<void> => {
    isStopping = true;
    await chain?.close();
    store.close();
    await own?.stop();
  };
  try {
    if (stores !== undefined) await requireMarks(stores.events, [store.logMark, kept]);
    const anvil = options.rpcUrl === undefined ? await startOwnAnvil(directory, options, mark) : undefined;
    own = anvil;
    const ended = anvil?.exited.then(({ code, signal }) => chainLost(code, signal));
    return await unlessEnded(ended ?? new Promise<never>(() => {}), compose(anvil));
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }

  async function compose(anvil: AnvilProcess | undefined): Promise<ComposedChain> {
    const isHealed =
      anvil === undefined || record === undefined || (await requireToldBlocks(anvil, record.chain, store));
    const gone = new AbortController();
    void anvil?.exited.then(() => gone.abort());
    const { signal } = gone;
    const rpcUrl = options.rpcUrl ?? anvil?.url ?? '';
    if (record !== undefined) await requireOwnChain(record, rpcUrl, signal);
    const deployer = { key: options.deployerKey, address: addressOfKey(options.deployerKey) };
    const decreed = await fundGas({ rpcUrl, accounts: [deployer.address], retryMs: reachWithinMs, signal });
    onStep('contracts');
    // Who tries a network out by himself has nobody to warn.
    const terms = { deployerKey: deployer.key, timelockDelayS: 0, incentives: options.incentives };
    const { deployment } = await deployContracts({ rpcUrl, store, directory, signal, ...terms });
    const addresses = members.map((member) => member.address);
    const given = await fundGas({ rpcUrl, accounts: addresses, funder: { key: deployer.key, store }, signal });
    // Anvil gives coins without a transaction: no block has them, and none could be made again without them.
    if (decreed.length + given.length > 0) await anvil?.save();
    const accounts = new Map([
      [deployer.address, deployer.key],
      ...members.map(({ address, accountKey }) => [address, accountKey] as const),
    ]);
    chain = await createViemChain({
      rpcUrl,
      deployment,
      accounts,
      store,
      mineOnDemand: anvil !== undefined,
      pollMs: anvil === undefined ? 500 : 50,
      endpoints: { onChange: (change) => log.warn('another endpoint of the chain is in use', { ...change }) },
      ...(anvil === undefined ? {} : { keep: (block) => anvil.keep(block) }),
      signal,
      onError: (error) => log.error('chain', { error: errorMessage(error) }),
    });
    onStep('registry');
    await register(chain, deployer.address, members, options.isLogEmpty);
    const lost = new Promise<PouwError>((resolve) => {
      void anvil?.exited.then((exit) => {
        if (!isStopping) resolve(chainLost(exit.code, exit.signal));
      });
    });
    return {
      chain,
      rpcUrl: [rpcUrl].flat()[0] ?? '',
      rpcUrls: rpcUrl,
      lost,
      stop,
      accept: async () => {
        isAccepted = true;
        await anvil?.accept(isHealed);
      },
    };
  }
}

function chainLost(code: number | null, signal: string | null): PouwError {
  return new PouwError('chain_lost', 'The local chain has ended.', {
    class: 'unavailable',
    why: `anvil ended with ${signal ?? `exit code ${code}`}, and not because pouw stopped it.`,
    hint: 'Start again on the same data directory: it goes on from the last saved state.',
  });
}

function foreignKeys(): PouwError {
  return new PouwError('key_file_foreign', 'The key file is not the one that this network was begun with.', {
    class: 'corrupt',
    why: 'There is a log, and the registry on chain knows none of the nodes that these keys make.',
    hint: 'Restore keys.json from a copy, or use another --data directory: without it this network’s accounts are lost.',
  });
}

async function startOwnAnvil(
  directory: string,
  { log, isLogEmpty, onStep }: Pick<ComposeChainOptions, 'log' | 'isLogEmpty' | 'onStep'>,
  logMark: () => LogMark | undefined,
): Promise<AnvilProcess> {
  onStep('chain');
  return startAnvil({
    directory,
    logMark,
    held: !isLogEmpty,
    onStale: (stale) => log.warn('an anvil of an earlier run was still there and was stopped', { pid: stale.pid }),
    onLost: ({ code, message, why }) => log.error(message, { code, why: why ?? '' }),
    onError: (error) => log.error('the chain state was not saved', { error: errorMessage(error) }),
  });
}

async function register(
  chain: Chain,
  deployer: Address,
  members: readonly Member[],
  isLogEmpty: boolean,
): Promise<void> {
  const records = await Promise.all(members.map((member) => chain.node(member.address)));
  const missing = members.filter((_, index) => records[index] === undefined);
  if (missing.length === 0) return;
  if (!isLogEmpty && missing.length === members.length) throw foreignKeys();
  const shares = new Map<Address, Wei>();
  for (const member of missing) {
    const wanted = fundsOf(member.role);
    if (lessWei(await chain.corBalance(member.address), wanted)) shares.set(member.address, wanted);
  }
  await fundCor(chain, deployer, shares);
  await Promise.all(
    missing.map(async (member) => {
      await registerMember(chain, member, stakeWei[member.role]);
      if (member.role === 'router') await depositBond(chain, member.address);
    }),
  );
}

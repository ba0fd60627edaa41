import { join } from 'node:path';
import { openChainStore } from '../../adapters/chain/chain-store.ts';
import { type Ledger, openLedger } from '../../adapters/chain/ledger.ts';
import { createViemChain } from '../../adapters/chain/viem-chain.ts';
import { openDataDir } from '../../adapters/local/data-dir.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { keccak256 } from '../../core/hash.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import { addWei, formatCor, lessWei, type Wei } from '../../core/wei.ts';
import type { Chain, ChainCall, ChainReceipt, Spender } from '../../ports/chain.ts';
import { Progress } from '../progress.ts';
import type { Account } from './account.ts';
import type { ChainPlace } from './place.ts';

/** What came of a call. */
export interface Sent {
  readonly receipt: ChainReceipt;
  /** Whether an earlier run had carried it out: nothing was done again. */
  readonly before: boolean;
}

/** One account on one deployment, for the length of a command. */
export class Wallet {
  readonly address: Address;
  readonly ledger: Ledger;
  /** The data folder. */
  readonly folder: string;
  readonly #chain: Chain;
  readonly #progress: Progress;

  constructor(address: Address, ledger: Ledger, folder: string, chain: Chain, progress: Progress) {
    this.address = address;
    this.folder = folder;
    this.ledger = ledger;
    this.#chain = chain;
    this.#progress = progress;
  }

  get chain(): Chain {
    return this.#chain;
  }

  /** Says what is being done, for a person who waits. */
  step(done: number, total: number, note: string): void {
    this.#progress.update(done, total, note);
  }

  /** The id of something this account does: the same words give the same id, and so one effect on chain at most. */
  effect(what: string, request: string): EffectId {
    return `cli.${what}:${this.address}:${request}` as EffectId;
  }

  /** Carries a call out, once. @throws PouwError what `Chain.send` throws. */
  async send(call: ChainCall, effect: EffectId): Promise<Sent> {
    const before = (await this.ledger.effect(this.address, effect)) !== undefined;
    const receipt = await this.#chain.send(this.address, call, effect);
    return { receipt, before };
  }

  /** @throws PouwError `insufficient_cor` where the account does not hold an amount. */
  async requireCor(amountWei: Wei): Promise<void> {
    const held = await this.ledger.corBalance(this.address);
    if (!lessWei(held, amountWei)) return;
    throw new PouwError(
      'insufficient_cor',
      `${this.address} holds ${formatCor(held)} $COR, not ${formatCor(amountWei)}.`,
      {
        class: 'payment',
        hint: 'Send it $COR first, or name another account with --key, --role and --index.',
        details: { account: this.address, heldWei: held, neededWei: amountWei },
      },
    );
  }

  /**
   * Lets a contract take so much more than nothing: what it may take already stays its own. Nothing is paid by it, so
   * each shortage is an effect of its own.
   */
  async allow(spender: Spender, amountWei: Wei): Promise<void> {
    const allowed = await this.ledger.allowance(this.address, spender);
    if (!lessWei(allowed, amountWei)) return;
    const { number } = await this.ledger.block();
    const call = { call: 'approve', spender, amountWei: addWei(allowed, amountWei) } as const;
    await this.#chain.send(this.address, call, this.effect('approve', `${spender}/${allowed}/${number}`));
  }
}

/**
 * Does something with an account. Its transactions are written down in the data folder before they are sent, so that a
 * command that was killed goes on where it was.
 *
 * @throws PouwError what opening chain and store throw; `data_dir_in_use` while another command has the folder.
 */
export async function withWallet<T>(
  { rpcUrl, record, folder }: ChainPlace,
  account: Account,
  work: (wallet: Wallet) => Promise<T>,
): Promise<T> {
  const { deployment, chain: chainHash } = record;
  const ledger = await openLedger({ rpcUrl, deployment, chain: chainHash });
  const lock = openDataDir(join(folder, 'wallet'));
  const progress = new Progress('on chain');
  try {
    const store = openChainStore(lock.file('tx.sqlite'));
    try {
      const accounts = new Map([[account.address, account.accountKey]]);
      const onError = (error: unknown): void => void process.stderr.write(`${errorMessage(error)}\n`);
      const chain = await createViemChain({ rpcUrl, deployment, accounts, store, onError });
      try {
        return await work(new Wallet(account.address, ledger, folder, chain, progress));
      } finally {
        await chain.close();
      }
    } finally {
      store.close();
    }
  } finally {
    progress.end();
    lock.close();
  }
}

/** What a command is known by where no `--request-id` names it: its own words, so that a second run is the same one. */
export function requestOf(requestId: string | undefined, ...words: readonly unknown[]): string {
  return requestId === undefined ? keccak256(JSON.stringify(words)).slice(2, 18) : `id/${requestId}`;
}

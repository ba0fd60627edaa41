import type { LocalAccount, TransactionReceipt } from 'viem';
import { PouwError } from '../../core/errors.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import { broadcast, minedCount } from './broadcast.ts';
import { Sender, type SenderContext, type TxSource } from './sender.ts';
import type { JournalTx } from './tx-journal.ts';

/** The senders of a process, one per account. */
export interface SenderPool {
  /** @throws PouwError `unknown_account` beside what {@link Sender.send} throws. */
  send(from: Address, source: TxSource, effect: EffectId): Promise<TransactionReceipt>;
  /** Sends again what the chain has lost, of all accounts, in the order in which it was first sent. */
  heal(): Promise<void>;
}

/**
 * Makes the senders. Before the first transaction, and whenever {@link SenderPool.heal} is called, the journal
 * is compared with the chain: a local chain that was killed comes back without its newest blocks, and a reorg may
 * drop transactions for good. Order matters across accounts, since an approval of one may precede a deposit of another.
 */
export function createSenderPool(accounts: readonly LocalAccount[], context: SenderContext): SenderPool {
  const senders = new Map<Address, Sender>();
  for (const account of accounts) {
    const sender = new Sender(account, context);
    senders.set(sender.address, sender);
  }
  let healing: Promise<void> | undefined;
  const heal = (): Promise<void> => {
    healing = (healing ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => {
        await rebroadcastMissing(context, senders);
        for (const sender of senders.values()) sender.realign();
      });
    return healing;
  };
  return {
    send: async (from, source, effect) => {
      const sender = senders.get(from);
      if (sender === undefined) throw unknownAccount(from);
      await (healing ?? heal()).catch((error: unknown) => {
        // Tried again with the next transaction.
        healing = undefined;
        throw error;
      });
      return sender.send(source, effect);
    },
    heal,
  };
}

async function rebroadcastMissing(context: SenderContext, senders: ReadonlyMap<Address, Sender>): Promise<void> {
  const { client, chain, journal } = context;
  const missing: (JournalTx & { readonly order: number })[] = [];
  for (const account of journal.accounts(chain)) {
    const mined = await minedCount(client, account);
    missing.push(...journal.run(chain, account, mined));
  }
  for (const tx of missing.toSorted((a, b) => a.order - b.order)) {
    try {
      const sender = senders.get(tx.account);
      // Without the key of an account its transactions can only be sent as they are.
      await (sender === undefined ? broadcast(client, tx, context, async () => undefined) : sender.rebroadcast(tx));
    } catch (error) {
      // One account's trouble, no gas money say, is told to its own next transaction and stops no other account.
      if (!(error instanceof PouwError) || error.code !== 'chain_refused') throw error;
    }
  }
}

/** The error of somebody whose key is not here. */
export function unknownAccount(account: Address): PouwError {
  return new PouwError('unknown_account', `No key for ${account} is here.`, {
    class: 'not-found',
    hint: 'Only accounts of this process can send.',
    details: { account },
  });
}

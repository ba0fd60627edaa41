import type { TaskId } from '../../core/ids.ts';
import { appealRefusal, asAppealRefusal } from '../../nodes/appeals/refusals.ts';
import { momentText } from '../../replay/timeline.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { type Sent, type Wallet, withWallet } from '../wallet/wallet.ts';
import { requireTask } from './require-task.ts';

/** How a command about a task is done. */
export interface TaskOptions extends PlaceOptions, AccountOptions {
  readonly json?: boolean;
}

/**
 * Appeals the outcome of a task. Nothing is allowed or sent where the contract would refuse.
 *
 * @throws PouwError `task_not_found`, `not_appealable`, `appeal_too_late`, `not_a_party`, `already_appealed`,
 *   `insufficient_cor`.
 */
export async function appealTask(task: TaskId, options: TaskOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const { session } = await requireTask(wallet.ledger, task);
    const sent = await appeal(wallet, task);
    const made = await wallet.ledger.appeal(task);
    const times = made === undefined ? {} : { drawBy: made.drawBy, attestBy: made.attestBy };
    const value = { task, session, appellant: wallet.address, bondWei: made?.bondWei, ...times };
    const sentence = sent.before
      ? 'An earlier run has appealed it already; nothing was done again.'
      : 'The outcome is appealed.';
    await report(options.json, { ...value, state: made?.state, ...transactionJson(sent) }, sentence, {
      task,
      session,
      state: made?.state,
      bond: made === undefined ? undefined : cor(made.bondWei),
      'nominations until': made === undefined ? undefined : `${momentText(made.drawBy)} UTC`,
      'decided by': made === undefined ? undefined : `${momentText(made.attestBy)} UTC`,
      ...transactionFacts(sent),
    });
  });
}

async function appeal(wallet: Wallet, task: TaskId): Promise<Sent> {
  const { ledger, address } = wallet;
  const effect = wallet.effect('task.appeal', task);
  if ((await ledger.effect(address, effect)) === undefined) {
    const refused = appealRefusal(await ledger.appealRefusal(address, task), task);
    if (refused !== undefined) throw refused;
    const { bondWei } = await ledger.appealRules();
    await wallet.requireCor(bondWei);
    wallet.step(0, 2, 'permission');
    await wallet.allow('appeals', bondWei);
    wallet.step(1, 2, 'appeal');
  }
  try {
    return await wallet.send({ call: 'appeal', task }, effect);
  } catch (error) {
    throw asAppealRefusal(error, task);
  }
}

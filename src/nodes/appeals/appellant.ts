import { PouwError } from '../../core/errors.ts';
import type { Address, EffectId, TaskId } from '../../core/ids.ts';
import { formatCor, lessWei, type Wei } from '../../core/wei.ts';
import type { Chain } from '../../ports/chain.ts';
import { appealRefusal, asAppealRefusal } from './refusals.ts';

/** What appealing stands on. */
export type AppealingChain = Pick<
  Chain,
  'appeal' | 'appealAllowance' | 'appealRules' | 'appealRefusal' | 'corBalance' | 'send'
>;

/** Appeals outcomes from one account, one after the other: each needs a bond that the contract may take. */
export class Appellant {
  readonly #chain: AppealingChain;
  readonly #account: Address;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(chain: AppealingChain, account: Address) {
    this.#chain = chain;
    this.#account = account;
  }

  /**
   * Puts down the bond and appeals the outcome of a task, once under an effect. Nothing is allowed, and nothing sent, where
   * the contract would refuse.
   *
   * @throws PouwError `not_appealable`, `appeal_too_late`, `not_a_party`, `already_appealed`, `insufficient_cor`,
   *   `chain_reverted`, `chain_unreachable`.
   */
  async appeal(task: TaskId, effect: EffectId): Promise<void> {
    const made = this.#turn.then(() => this.#appeal(task, effect));
    this.#turn = made.catch(() => undefined);
    await made;
  }

  async #appeal(task: TaskId, effect: EffectId): Promise<void> {
    const chain = this.#chain;
    // An earlier attempt may have come through before a crash.
    if ((await chain.appeal(task))?.appellant === this.#account) return;
    const reason = await chain.appealRefusal(this.#account, task);
    const refused = appealRefusal(reason, task);
    if (refused !== undefined) throw refused;
    const { bondWei } = await chain.appealRules();
    await this.#requireBond(bondWei);
    if (lessWei(await chain.appealAllowance(this.#account), bondWei)) {
      const allowing = { call: 'approve', spender: 'appeals', amountWei: bondWei } as const;
      await chain.send(this.#account, allowing, `${effect}/bond` as EffectId);
    }
    try {
      await chain.send(this.#account, { call: 'appeal', task }, effect);
    } catch (error) {
      throw asAppealRefusal(error, task);
    }
  }

  async #requireBond(bondWei: Wei): Promise<void> {
    const heldWei = await this.#chain.corBalance(this.#account);
    if (!lessWei(heldWei, bondWei)) return;
    const holds = `${this.#account} holds ${formatCor(heldWei)} $COR, not the ${formatCor(bondWei)} of a bond.`;
    throw new PouwError('insufficient_cor', holds, {
      class: 'payment',
      hint: 'Send it $COR first.',
      details: { account: this.#account, heldWei, neededWei: bondWei },
    });
  }
}

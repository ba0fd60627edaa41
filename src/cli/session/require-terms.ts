import type { Ledger } from '../../adapters/chain/ledger.ts';
import type { SessionTerms } from '../../core/chain-fact.ts';
import { PouwError } from '../../core/errors.ts';
import { lessWei } from '../../core/wei.ts';
import { cor } from '../wallet/report.ts';

/**
 * What the contract refuses is said before anything is allowed or sent.
 *
 * @throws PouwError `terms_impossible`, `appeal_window_impossible`, `appeal_window_out_of_bounds`,
 *   `dedicated_miners_too_few`.
 */
export async function requireTerms(ledger: Pick<Ledger, 'appealRules'>, terms: SessionTerms): Promise<void> {
  await requireAppealable(ledger, terms);
  const { redundancy, minMiners, maxMiners, dedicatedMiners, level, validators } = terms;
  if (minMiners > redundancy || maxMiners < redundancy)
    throw impossible(`A task goes to ${redundancy} miners: at least ${minMiners} of at most ${maxMiners} do not fit.`);
  if (level > 0 && validators === 0) throw impossible(`Validation of level ${level} needs a validator.`);
  if (lessWei(terms.maxTaskPriceWei, terms.reserveFeeWei)) {
    const most = cor(terms.maxTaskPriceWei);
    throw impossible(`A reservation may cost what a task may, ${most}, and not ${cor(terms.reserveFeeWei)}.`);
  }
  const listed = new Set(dedicatedMiners).size;
  if (listed > maxMiners) throw impossible(`${listed} dedicated miners are more than the ${maxMiners} it may have.`);
  requireMiners(terms);
}

/** What is wrong with terms by themselves, whatever the chain has. */
function impossible(why: string): PouwError {
  return new PouwError('terms_impossible', 'A session cannot have such terms.', {
    class: 'invalid',
    why,
    hint: 'docs/contracts.md has the bounds of each of them.',
  });
}

async function requireAppealable(
  ledger: Pick<Ledger, 'appealRules'>,
  { appealWindowS, level, validators, settlement }: SessionTerms,
): Promise<void> {
  if (appealWindowS === 0) return;
  const isJudged = level !== 0 && validators !== 0;
  if (!isJudged || settlement === 'batched') {
    const who = 'A session without validators, or one settled in batches, has no appeals.';
    throw new PouwError('appeal_window_impossible', who, {
      class: 'invalid',
      why: isJudged ? 'What is wrong in a batch is proven.' : 'Nobody attests anything that could be appealed.',
      hint: 'Leave out --appeal-window, or what makes it impossible.',
      param: 'appeal-window',
    });
  }
  const { windowMaxS } = await ledger.appealRules();
  if (appealWindowS <= windowMaxS) return;
  const most = `An appeal window is ${windowMaxS} s at most here, not ${appealWindowS}.`;
  throw new PouwError('appeal_window_out_of_bounds', most, {
    class: 'invalid',
    why: 'The parameters of the deployment bound it.',
    hint: 'Ask for a shorter one.',
    param: 'appeal-window',
    details: { windowMaxS },
  });
}

/**
 * The contract takes fewer, since a list may grow; until it does no task of the session could be assigned.
 *
 * @throws PouwError `dedicated_miners_too_few`.
 */
export function requireMiners({ mode, dedicatedMiners, redundancy }: SessionTerms): void {
  const listed = new Set(dedicatedMiners).size;
  if (mode !== 'dedicated' || listed >= redundancy) return;
  throw new PouwError('dedicated_miners_too_few', `A task goes to ${redundancy} miners, and ${listed} are named.`, {
    class: 'invalid',
    why: 'A session with dedicated miners gives its tasks to those and to nobody else.',
    hint: 'Name more (--miner, or `pouw session miner add`), or ask for fewer with --redundancy.',
    param: 'miner',
  });
}

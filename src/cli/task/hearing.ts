import { PouwError } from '../../core/errors.ts';
import type { TaskId } from '../../core/ids.ts';
import { nominateMissing } from '../../nodes/appeals/nominate.ts';
import { momentText } from '../../replay/timeline.ts';
import { accountOf } from '../wallet/account.ts';
import { findPlace } from '../wallet/place.ts';
import { report, transactionFacts, transactionJson } from '../wallet/report.ts';
import { withWallet } from '../wallet/wallet.ts';
import type { TaskOptions } from './appeal.ts';
import { requireOpenAppeal, requireTask } from './require-task.ts';

/**
 * Names the validators that are missing in the draw of an appeal.
 *
 * @throws PouwError `task_not_found`, `no_open_appeal`, `nominations_over`.
 */
export async function nominateForTask(task: TaskId, options: TaskOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const { ledger } = wallet;
    await requireTask(ledger, task);
    const { drawBy } = await requireOpenAppeal(ledger, task);
    const block = await ledger.block();
    if (block.at > drawBy) throw nominationsOver(task, drawBy);
    wallet.step(0, 1, 'nominations');
    // Others may name somebody between two runs, so each is one of its own.
    const effect = wallet.effect('task.nominate', `${task}/${block.number}`);
    const named = await nominateMissing(wallet.chain, wallet.address, task, effect);
    const appeal = await ledger.appeal(task);
    const drawn = appeal?.validators.map(({ validator }) => validator) ?? [];
    const sentence =
      named.length === 0 ? 'Nobody is missing in the draw.' : `${named.length} validators were nominated.`;
    await report(options.json, { task, named, drawn, drawBy }, sentence, {
      task,
      drawn: `${drawn.length} of ${appeal?.wanted ?? 0}, ${appeal?.needed ?? 0} decide`,
      until: `${momentText(drawBy)} UTC`,
    });
  });
}

/**
 * Ends an appeal that was not decided.
 *
 * @throws PouwError `task_not_found`, `no_open_appeal`, `appeal_not_due`.
 */
export async function endAppealOfTask(task: TaskId, options: TaskOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const { ledger } = wallet;
    await requireTask(ledger, task);
    const { drawBy, attestBy, validators, needed, appellant } = await requireOpenAppeal(ledger, task);
    const { at } = await ledger.block();
    const dueAt = validators.length < needed ? drawBy : attestBy;
    if (at <= dueAt) throw notDue(task, dueAt);
    wallet.step(0, 1, 'end');
    const sent = await wallet.send({ call: 'endAppeal', task }, wallet.effect('task.end-appeal', task));
    const value = { task, appellant, state: 'undecided', ...transactionJson(sent) };
    const sentence = 'The appeal is undecided: what was found first stands, and the bond is the appellant’s again.';
    await report(options.json, value, sentence, { task, appellant, ...transactionFacts(sent) });
  });
}

function nominationsOver(task: TaskId, drawBy: number): PouwError {
  return new PouwError('nominations_over', `The time to nominate for the appeal of task ${task} is over.`, {
    class: 'conflict',
    why: `It ended ${momentText(drawBy)} UTC.`,
    param: 'task',
  });
}

function notDue(task: TaskId, dueAt: number): PouwError {
  return new PouwError('appeal_not_due', `The appeal of task ${task} can still be decided.`, {
    class: 'conflict',
    why: `It may be ended after ${momentText(dueAt)} UTC.`,
    hint: 'Come again then.',
    param: 'task',
  });
}

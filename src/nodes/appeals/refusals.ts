import { type ErrorClass, PouwError } from '../../core/errors.ts';
import type { TaskId } from '../../core/ids.ts';
import { revertReason } from './revert-reason.ts';

/** What the contract's refusals of an appeal mean, by the names of its errors. */
const refusals: Readonly<Record<string, (task: TaskId) => PouwError>> = {
  NotAppealable: (task) =>
    new PouwError('not_appealable', `The outcome of task ${task} cannot be appealed.`, {
      class: 'conflict',
      why: 'It is not there yet, it stands for good, or the terms of its session have no appeal window.',
      hint: 'A session gets one with `pouw session create --appeal-window SECONDS`.',
    }),
  AppealTooLate: (task) =>
    new PouwError('appeal_too_late', `The time to appeal the outcome of task ${task} is over.`, {
      class: 'conflict',
      why: 'The appeal window of its session’s terms has passed.',
    }),
  NotAParty: (task) =>
    new PouwError('not_a_party', `This account may not appeal the outcome of task ${task}.`, {
      class: 'forbidden',
      why: 'Its session’s owner may, a miner that is called an outlier, and a validator that found something else.',
      hint: 'Name the account of one of them with --key, --role and --index.',
    }),
  AlreadyAppealed: (task) =>
    new PouwError('already_appealed', `The outcome of task ${task} was appealed already.`, {
      class: 'conflict',
      why: 'A task is appealed once, and who is right is found whoever asked for it.',
    }),
};

/** The classes of what an appeal can be refused with, by code. */
export const appealRefusalClasses: Readonly<Record<string, ErrorClass>> = {
  not_appealable: 'conflict',
  appeal_too_late: 'conflict',
  not_a_party: 'forbidden',
  already_appealed: 'conflict',
  insufficient_cor: 'payment',
};

/** What a refusal of the contract means to whoever wanted to appeal; undefined for one that means nothing of its own. */
export function appealRefusal(reason: string | undefined, task: TaskId): PouwError | undefined {
  return reason === undefined ? undefined : refusals[reason]?.(task);
}

/** An error of appealing in the words of {@link appealRefusal}, where it has some. */
export function asAppealRefusal(error: unknown, task: TaskId): unknown {
  return appealRefusal(revertReason(error), task) ?? error;
}

import { Command, InvalidArgumentError } from 'commander';
import type { TaskId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { wholeNumber } from './parse-options.ts';
import type { appealTask } from './task/appeal.ts';
import type { endAppealOfTask, nominateForTask } from './task/hearing.ts';
import type { showTask } from './task/show.ts';
import type { submitTask } from './task/submit.ts';
import {
  positiveAmountOption,
  sessionOption,
  withAccount,
  withJson,
  withPlace,
  withRequestId,
} from './wallet/options.ts';

/** `pouw task`: a task on chain, and appeals of its outcome. */
export function taskCommand(): Command {
  return new Command('task')
    .description(
      'A task on chain: submit one from a wallet, look at it, appeal its outcome, nominate for an appeal, end one that is overdue.',
    )
    .addCommand(submit())
    .addCommand(show())
    .addCommand(appeal())
    .addCommand(nominate())
    .addCommand(endAppeal());
}

const example = `0x${'9c'.repeat(32)}`;

function named(name: string, what: string): Command {
  return new Command(name).description(what).argument('<task>', 'the task', taskOption);
}

function submit(): Command {
  const command = new Command('submit')
    .description(
      'Put a task on chain from the account, as the owner of its session or the user of one that the pool pays for, and print the answer.',
    )
    .argument('<session>', 'the session', sessionOption)
    .argument('<prompt>', 'what to ask')
    .option('--url <url>', 'the endpoint of a router of the session', 'http://127.0.0.1:8787/v1')
    .option('--api-key <key>', 'an API key of the session (pouw session key); default is POUW_KEY')
    .option('--max-tokens <number>', 'bound on output tokens', wholeNumber(1, limits.outputTokensMax), 256)
    .option('--max-price <amount>', 'the most it may cost, in $COR', positiveAmountOption);
  return withJson(
    withRequestId(withAccount(command, 'client')),
    'pouw task submit 31337-de75a151-2 "What is a dog?" --api-key pouw_…',
  ).action(async (...args: Parameters<typeof submitTask>) => (await import('./task/submit.ts')).submitTask(...args));
}

function show(): Command {
  const command = named('show', 'Show a task: its state, its miners and validators, and the appeal of its outcome.');
  return withJson(withPlace(command), `pouw task show ${example}`).action(
    async (...args: Parameters<typeof showTask>) => (await import('./task/show.ts')).showTask(...args),
  );
}

function appeal(): Command {
  const what =
    'Appeal what the validators of a task found, with a bond: for its session’s owner, a miner that is called an outlier, or a validator that found something else.';
  return withJson(withAccount(named('appeal', what), 'client'), `pouw task appeal ${example} --role miner`).action(
    async (...args: Parameters<typeof appealTask>) => (await import('./task/appeal.ts')).appealTask(...args),
  );
}

function nominate(): Command {
  const what =
    'Name the validators that are missing in the draw of an appeal, by the registry. Anyone may; oracles do it by themselves.';
  return withJson(withAccount(named('nominate', what), 'client'), `pouw task nominate ${example}`).action(
    async (...args: Parameters<typeof nominateForTask>) => (await import('./task/hearing.ts')).nominateForTask(...args),
  );
}

function endAppeal(): Command {
  const what =
    'End an appeal that was not decided in time, or cannot be since too few were drawn: what was found first stands, and the bond is back.';
  return withJson(withAccount(named('end-appeal', what), 'client'), `pouw task end-appeal ${example}`).action(
    async (...args: Parameters<typeof endAppealOfTask>) => (await import('./task/hearing.ts')).endAppealOfTask(...args),
  );
}

/** The id of a task. */
function taskOption(text: string): TaskId {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase() as TaskId;
  throw new InvalidArgumentError('It must be a task id: 0x and 64 hex digits.');
}

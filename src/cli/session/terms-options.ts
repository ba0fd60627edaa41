import { type Command, Option } from 'commander';
import { limits } from '../../core/limits.ts';
import { type Settlement, settlements } from '../../core/settlement.ts';
import type { Wei } from '../../core/wei.ts';
import type { TermsOverrides } from '../compose/settings.ts';
import { wholeNumber } from '../parse-options.ts';
import { amountOption, positiveAmountOption } from '../wallet/options.ts';

/** The terms of a session that a command line names. */
export interface TermsOptions {
  readonly redundancy?: number;
  readonly minMiners?: number;
  readonly maxMiners?: number;
  readonly validators?: number;
  readonly level?: number;
  readonly similarityBps?: number;
  readonly settlement?: Settlement;
  readonly appealWindow?: number;
  readonly maxPrice?: Wei;
  readonly promptPrice?: Wei;
  readonly outputPrice?: Wei;
  readonly allowanceOnly?: boolean;
  readonly reserveFee?: Wei;
  readonly reservePeriod?: number;
  readonly taskLimit?: number;
  readonly queueTimeout?: number;
  readonly ackTimeout?: number;
  readonly executeTimeout?: number;
  readonly revealTimeout?: number;
  readonly validateTimeout?: number;
}

/** Options for the terms of a session. */
export function withTerms(command: Command): Command {
  return withTimes(
    command
      .option('--redundancy <k>', 'miners of each task', wholeNumber(1, limits.redundancyMax))
      .option(
        '--min-miners <number>',
        'the fewest that the list of dedicated miners may have, at most --redundancy',
        wholeNumber(1, limits.redundancyMax),
      )
      .option(
        '--max-miners <number>',
        'the most miners that are dedicated or reserved, at least --redundancy',
        wholeNumber(1, limits.dedicatedMinersMax),
      )
      .option('--validators <number>', 'validators of each task', wholeNumber(0, limits.validatorsMax))
      .option('--level <level>', 'validation level: 0 none, 1 similarity', wholeNumber(0, 3))
      .option(
        '--similarity-bps <number>',
        'cosine from which answers agree, in ten-thousandths',
        wholeNumber(0, 10_000),
      )
      .addOption(
        new Option('--settlement <mode>', 'each task settled by itself, or many together in batches').choices(
          settlements,
        ),
      )
      .option('--max-price <amount>', 'the most one task may cost, in $COR', positiveAmountOption)
      .option('--prompt-price <amount>', 'price of a prompt token, in $COR', amountOption)
      .option('--output-price <amount>', 'price of an output token, in $COR', amountOption)
      .option('--allowance-only', 'routers submit only within allowances that its owner signs (pouw session allow)')
      .option('--reserve-fee <amount>', 'what a miner gets for being reserved for a period, in $COR', amountOption)
      .option('--task-limit <number>', 'tasks it may ever have; 0 for any number', wholeNumber(0, limits.taskLimitMax)),
  );
}

function withTimes(command: Command): Command {
  const phase = wholeNumber(1, limits.phaseTimeoutSMax);
  return command
    .option(
      '--appeal-window <seconds>',
      'how long an outcome may be appealed before it is paid for; 0 for not at all',
      wholeNumber(0, limits.appealWindowSMax),
    )
    .option(
      '--reserve-period <seconds>',
      'how long a miner is reserved for (pouw session invite); 0 for nobody is',
      wholeNumber(0, limits.reservePeriodSMax),
    )
    .option(
      '--queue-timeout <seconds>',
      'how long a task may wait for its miners',
      wholeNumber(1, limits.queueTimeoutSMax),
    )
    .option('--ack-timeout <seconds>', 'how long a miner may take to acknowledge', phase)
    .option('--execute-timeout <seconds>', 'from then on until its precommit', phase)
    .option('--reveal-timeout <seconds>', 'from the last precommit on until its reveal', phase)
    .option('--validate-timeout <seconds>', 'from the last reveal on until the attestations', phase);
}

/** The terms that were named, and no others; in an order that stays, since it names what is done. */
export function termsIn(options: TermsOptions): TermsOverrides {
  const { redundancy, validators, level, similarityBps, settlement, allowanceOnly } = options;
  const { minMiners, maxMiners, taskLimit } = options;
  return named({
    redundancy,
    validators,
    level,
    similarityBps,
    settlement,
    appealWindowS: options.appealWindow,
    maxTaskPriceWei: options.maxPrice,
    promptTokenWei: options.promptPrice,
    outputTokenWei: options.outputPrice,
    routerMaySubmit: allowanceOnly === undefined ? undefined : !allowanceOnly,
    minMiners,
    maxMiners,
    reserveFeeWei: options.reserveFee,
    taskLimit,
    reservePeriodS: options.reservePeriod,
    queueTimeoutS: options.queueTimeout,
    ackTimeoutS: options.ackTimeout,
    executeTimeoutS: options.executeTimeout,
    revealTimeoutS: options.revealTimeout,
    validateTimeoutS: options.validateTimeout,
  });
}

function named(terms: { readonly [Name in keyof TermsOverrides]: TermsOverrides[Name] | undefined }): TermsOverrides {
  return Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined)) as TermsOverrides;
}

import { buildOutcomes, buildPrecommits, buildReveals, type TaskRecord } from '../../src/core/batch/build.ts';
import type { BatchData } from '../../src/core/batch/challenge.ts';
import { zeroHash } from '../../src/core/batch/leaves.ts';
import type { LineTotals } from '../../src/core/batch/payments.ts';
import { type BatchHeader, type BatchPlace, type SessionPart, slotPrecommit } from '../../src/core/batch/rules.ts';
import { type Hex, keccakWords } from '../../src/core/hash.ts';
import { type Address, type TaskId, toAddress } from '../../src/core/ids.ts';
import { oneCor, type Wei, wei } from '../../src/core/wei.ts';

/** An account of its own for every number. */
export const accountOf = (number: number): Address => toAddress(`0x${keccakWords([number]).slice(26)}`);

/** Where the batches of the tests are. */
export const samplePlace: BatchPlace = { chainId: 31_337, contract: accountOf(900) };

const miners = [1, 2, 3, 4, 5, 6].map(accountOf);
const validators = [11, 12, 13].map(accountOf);
/** Who posts the batches of the tests. */
export const samplePoster = accountOf(21);
const rates = { treasury: accountOf(31), minersBps: 8_000, validatorsBps: 800, routerBps: 700 };

/** Whether an account is a node of the tests. */
export const isSampleNode = (account: Address, role: 'miner' | 'validator'): boolean =>
  (role === 'miner' ? miners : validators).includes(account);

const terms: Omit<SessionPart, 'session' | 'tasks' | 'reservedWei' | 'drawnWei'> = {
  minMiners: 1,
  redundancy: 3,
  validators: 2,
  level: 1,
  maxTaskPriceWei: oneCor,
  promptTokenWei: '1000000000000000' as Wei,
  outputTokenWei: '10000000000000001' as Wei,
};

/** Tasks as a router has them: every fifth failed, every third has an outlier, some miners did not reveal. */
export function sampleTasks(count: number, salt: number, sessions = 1): TaskRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const session = 1 + (index % sessions);
    const task = keccakWords([session, salt * 10_000 + index]) as TaskId;
    const isFailed = index % 5 === 4;
    const step = index % 2;
    const slots = [0, 1, 2].map((slot) => {
      const miner = miners[(index + slot) % miners.length] as Address;
      const attempt = (index + slot) % 2;
      const revealed = { resultRoot: keccakWords([1, miner, index]), salt: keccakWords([2, miner, salt]) };
      const precommit = bind(session, task, step, { miner, attempt }, revealed);
      return { miner, attempt, precommit, ...(slot === 2 && index % 3 === 2 ? {} : { revealed }) };
    });
    const honest = index % 3 === 2 ? 3 : 7;
    const verdict = { winner: index % 2, honest, voters: 3, promptTokens: 10 + index, outputTokens: 7 + (index % 90) };
    return {
      session,
      task,
      step,
      maxPriceWei: oneCor,
      validators: validators.slice(0, 2),
      slots,
      ...(isFailed ? {} : { verdict }),
    };
  });
}

/** A task as it is where its validators found nothing. */
export function failed({ session, task, step, maxPriceWei, slots, validators: by }: TaskRecord): TaskRecord {
  return { session, task, step, maxPriceWei, slots, validators: by };
}

/** The precommit of a miner. */
function bind(
  session: number,
  task: TaskId,
  step: number,
  { miner, attempt }: { readonly miner: Address; readonly attempt: number },
  { resultRoot, salt }: { readonly resultRoot: Hex; readonly salt: Hex },
): Hex {
  const leaf = {
    position: 0,
    session,
    task,
    step,
    maxPriceWei: oneCor,
    miners: [miner],
    attempts: [attempt],
    precommits: [],
    validators: [],
  };
  return slotPrecommit(samplePlace, leaf, { position: 0, task, resultRoots: [resultRoot], salts: [salt] }, 0);
}

/** An honest batch of a line, posted, and the line after it. */
export function sampleBatch(
  id: number,
  records: readonly TaskRecord[],
  line: LineTotals = new Map(),
): { readonly data: BatchData; readonly line: LineTotals } {
  const precommits = buildPrecommits(records);
  const sessions = precommits.shares.map((share) => ({ ...terms, ...share, drawnWei: wei(0) }));
  const reveals = buildReveals(precommits);
  const post = buildOutcomes(id, { poster: samplePoster, rates, sessions }, precommits, line);
  const header: BatchHeader = {
    poster: samplePoster,
    tasks: records.length,
    payments: post.payments.count,
    place: id - 1,
    postedBlock: 100 + id,
    demandsUntil: 1_800_021_600,
    bondWei: wei(100n * BigInt(oneCor)),
    precommitRoot: precommits.tree.root,
    revealRoot: reveals.root,
    outcomeRoot: post.outcomes.root,
    paymentRoot: post.payments.count === 0 ? zeroHash : post.payments.root,
    rates,
    sessions: sessions.map((part, index) => ({ ...part, drawnWei: post.drawnWei[index] ?? wei(0) })),
  };
  const data = {
    id,
    header,
    precommit: precommits.tree,
    reveal: reveals,
    outcome: post.outcomes,
    payment: post.payments,
  };
  return { data, line: post.line };
}

import fc from 'fast-check';
import type { SessionCommand } from '../../actors/session/decide.ts';
import { isAssignmentReverted, restoreTimer } from '../../actors/task/assignment.ts';
import { freePlaces } from '../../actors/task/claims.ts';
import type { TaskContext } from '../../actors/task/context.ts';
import type { TaskFact } from '../../actors/task/decide.ts';
import type { ChainFact, ChainFactBody } from '../../src/core/chain-fact.ts';
import { cidToDigest, contentCid } from '../../src/core/cid.ts';
import type { Folded } from '../../src/core/fold.ts';
import { type TaskId, taskId } from '../../src/core/ids.ts';
import { wei, zeroWei } from '../../src/core/wei.ts';
import { anyAppealFact, nextOfAppeal } from './appeal-commands.ts';
import { anyStepCommand } from './step-commands.ts';
import {
  address,
  alice,
  bob,
  bytes32,
  carol,
  client,
  dave,
  fact,
  genesisAt,
  olga,
  place,
  router,
  session,
  terms,
  vera,
} from './chain-facts.ts';

const requestIds = [1, 2, 3, 4].map(bytes32);
/** The only tasks these commands are about. */
export const tasks = requestIds.map((requestId) => taskId(session, requestId));
const prompts = [contentCid('a'), contentCid('b')];

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const task = pick(...tasks);
const miner = pick(alice, bob, carol);
const amount = pick('0', '1', '30', '50', '51', '100', '120').map((value) => wei(value));
const block = fc.integer({ min: 1, max: 4 });
const time = fc.integer({ min: 0, max: 90_000 }).map((ms) => genesisAt + ms);
const of = { session } as const;

/** Facts as the chain might say them, in any order, with amounts and miners that may not fit. */
const body = fc.oneof(
  fc.record({
    type: fc.constant('TaskSubmitted' as const),
    session: fc.constant(session),
    task,
    requestId: pick(...requestIds),
    by: pick(client, router),
    promptDigest: pick(bytes32(1), bytes32(2)),
    maxTokens: pick(16, 17),
    maxPriceWei: amount,
  }),
  fc.record({
    type: fc.constant('MinersAssigned' as const),
    session: fc.constant(session),
    task,
    miners: pick([alice, bob], [alice], [bob, carol]),
    validators: pick([vera], []),
    beaconBlock: block,
    beacon: pick(bytes32(2)),
    selectionDigest: pick(bytes32(3)),
    ackBy: time,
  }),
  fc.record({ type: fc.constant('TaskAcked' as const), session: fc.constant(session), task, miner, precommitBy: time }),
  fc.record({
    type: fc.constant('TaskPrecommitted' as const),
    session: fc.constant(session),
    task,
    miner,
    hash: pick(bytes32(4)),
  }),
  fc.record({ type: fc.constant('AllPrecommitted' as const), session: fc.constant(session), task, revealBy: time }),
  fc.record({
    type: fc.constant('TaskRevealed' as const),
    session: fc.constant(session),
    task,
    miner,
    resultRoot: pick(bytes32(5)),
    resultDigest: pick(bytes32(6)),
  }),
  fc.record({ type: fc.constant('AllRevealed' as const), session: fc.constant(session), task, attestBy: time }),
  fc.record({
    type: fc.constant('MinerReassigned' as const),
    session: fc.constant(session),
    task,
    miner,
    replacement: pick(null, carol, dave),
    attempt: pick(1),
    oracle: pick(olga),
    ackBy: time,
  }),
  fc.record({
    type: fc.constant('ResultValidated' as const),
    session: fc.constant(session),
    task,
    winner: miner,
    honest: pick([alice], [alice, bob]),
    promptTokens: pick(5),
    outputTokens: pick(9),
    reportDigest: pick(bytes32(7)),
  }),
  fc.record({
    type: fc.constant('TaskSettled' as const),
    session: fc.constant(session),
    task,
    priceWei: amount,
    returnedWei: amount,
    payments: pick([]),
    manifestDigest: pick(bytes32(8)),
  }),
  fc.record({
    type: fc.constant('TaskRefunded' as const),
    session: fc.constant(session),
    task,
    returnedWei: amount,
    reason: pick('cancelled', 'expired', 'exhausted'),
  }),
  anyAppealFact(task),
);
const sessionBody = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('SessionOpened' as const),
      session: fc.constant(session),
      client: fc.constant(client),
      terms: fc.constant(terms),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('SessionDeposited' as const),
      session: fc.constant(session),
      from: pick(client, address(7)),
      amountWei: amount,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'SessionDraining' as const, ...of }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('SessionClosed' as const),
      session: fc.constant(session),
      refundedWei: amount,
    }),
  },
);
const inSomeBlock = fc.tuple(block, fc.nat(1));
const at = (bodies: fc.Arbitrary<unknown>): fc.Arbitrary<ChainFact> =>
  fc.tuple(bodies, inSomeBlock).map(([one, [inBlock, logIndex]]) => fact(inBlock, one as ChainFactBody, logIndex));
const sessionFact = at(sessionBody);
const taskFact = at(body);

/** One assignment per task, for a reorg that takes it back and gives it again. */
const assignment = task.map((id) =>
  fact(1, {
    type: 'MinersAssigned',
    session,
    task: id,
    miners: [alice, bob],
    validators: [vera],
    beaconBlock: 1,
    beacon: bytes32(2),
    selectionDigest: bytes32(3),
    ackBy: genesisAt,
  }),
);

/** The deposit a session of these commands begins with. */
export const firstDeposit = fact(1, { type: 'SessionDeposited', session, from: client, amountWei: wei(320) }, 1);

/** Any command, sensible or not. */
export const anyCommand = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('SeeSessionFact' as const), fact: sessionFact }) },
  {
    weight: 20,
    arbitrary: fc.record({
      type: fc.constant('SeeTaskFact' as const),
      fact: taskFact,
      streamed: pick('match', 'mismatch'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('UnseeFact' as const),
      fact: fc.oneof(sessionFact, taskFact, fc.constant(firstDeposit)),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ type: pick('SeeTaskFact' as const, 'UnseeFact' as const), fact: assignment }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      type: fc.constant('SubmitTask' as const),
      requestId: pick(...requestIds),
      by: pick(client, router),
      prompt: pick(...prompts),
      promptTokens: pick(4, 40),
      maxTokens: pick(0, 16, 16, 16, 17),
      maxPriceWei: fc.option(amount),
      onChain: fc.option(fc.record({ escrowWei: amount, place: block.map((inBlock) => place(inBlock)) }), { freq: 2 }),
    }),
  },
  { weight: 12, arbitrary: anyStepCommand(requestIds, tasks) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('ChooseMiners' as const),
      scheme: pick(undefined, undefined, 'first-come' as const),
      task,
      beaconBlock: pick(1, 20, 90),
      beacon: pick(bytes32(2)),
      candidates: pick(
        [],
        [
          { node: alice, weight: 1 },
          { node: bob, weight: 2 },
          { node: carol, weight: 1 },
        ],
      ),
      validatorCandidates: pick([{ node: vera, weight: 1 }]),
      proof: pick(contentCid('proof')),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('ClaimOffer' as const),
      task,
      miner,
      place: pick(0, 1, 2),
      offer: pick('a'),
      signature: pick('s'),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ type: fc.constant('LapseClaim' as const), task, miner, reason: pick('silent') }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('CancelTask' as const), task, reason: pick('enough') }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('SeeTaskExists' as const), task, submittedBlock: pick(1, 60, 1_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('ReplacePrimary' as const),
      task,
      to: miner,
      deliveredTokens: fc.nat(9),
      prefixHash: pick('h'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('TaskEffectFailed' as const),
      task,
      effect: pick('submitOnChain', 'assignOnChain', 'assignOnChain', 'settleOnChain'),
      code: pick('chain_reverted'),
      reason: pick('Refused'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('FireTaskTimer' as const), task, timer: pick('queue', 'other') }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('BindApiKey' as const), keyHash: pick('k1', 'k2') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('RevokeApiKey' as const), keyHash: pick('k1', 'k2') }) },
) as fc.Arbitrary<SessionCommand>;

/** The same command, but what the chain says in it is of another block. */
export function toldIn(command: SessionCommand, inBlock: number): SessionCommand {
  if (command.type === 'SubmitTask' && command.onChain !== null)
    return { ...command, onChain: { ...command.onChain, place: place(inBlock) } };
  if (command.type === 'SeeSessionFact' || command.type === 'SeeTaskFact')
    return { ...command, fact: { ...command.fact, place: place(inBlock) } } as SessionCommand;
  return command;
}

const candidates = [alice, bob, carol].map((node) => ({ node, weight: 1 }));
const selection = (id: TaskId): Extract<SessionCommand, { type: 'ChooseMiners' }> => ({
  type: 'ChooseMiners',
  task: id,
  beaconBlock: 90,
  beacon: bytes32(2),
  candidates,
  validatorCandidates: [{ node: vera, weight: 1 }],
  proof: contentCid('proof'),
});

/** The command that brings a task one step on its way, as a chain and a router that work would send it. */
export function nextCommand({ value, context }: Folded<TaskContext>, inBlock: number): SessionCommand {
  const { task: id, escrowWei } = context;
  const see = (one: ChainFactBody): SessionCommand => ({ type: 'SeeTaskFact', fact: fact(inBlock, one) as TaskFact });
  const about = { session, task: id } as const;
  if (isAssignmentReverted(context)) return { type: 'FireTaskTimer', task: id, timer: restoreTimer };
  switch (value) {
    case 'queued': {
      const { requestId, by, prompt, maxTokens, submittedBlock } = context;
      if (submittedBlock === 0)
        return see({
          type: 'TaskSubmitted',
          ...about,
          requestId,
          by,
          promptDigest: cidToDigest(prompt),
          maxTokens,
          maxPriceWei: escrowWei,
          ...(context.after === undefined ? {} : { step: 1, after: context.after.map((parent) => parent.task) }),
        });
      if (!context.selected && inBlock % 4 === 0) return selection(id);
      if (!context.selected && inBlock % 4 === 2) return nextClaim(context);
      return see({
        type: 'MinersAssigned',
        ...about,
        miners: [alice, bob],
        validators: [vera],
        beaconBlock: 1,
        beacon: bytes32(2),
        selectionDigest: bytes32(3),
        ackBy: genesisAt,
      });
    }
    case 'assigned':
    case 'executing':
    case 'precommitted':
      return see(nextOfMiners(context, value));
    case 'committed':
      return see({
        type: 'ResultValidated',
        ...about,
        winner: alice,
        honest: [alice],
        promptTokens: 5,
        outputTokens: 9,
        reportDigest: bytes32(7),
      });
    case 'validated':
      return see(
        nextOfAppeal(context, inBlock) ?? {
          type: 'TaskSettled',
          ...about,
          priceWei: escrowWei,
          returnedWei: zeroWei,
          payments: [],
          manifestDigest: bytes32(8),
        },
      );
    default:
      return see({ type: 'TaskRefunded', ...about, returnedWei: escrowWei, reason: 'expired' });
  }
}

/** The claim of the first place that is free; where there is none, the selection of those who came. */
function nextClaim(context: TaskContext): SessionCommand {
  const [free] = freePlaces({ value: 'queued', context });
  const { task: id, claims } = context;
  const came = [alice, bob, carol].find((one) => !claims.some((claim) => claim.miner === one));
  if (free === undefined || came === undefined) return { ...selection(id), scheme: 'first-come' };
  return { type: 'ClaimOffer', task: id, miner: came, place: free, offer: 'a', signature: 's' };
}

function nextOfMiners({ task: id, slots }: TaskContext, value: string): ChainFactBody {
  const about = { session, task: id } as const;
  const waiting = (phase: string) => slots.find((slot) => slot.phase === phase)?.miner;
  const assigned = waiting('assigned');
  if (assigned !== undefined) return { type: 'TaskAcked', ...about, miner: assigned, precommitBy: genesisAt };
  const acked = waiting('acked');
  if (acked !== undefined) return { type: 'TaskPrecommitted', ...about, miner: acked, hash: bytes32(4) };
  if (value === 'executing') return { type: 'AllPrecommitted', ...about, revealBy: genesisAt };
  const silent = waiting('precommitted');
  if (silent !== undefined)
    return { type: 'TaskRevealed', ...about, miner: silent, resultRoot: bytes32(5), resultDigest: bytes32(6) };
  return { type: 'AllRevealed', ...about, attestBy: genesisAt };
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActorRun } from '../../test/actors/actor-run.ts';
import { address, alice, bob, bytes32, client, fact, genesisAt, prompt, terms } from '../../test/actors/chain-facts.ts';
import { driveRandomCommands, type Moment, type Reached, withSmallLimits } from '../../test/actors/random-commands.ts';
import type { ChainFactBody, SessionTerms } from '../../src/core/chain-fact.ts';
import { contentCid } from '../../src/core/cid.ts';
import type { Folded } from '../../src/core/fold.ts';
import { type SessionId, sessionId, type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { addWei, type Wei, wei, zeroWei } from '../../src/core/wei.ts';
import { type ClientContext, clientStates, type ContractContext, contractStates } from './context.ts';
import { hasContractEnded, openContractCount } from './contracts.ts';
import type { ClientCommand } from './decide.ts';
import { clientActor } from './definition.ts';
import { contractEventTypes } from './events.ts';
import { clientMachine } from './machine.ts';

withSmallLimits({ clientSessionsMax: 2, clientOpenRequestsMax: 2, clientEndedKept: 2, outputTokensMax: 32 });

type Run = ActorRun<ClientContext, ClientCommand>;
type Contract = Folded<ContractContext>;
/** What the chain has said of the money of each session since the client has it. */
type Expected = Map<
  SessionId,
  { depositedWei: Wei; paidWei: Wei; refundedWei: Wei; block: number; ended: Set<TaskId> }
>;
/** One of the client's sessions goes on by what comes next, and which of the ways where there are several. */
type Next = { readonly place: number; readonly turn: number; readonly which: number };
type Wanted = ClientCommand | { readonly about: ChainFactBody } | { readonly next: Next };

const sessions = [1, 2, 3, 4, 5].map((number) => sessionId(31_337, address(0x99), number));
const requests = [11, 12, 13, 14, 15].map(bytes32);
const requestIds = [21, 22, 23, 24].map(bytes32);
const otherTerms: SessionTerms = { ...terms, redundancy: 3 };
const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const failed = { code: 'chain_reverted', reason: 'InsufficientBalance' } as const;

/** A session that nobody has opened yet. */
function newSession({ sessions: known }: ClientContext, which: number): SessionId {
  const unused = sessions.filter((id) => Object.values(known).every(({ context }) => context.session !== id));
  return unused[which % unused.length]!;
}

function nextOfTask(
  contract: ContractContext,
  session: SessionId,
  { turn, which }: Next,
): ClientCommand | ChainFactBody {
  const requestId = requestIds[which % requestIds.length]!;
  const task = taskId(session, requestId);
  const known = contract.tasks[task];
  const about = { session, task } as const;
  const asked = { requestId, maxTokens: 16, maxPriceWei: wei(50) } as const;
  if (known === undefined) return { type: 'SubmitTask', session, ...asked, prompt };
  if (known.state === 'requested' && turn % 4 === 0)
    return { type: 'EffectFailed', effect: 'submitOnChain', key: contract.key, request: requestId, ...failed };
  if (known.state === 'requested')
    return { type: 'TaskSubmitted', ...about, ...asked, by: client, promptDigest: bytes32(2) };
  if (known.state === 'queued' && turn % 3 === 0)
    return { type: 'TaskRefunded', ...about, returnedWei: wei(50), reason: 'expired' };
  if (known.state === 'queued') {
    const settled = { priceWei: wei(20 + turn), returnedWei: wei(30 - turn), payments: [], manifestDigest: bytes32(9) };
    return { type: 'TaskSettled', ...about, ...settled };
  }
  const appeal = contract.appeals.find((one) => one.task === task);
  if (appeal?.state !== 'requested') return { type: 'AppealOutcome', ...about };
  if (turn % 3 === 0)
    return { type: 'EffectFailed', effect: 'appealOnChain', key: contract.key, request: task, ...failed };
  const opened = { bondWei: wei(10), drawBy: genesisAt, attestBy: genesisAt } as const;
  return { type: 'OutcomeAppealed', ...about, appellant: turn % 3 === 1 ? client : alice, ...opened };
}

function nextOfDeposit(
  contract: ContractContext,
  session: SessionId,
  { turn, which }: Next,
): ClientCommand | ChainFactBody {
  const waiting = contract.deposits.find(({ state }) => state === 'requested');
  if (waiting === undefined || turn % 5 === 0)
    return { type: 'Deposit', session, request: requests[which % requests.length]!, amountWei: wei(10 + which) };
  if (turn % 4 === 0)
    return { type: 'EffectFailed', effect: 'depositOnChain', key: contract.key, request: waiting.request, ...failed };
  const from = turn % 3 === 0 ? bob : client;
  return { type: 'SessionDeposited', session, from, amountWei: turn % 7 === 0 ? wei(turn) : waiting.amountWei };
}

/** What the client, its effects and the chain say next of a session. */
function nextOf({ context, value }: Run['state'], next: Next): (ClientCommand | ChainFactBody) | undefined {
  if (value === 'offline') return { type: 'StartClient', client };
  const { place, turn, which } = next;
  const contracts = Object.values(context.sessions).filter((one) => !hasContractEnded(one));
  const contract: Contract | undefined = contracts[place % 3];
  const wanted = turn % 5 === 0 ? otherTerms : terms;
  if (contract === undefined)
    return { type: 'OpenSession', request: requests[which % requests.length]!, terms: wanted, depositWei: wei(100) };
  const { key, session } = contract.context;
  if (session === null && turn % 6 === 0)
    return { type: 'EffectFailed', effect: 'openSessionOnChain', key, request: null, ...failed };
  if (session === null)
    return {
      type: 'SessionOpened',
      session: newSession(context, which),
      client,
      terms: contract.context.terms ?? terms,
    };
  const isClosing = contract.value === 'closing';
  if (isClosing && turn % 3 === 0) return { type: 'SessionClosed', session, refundedWei: wei(turn) };
  if (isClosing && turn % 7 === 0)
    return { type: 'EffectFailed', effect: 'closeSessionOnChain', key, request: null, ...failed };
  if (turn === 29) return { type: 'CloseSession', session };
  if (turn === 28) return { type: 'SessionDraining', session };
  return which % 4 === 0 ? nextOfDeposit(contract.context, session, next) : nextOfTask(contract.context, session, next);
}

const anySession = pick(...sessions);
const anyTask = fc
  .tuple(anySession, pick(...requestIds))
  .map(([session, id]) => ({ session, task: taskId(session, id) }));
const amount = pick(zeroWei, wei(1), wei(50));
const about = (body: fc.Arbitrary<ChainFactBody>): fc.Arbitrary<Wanted> => body.map((one) => ({ about: one }));
const noise: fc.Arbitrary<Wanted> = fc.oneof(
  fc.record({ type: pick('StartClient' as const), client: pick(client, client, bob) }),
  fc.record({ type: pick('OpenSession' as const), request: pick(...requests), terms: pick(terms), depositWei: amount }),
  fc.record({ type: pick('Deposit' as const), session: anySession, request: pick(...requests), amountWei: amount }),
  fc.record({
    type: pick('SubmitTask' as const),
    session: anySession,
    requestId: pick(...requestIds),
    prompt: pick(prompt, contentCid('another prompt')),
    maxTokens: pick(0, 1, 16, 32, 33, 1.5),
    maxPriceWei: amount,
  }),
  fc.record({ type: pick('CloseSession' as const), session: anySession }),
  anyTask.map((of): ClientCommand => ({ type: 'AppealOutcome', ...of })),
  fc.record({
    type: pick('EffectFailed' as const),
    effect: pick(
      'openSessionOnChain',
      'closeSessionOnChain',
      'depositOnChain',
      'submitOnChain',
      'appealOnChain',
      'other',
    ),
    key: pick<string>(...requests, ...sessions),
    request: pick(null, ...requests, ...requestIds),
    code: pick(failed.code),
    reason: pick(failed.reason),
  }),
  about(anySession.map((session) => ({ type: 'SessionOpened', session, client: bob, terms }))),
  // One that was opened elsewhere in the client's name.
  about(anySession.map((session) => ({ type: 'SessionOpened', session, client, terms: { ...terms, redundancy: 5 } }))),
  about(
    fc
      .tuple(anySession, amount)
      .map(([session, amountWei]) => ({ type: 'SessionDeposited', session, from: bob, amountWei })),
  ),
  about(anySession.map((session) => ({ type: 'SessionDraining', session }))),
  about(
    fc.tuple(anySession, amount).map(([session, refundedWei]) => ({ type: 'SessionClosed', session, refundedWei })),
  ),
  about(anyTask.map((of) => ({ type: 'TaskRefunded', ...of, returnedWei: zeroWei, reason: 'cancelled' }))),
);

const next = fc.record({ place: fc.nat(2), turn: fc.nat(30), which: fc.nat(19) }).map((one) => ({ next: one }));

function commandFor({ state }: Run, wanted: Wanted, inBlock: number): ClientCommand | undefined {
  if ('about' in wanted) return { type: 'SeeFact', fact: fact(inBlock, wanted.about) };
  if (!('next' in wanted)) return wanted;
  const said = nextOf(state, wanted.next);
  if (said === undefined || commandTypes.has(said.type)) return said as ClientCommand | undefined;
  return { type: 'SeeFact', fact: fact(inBlock, said as ChainFactBody) };
}
const commandTypes: ReadonlySet<string> = new Set<ClientCommand['type']>([
  'StartClient',
  'OpenSession',
  'Deposit',
  'SubmitTask',
  'CloseSession',
  'AppealOutcome',
  'EffectFailed',
]);

const contractOf = ({ sessions: known }: ClientContext, session: SessionId): Contract | undefined =>
  Object.values(known).find(({ context }) => context.session === session);

/** Goes on with the money of a session by what the chain says, told once per block, as the client should count it. */
function reckon({ command, before, told }: Moment<ClientContext, ClientCommand>, expected: Expected): void {
  if (command.type !== 'SeeFact' || !('session' in command.fact)) return;
  const { fact: seen } = command;
  const contract = contractOf(before.context, seen.session);
  if (seen.type === 'SessionOpened' && contract === undefined && told.events.length > 0)
    expected.set(seen.session, {
      depositedWei: zeroWei,
      paidWei: zeroWei,
      refundedWei: zeroWei,
      block: 0,
      ended: new Set(),
    });
  const of = expected.get(seen.session);
  if (of === undefined || contract === undefined || hasContractEnded(contract)) return;
  if (seen.type === 'SessionClosed') of.refundedWei = addWei(of.refundedWei, seen.refundedWei);
  if (seen.type === 'SessionDeposited' && seen.place.block > of.block) {
    of.depositedWei = addWei(of.depositedWei, seen.amountWei);
    of.block = seen.place.block;
  }
  if (seen.type !== 'TaskSettled') return;
  const state = contract.context.tasks[seen.task]?.state;
  if (state === 'requested' || state === 'queued') of.paidWei = addWei(of.paidWei, seen.priceWei);
}

const states: ReadonlySet<string> = new Set(contractStates.filter((state) => state !== 'new'));

/** Whether a session's lists are within their bounds and say of every task and deposit one thing. */
function isBounded({ deposits, tasks, endedTasks, appeals }: ContractContext): boolean {
  const open = Object.values(tasks).filter(({ state }) => state === 'requested' || state === 'queued').length;
  const sizes = [deposits, appeals].flatMap((list) => {
    const requested = list.filter(({ state }) => state === 'requested').length;
    return [requested - limits.clientOpenRequestsMax, list.length - requested - limits.clientEndedKept];
  });
  sizes.push(open - limits.clientOpenRequestsMax, endedTasks.length - limits.clientEndedKept);
  const isOnce = new Set(deposits.map(({ request }) => request)).size === deposits.length;
  return isOnce && open + endedTasks.length === Object.keys(tasks).length && sizes.every((surplus) => surplus <= 0);
}

function check({ state }: Run, moment: Moment<ClientContext, ClientCommand>, expected: Expected) {
  const { context } = state;
  const all = Object.entries(context.sessions);
  reckon(moment, expected);
  const ids = all.flatMap(([, contract]) => contract.context.session ?? []);
  return {
    'every session is in a state that there is': all.every(([, contract]) => states.has(contract.value)),
    'every session has its own key and id':
      all.every(([key, contract]) => contract.context.key === key) && new Set(ids).size === ids.length,
    'those that have ended are listed, and no others': all.every(
      ([key, contract]) => context.ended.includes(key) === hasContractEnded(contract),
    ),
    'sessions are bounded':
      context.ended.length <= limits.clientEndedKept &&
      (openContractCount(context) <= limits.clientSessionsMax ||
        moment.command.type !== 'OpenSession' ||
        moment.told.events.length === 0),
    'what a session keeps is bounded': all.every(([, contract]) => isBounded(contract.context)),
    'its money is what the chain has said': all.every(([, contract]) => {
      const { session, depositedWei, paidWei, refundedWei } = contract.context;
      const of = session === null ? undefined : expected.get(session);
      const [inWei, outWei, backWei] = [
        of?.depositedWei ?? zeroWei,
        of?.paidWei ?? zeroWei,
        of?.refundedWei ?? zeroWei,
      ];
      return depositedWei === inWei && paidWei === outWei && refundedWei === backWei;
    }),
  };
}

describe('whatever is said to a client, in any order,', () => {
  const wanted = fc.oneof({ weight: 12, arbitrary: next }, { weight: 1, arbitrary: noise });
  const numRuns = 200;
  let reached: Reached;

  test('its state is sound after every command', () => {
    reached = driveRandomCommands({
      actor: clientActor,
      machine: clientMachine,
      opening: [{ type: 'StartClient', client }],
      wanted,
      commandFor,
      expected: (): Expected => new Map(),
      check,
      marks: ({ sessions: known, ended }) => [
        ...Object.values(known).flatMap(({ value, context }) => [
          `session:${value}`,
          ...Object.values(context.tasks).map((task) => `task:${task.state}`),
          ...context.deposits.map((deposit) => `deposit:${deposit.state}`),
          ...context.appeals.map((appeal) => `appeal:${appeal.state}`),
          ...(context.endedTasks.length === limits.clientEndedKept ? ['full:ended tasks'] : []),
        ]),
        ...(ended.length === limits.clientEndedKept ? ['full:ended'] : []),
      ],
      numRuns,
      seed: 20_265,
    });
    expect(reached.runs).toBe(numRuns);
  });

  test('and that has led to every event, every state and every reason to refuse', () => {
    expect(reached.names('event:')).toEqual([...contractEventTypes, 'ClientStarted'].toSorted());
    expect(reached.names('state:')).toEqual([...clientStates].toSorted());
    expect(reached.names('refusal:')).toEqual([
      'client_not_started',
      'empty_deposit',
      'invalid_max_price',
      'invalid_max_tokens',
      'request_id_reused',
      'session_not_found',
      'session_not_open',
      'too_many_requests',
      'too_many_sessions',
      'wrong_stream',
    ]);
  });

  test('in most runs, so that the bounds and the ends of what goes on were reached', () => {
    expect(
      reached.rarerThan(
        0.5,
        [...states]
          .map((state) => `session:${state}`)
          .concat([
            'task:settled',
            'task:refunded',
            'task:failed',
            'deposit:made',
            'deposit:failed',
            'appeal:made',
            'appeal:failed',
            'full:ended',
            'full:ended tasks',
          ]),
      ),
    ).toEqual([]);
    expect(reached.rarerThan(0.02, ['event:CloseFailed', 'refusal:request_id_reused'])).toEqual([]);
  });
});

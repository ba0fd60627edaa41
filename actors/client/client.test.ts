import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { address, alice, bytes32, client, fact, prompt, session, terms } from '../../test/actors/chain-facts.ts';
import { clientStarted, contractGood } from '../../test/actors/samples/client.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { cidToDigest, digestToCid } from '../../src/core/cid.ts';
import { sessionId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei, zeroWei } from '../../src/core/wei.ts';
import type { ClientContext, ContractContext, Deposit } from './context.ts';
import type { ClientCommand } from './decide.ts';
import { clientActor } from './definition.ts';
import type { ClientEvent } from './events.ts';

const given = (...history: ClientEvent[]) =>
  new ActorRun<ClientContext, ClientCommand>(clientActor, [clientStarted, ...history]);
const { requested, granted, depositRequested, taskRequested, taskOnChain, closeRequested } = contractGood;
const key = requested.key;
const requestId = taskRequested.requestId;
const task = taskId(session, requestId);
const about = { session, task } as const;
const see = (block: number, body: ChainFactBody, logIndex = 0): ClientCommand => ({
  type: 'SeeFact',
  fact: fact(block, body, logIndex),
});
const opened = (id = session) => see(1, { type: 'SessionOpened', session: id, client, terms });
const contract = (run: ReturnType<typeof given>, of: string = key) => run.state.context.sessions[of]!;

const open: ClientCommand = { type: 'OpenSession', request: key, terms, depositWei: wei(100) };
const deposit: ClientCommand = { type: 'Deposit', session, request: bytes32(2), amountWei: wei(50) };
const submit: ClientCommand = { type: 'SubmitTask', session, requestId, prompt, maxTokens: 16, maxPriceWei: wei(50) };

describe('a session', () => {
  test('is requested once and granted by the chain', () => {
    const run = given();
    expect(run.tell(open).effects).toEqual([{ kind: 'openSessionOnChain', key, terms, depositWei: '100' }]);
    expect(run.types(open)).toEqual([]);
    expect(run.types(opened())).toEqual(['SessionGranted']);
    expect(run.types(opened())).toEqual([]);
    expect(contract(run)).toMatchObject({ value: 'open', context: { session } });
  });

  test('answers the request it is said to answer, else one with the same terms', () => {
    const other = bytes32(9);
    const run = given(requested, { ...requested, key: other });
    const second = sessionId(31_337, address(0x99), 2);
    run.tell({
      type: 'SeeFact',
      fact: fact(1, { type: 'SessionOpened', session: second, client, terms }),
      request: other,
    });
    expect(contract(run, other).context.session).toBe(second);
    run.tell(opened());
    expect(contract(run).context.session).toBe(session);
  });

  test("that was opened elsewhere is the client's too; another client's is not", () => {
    const run = given(requested);
    run.tell(see(1, { type: 'SessionOpened', session, client, terms: { ...terms, redundancy: 5 } }));
    expect(contract(run, session).value).toBe('open');
    expect(contract(run).value).toBe('requested');
    const foreign = sessionId(31_337, address(0x99), 7);
    expect(run.types(see(1, { type: 'SessionOpened', session: foreign, client: alice, terms }))).toEqual([]);
  });

  test('fails where the chain refuses it', () => {
    const run = given(requested);
    const failed: ClientCommand = {
      type: 'EffectFailed',
      effect: 'openSessionOnChain',
      key,
      request: null,
      code: 'chain_reverted',
      reason: 'TermsInvalid',
    };
    expect(run.types(failed)).toEqual(['SessionRequestFailed']);
    expect(run.types(failed)).toEqual([]);
    expect(contract(run).context.failure).toEqual({ code: 'chain_reverted', reason: 'TermsInvalid' });
  });

  test('closes with what was left', () => {
    const run = given(requested, granted);
    const close: ClientCommand = { type: 'CloseSession', session };
    expect(run.tell(close).effects).toEqual([{ kind: 'closeSessionOnChain', key, session }]);
    expect(run.types(close)).toEqual([]);
    expect(run.tell(submit).rejection).toMatchObject({
      code: 'session_not_open',
      hint: expect.stringContaining('open') as string,
    });
    expect(run.types(see(9, { type: 'SessionDraining', session }))).toEqual([]);
    expect(run.types(see(10, { type: 'SessionClosed', session, refundedWei: wei(70) }))).toEqual(['SessionEnded']);
    expect(contract(run)).toMatchObject({ value: 'closed', context: { refundedWei: '70' } });
    expect(run.state.context.ended).toEqual([key]);
  });

  test('stays open where the chain will not close it, and closes where somebody else does', () => {
    const run = given(requested, granted, closeRequested);
    run.tell({
      type: 'EffectFailed',
      effect: 'closeSessionOnChain',
      key,
      request: null,
      code: 'chain_reverted',
      reason: 'NotOwner',
    });
    expect(contract(run).value).toBe('open');
    run.tell(see(9, { type: 'SessionDraining', session }));
    expect(contract(run).value).toBe('closing');
  });
});

describe('a deposit', () => {
  const seen = (block: number, amountWei = wei(50), from = client) =>
    see(block, { type: 'SessionDeposited', session, from, amountWei });

  test('is asked for once and made when the chain has it', () => {
    const run = given(requested, granted);
    expect(run.tell(deposit).effects).toEqual([
      { kind: 'depositOnChain', key, session, request: bytes32(2), amountWei: '50' },
    ]);
    expect(run.types(deposit)).toEqual([]);
    expect(run.types(seen(4))).toEqual(['DepositSeen']);
    expect(run.types(seen(4))).toEqual([]);
    expect(contract(run).context).toMatchObject({ depositedWei: '50', deposits: [{ state: 'made' }] });
    expect(run.types(deposit)).toEqual([]);
  });

  test('of somebody else counts, but is not the one that was asked for', () => {
    const run = given(requested, granted, depositRequested);
    run.tell(seen(4, wei(50), alice));
    expect(contract(run).context).toMatchObject({ depositedWei: '50', deposits: [{ state: 'requested' }] });
  });

  test('fails where the chain refuses it', () => {
    const run = given(requested, granted, depositRequested);
    const failed: ClientCommand = {
      type: 'EffectFailed',
      effect: 'depositOnChain',
      key,
      request: bytes32(2),
      code: 'chain_reverted',
      reason: 'ERC20InsufficientBalance',
    };
    expect(run.types(failed)).toEqual(['DepositFailed']);
    expect(run.types(failed)).toEqual([]);
  });

  test('is remembered after its end, up to a bound, the newest', () => {
    const run = given(requested, granted);
    run.checksJson = false;
    for (let index = 0; index <= limits.clientEndedKept; index += 1) {
      run.tell({ ...deposit, request: bytes32(100 + index), amountWei: wei(1) });
      run.tell(seen(10 + index, wei(1)));
    }
    const { deposits } = contract(run).context;
    expect(deposits).toHaveLength(limits.clientEndedKept);
    expect(deposits[0]?.request).toBe(bytes32(101));
  });
});

describe('a task', () => {
  test('is submitted once and answered by the chain', () => {
    const run = given(requested, granted);
    expect(run.tell(submit).effects).toEqual([
      {
        kind: 'submitOnChain',
        key,
        session,
        task,
        requestId,
        promptDigest: cidToDigest(prompt),
        maxTokens: 16,
        maxPriceWei: '50',
      },
    ]);
    expect(run.types(submit)).toEqual([]);
    const onChain = see(3, {
      type: 'TaskSubmitted',
      ...about,
      requestId,
      by: client,
      promptDigest: cidToDigest(prompt),
      maxTokens: 16,
      maxPriceWei: wei(50),
    });
    expect(run.types(onChain)).toEqual(['TaskOnChain']);
    expect(run.types(onChain)).toEqual([]);
    const settled = see(9, {
      type: 'TaskSettled',
      ...about,
      priceWei: wei(26),
      returnedWei: wei(24),
      payments: [],
      manifestDigest: bytes32(3),
    });
    expect(run.types(settled)).toEqual(['ResultReceived']);
    expect(run.types(settled)).toEqual([]);
    expect(contract(run).context).toMatchObject({
      paidWei: '26',
      tasks: { [task]: { state: 'settled', manifest: digestToCid(bytes32(3)) } },
    });
  });

  test('is refunded where it was not delivered', () => {
    const run = given(requested, granted, taskRequested, taskOnChain);
    run.tell(see(9, { type: 'TaskRefunded', ...about, returnedWei: wei(50), reason: 'expired' }));
    expect(contract(run).context.tasks[task]).toMatchObject({
      state: 'refunded',
      returnedWei: '50',
      failure: { reason: 'expired' },
    });
    expect(contract(run).context.paidWei).toBe(zeroWei);
  });

  test('fails where the chain refuses it, unless it has it already', () => {
    const failed: ClientCommand = {
      type: 'EffectFailed',
      effect: 'submitOnChain',
      key,
      request: requestId,
      code: 'chain_reverted',
      reason: 'InsufficientBalance',
    };
    expect(given(requested, granted, taskRequested).types(failed)).toEqual(['TaskRequestFailed']);
    expect(given(requested, granted, taskRequested, taskOnChain).types(failed)).toEqual([]);
  });

  test('of somebody else in the session changes nothing', () => {
    const run = given(requested, granted);
    expect(run.types(see(9, { type: 'TaskRefunded', ...about, returnedWei: wei(50), reason: 'expired' }))).toEqual([]);
  });

  test('is remembered after its end, up to a bound, the newest', () => {
    const run = given(requested, granted);
    run.checksJson = false;
    for (let index = 0; index <= limits.clientEndedKept; index += 1) {
      const id = bytes32(100 + index);
      run.tell({ ...submit, requestId: id });
      run.tell(
        see(9, { type: 'TaskRefunded', session, task: taskId(session, id), returnedWei: wei(50), reason: 'expired' }),
      );
    }
    expect(Object.keys(contract(run).context.tasks)).toHaveLength(limits.clientEndedKept);
    expect(contract(run).context.tasks[taskId(session, bytes32(100))]).toBeUndefined();
  });
});

describe('a client refuses', () => {
  test.each([
    ['a session without a deposit', [], { ...open, depositWei: zeroWei }, 'empty_deposit'],
    ['a deposit into a session it does not have', [], deposit, 'session_not_found'],
    ['to close a session it does not have', [], { type: 'CloseSession', session }, 'session_not_found'],
    ['a deposit of nothing', [requested, granted], { ...deposit, amountWei: zeroWei }, 'empty_deposit'],
    [
      'a deposit under a used id',
      [requested, granted, depositRequested],
      { ...deposit, amountWei: wei(51) },
      'request_id_reused',
    ],
    ['no tokens', [requested, granted], { ...submit, maxTokens: 0 }, 'invalid_max_tokens'],
    [
      'more tokens than the bound',
      [requested, granted],
      { ...submit, maxTokens: limits.outputTokensMax + 1 },
      'invalid_max_tokens',
    ],
    ['a price of nothing', [requested, granted], { ...submit, maxPriceWei: zeroWei }, 'invalid_max_price'],
    [
      'another task under a used id',
      [requested, granted, taskRequested],
      { ...submit, maxTokens: 17 },
      'request_id_reused',
    ],
    ['another client', [], { type: 'StartClient', client: alice }, 'wrong_stream'],
  ] as [string, ClientEvent[], ClientCommand, string][])('%s', (_, history, command, code) => {
    expect(given(...history).tell(command).rejection?.code).toBe(code);
  });

  test('everything before it is started', () => {
    const run = new ActorRun<ClientContext, ClientCommand>(clientActor);
    expect(run.tell(open).rejection?.code).toBe('client_not_started');
    expect(run.types({ type: 'StartClient', client })).toEqual(['ClientStarted']);
    expect(run.types({ type: 'StartClient', client })).toEqual([]);
  });

  test('one session more than it may have', () => {
    const run = given(requested);
    run.checksJson = false;
    const one = contract(run);
    const many = Array.from({ length: limits.clientSessionsMax - 1 }, (_, index) => [bytes32(index + 100), one]);
    run.state = {
      ...run.state,
      context: { ...run.state.context, sessions: Object.fromEntries(many) as ClientContext['sessions'] },
    };
    expect(run.types(open)).toEqual(['SessionRequested']);
    expect(run.tell({ ...open, request: bytes32(2) }).rejection?.code).toBe('too_many_sessions');
  });

  test('one request more than a session may have under way', () => {
    const run = given(requested, granted, taskRequested);
    run.checksJson = false;
    const { context } = contract(run);
    const known = context.tasks[task]!;
    const tasks: ContractContext['tasks'] = Object.fromEntries(
      Array.from({ length: limits.clientOpenRequestsMax - 1 }, (_, index) => [bytes32(index + 100), known]),
    );
    const deposits = Array.from({ length: limits.clientOpenRequestsMax - 1 }, (_, index): Deposit => ({
      request: bytes32(index + 100),
      amountWei: wei(1),
      state: 'requested',
    }));
    run.state = {
      ...run.state,
      context: {
        ...run.state.context,
        sessions: { [key]: { value: 'open', context: { ...context, tasks, deposits } } },
      },
    };
    expect(run.types(submit)).toEqual(['TaskRequested']);
    expect(run.tell({ ...submit, requestId: bytes32(8) }).rejection?.code).toBe('too_many_requests');
    expect(run.types(deposit)).toEqual(['DepositRequested']);
    expect(run.tell({ ...deposit, request: bytes32(8) }).rejection?.code).toBe('too_many_requests');
  });
});

import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import {
  address,
  alice,
  bytes32,
  client,
  fact,
  prompt,
  router,
  session,
  task,
  terms,
} from '../../test/actors/chain-facts.ts';
import { deposited, opened, wish } from '../../test/actors/samples/session.ts';
import type { ChainFact, ChainFactBody, SessionRules } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import type { SessionContext } from './context.ts';
import type { SessionCommand } from './decide.ts';
import { sessionActor } from './definition.ts';
import type { SubmitTask } from './submit.ts';
import { taskOf } from './tasks.ts';

const given = () => new ActorRun<SessionContext, SessionCommand>(sessionActor, [opened, deposited]);
type Fact = Extract<ChainFact, { type: `Session${string}` }>;
const see = (block: number, body: ChainFactBody, logIndex = 0): SessionCommand => ({
  type: 'SeeSessionFact',
  fact: fact(block, body, logIndex) as Fact,
});
const unsee = (block: number, body: ChainFactBody): SessionCommand => ({ type: 'UnseeFact', fact: fact(block, body) });
const { routers: _, dedicatedMiners: __, ...rules } = terms;
const update = (version: number, change: Partial<SessionRules>): ChainFactBody => ({
  type: 'SessionUpdated',
  session,
  version,
  terms: { ...rules, ...change },
});
const rest: ChainFactBody = { type: 'SessionDeactivated', session };
const wake: ChainFactBody = { type: 'SessionReactivated', session };
const transfer = (from = client, to = address(0xc2)): ChainFactBody => ({
  type: 'SessionTransferred',
  session,
  from,
  to,
});
const submit = (id: number): SubmitTask => ({ ...wish, requestId: bytes32(id) });
const onChain = (block: number): SessionCommand => ({
  type: 'SeeTaskFact',
  fact: fact(block, {
    type: 'TaskSubmitted',
    session,
    task,
    requestId: bytes32(1),
    by: router,
    promptDigest: cidToDigest(prompt),
    maxTokens: 16,
    maxPriceWei: wei(50),
  }) as Extract<ChainFact, { type: 'TaskSubmitted' }>,
});

describe('a session at rest', () => {
  test('refuses new tasks and goes on with those it has, until it is woken', () => {
    const run = given();
    run.tell(submit(1));
    expect(run.types(see(3, rest))).toEqual(['SessionDeactivated']);
    expect(run.types(see(3, rest)), 'a repeated fact').toEqual([]);
    expect(run.tell(submit(2)).rejection).toMatchObject({ code: 'session_inactive', class: 'forbidden' });
    expect(run.types(onChain(4))).toEqual(['TaskQueuedOnChain']);
    expect(run.types(see(5, wake))).toEqual(['SessionReactivated']);
    expect(run.types(submit(3))).toEqual(['TaskSubmitted', 'TimerSet']);
  });

  test('is awake again where a reorg takes its rest back, and rests when that comes again', () => {
    const run = given();
    run.tell(see(3, rest));
    expect(run.types(unsee(3, rest))).toEqual(['SessionReactivated', 'ChainFactReverted']);
    expect(run.state.context.isAtRest).toBe(false);
    expect(run.types(see(3, rest))).toEqual(['ChainFactRestored', 'SessionDeactivated']);
    run.tell(see(4, wake));
    expect(run.types(unsee(4, wake))).toEqual(['SessionDeactivated', 'ChainFactReverted']);
  });

  test('can be closed', () => {
    const run = given();
    run.tell(see(3, rest));
    run.tell(see(4, { type: 'SessionClosed', session, refundedWei: wei(120) }));
    expect(run.state.value).toBe('closed');
    expect(run.types(see(5, wake))).toEqual([]);
  });
});

describe('other terms', () => {
  test('are those of new tasks, and a task that the chain has keeps its own', () => {
    const run = given();
    run.tell(submit(1));
    run.tell(onChain(2));
    expect(run.types(see(3, update(2, { redundancy: 5, mode: 'dedicated', maxTaskPriceWei: wei(10) })))).toEqual([
      'SessionUpdated',
    ]);
    expect(taskOf(run.state.context, task)?.context).toMatchObject({ redundancy: 2, dedicated: false });
    run.tell(submit(2));
    const other = Object.values(run.state.context.tasks).find(({ context }) => context.requestId === bytes32(2));
    expect(other?.context).toMatchObject({ redundancy: 5, dedicated: true, escrowWei: '10' });
    expect(run.state.context.terms?.routers, 'the lists stay').toEqual(terms.routers);
  });

  test('are those of a task that was wanted before and comes onto the chain after', () => {
    const run = given();
    run.tell(submit(1));
    run.tell(see(3, update(2, { redundancy: 3, validators: 2, similarityBps: 9_000, level: 0 })));
    const { events, effects } = run.tell(onChain(4));
    expect(events[0]).toMatchObject({
      type: 'TaskQueuedOnChain',
      terms: { redundancy: 3, validators: 2, similarityBps: 9_000, level: 0, dedicated: false },
    });
    expect(taskOf(run.state.context, task)?.context).toMatchObject({ redundancy: 3, validatorCount: 2, level: 0 });
    expect(effects.at(-1)).toMatchObject({ kind: 'selectMiners', redundancy: 3, validators: 2 });
  });

  test('decide whether the balance is enough', () => {
    const run = given();
    run.tell(see(3, update(2, { maxTaskPriceWei: wei(121) })));
    expect(run.state.value).toBe('suspended');
    run.tell(see(4, update(3, { maxTaskPriceWei: wei(120) })));
    expect(run.state.value).toBe('open');
  });

  test('come back as they were where a reorg takes an update back, for as many as are kept', () => {
    const run = given();
    for (let version = 2; version <= 12; version += 1) run.tell(see(version, update(version, { redundancy: version })));
    expect(run.state.context.earlierTerms).toHaveLength(limits.sessionTermsKept);
    expect(run.types(see(5, update(5, { redundancy: 5 }))), 'told again').toEqual([]);
    for (let version = 12; version > 12 - limits.sessionTermsKept; version -= 1) {
      const types = run.types(unsee(version, update(version, { redundancy: version })));
      expect(types).toEqual(['SessionUpdated', 'ChainFactReverted']);
      expect(run.state.context).toMatchObject({ version: version - 1, terms: { redundancy: version - 1 } });
    }
    expect(run.types(unsee(4, update(4, { redundancy: 4 })))).toEqual(['ChainFactReverted']);
    // Another update comes in its place.
    expect(run.types(see(20, update(5, { redundancy: 7 })))).toEqual(['SessionUpdated']);
    expect(run.state.context.terms?.redundancy).toBe(7);
  });
});

describe('another owner', () => {
  test('has the session, and no key of the owner before is good for it', () => {
    const run = given();
    run.tell({ type: 'BindApiKey', keyHash: 'k1' });
    expect(run.types(see(3, transfer()))).toEqual(['SessionTransferred']);
    expect(run.types(see(3, transfer()))).toEqual([]);
    expect(run.state.context).toMatchObject({ client: address(0xc2), apiKeys: [] });
    expect(run.types(unsee(3, transfer()))).toEqual(['SessionTransferred', 'ChainFactReverted']);
    expect(run.state.context).toMatchObject({ client, apiKeys: [] });
  });
});

describe('the lists of a session', () => {
  test('follow the chain, each change once, and back', () => {
    const run = given();
    const other = address(0x41);
    const changes = [
      ['SessionRouterAdded', { router: other }, [router, other], []],
      ['SessionMinerAdded', { miner: alice }, [router, other], [alice]],
      ['SessionRouterRemoved', { router }, [other], [alice]],
      ['SessionMinerRemoved', { miner: alice }, [other], []],
    ] as const;
    const body = (type: string, who: object): ChainFactBody => ({ type, session, ...who }) as ChainFactBody;
    for (const [index, [type, who, routers, dedicatedMiners]] of changes.entries()) {
      expect(run.types(see(3 + index, body(type, who)))).toEqual([type]);
      expect(run.types(see(3 + index, body(type, who)))).toEqual([]);
      expect(run.state.context.terms).toMatchObject({ routers, dedicatedMiners });
    }
    const undone = [
      [6, 'SessionMinerAdded', [other], [alice]],
      [5, 'SessionRouterAdded', [other, router], [alice]],
      [4, 'SessionMinerRemoved', [other, router], []],
      [3, 'SessionRouterRemoved', [router], []],
    ] as const;
    for (const [block, type, routers, dedicatedMiners] of undone) {
      const [was, who] = changes[block - 3]!;
      expect(run.types(unsee(block, body(was, who)))).toEqual([type, 'ChainFactReverted']);
      expect(run.state.context.terms).toMatchObject({ routers, dedicatedMiners });
    }
  });

  test('decide which routers may submit for the owner', () => {
    const run = given();
    run.tell(see(3, { type: 'SessionRouterAdded', session, router: address(0x41) }));
    run.tell(see(4, { type: 'SessionRouterRemoved', session, router }));
    expect(run.tell(submit(1)).rejection).toMatchObject({ code: 'router_may_not_submit', class: 'forbidden' });
    expect(run.types({ ...submit(1), by: address(0x41) })).toEqual(['TaskSubmitted', 'TimerSet']);
    expect(run.types({ ...submit(2), by: client, promptTokens: 0, maxTokens: 1 })).toEqual([
      'TaskSubmitted',
      'TimerSet',
    ]);
  });

  test('that are told again long after change nothing', () => {
    const run = given();
    run.tell(see(3, { type: 'SessionMinerAdded', session, miner: alice }));
    run.tell(see(4, { type: 'SessionMinerRemoved', session, miner: alice }));
    run.tell(see(5, rest));
    expect(run.types(see(3, { type: 'SessionMinerAdded', session, miner: alice }))).toEqual([]);
  });

  test('of a session that is not known are refused, to be told again', () => {
    const run = new ActorRun<SessionContext, SessionCommand>(sessionActor);
    expect(run.tell(see(3, rest)).rejection?.code).toBe('session_not_found');
  });
});

import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { address, bytes32, client, genesisAt, router, session, terms } from '../../test/actors/chain-facts.ts';
import { deposited, opened, wish as submit } from '../../test/actors/samples/session.ts';
import { submitted } from '../../test/actors/samples/task.ts';
import type { RouterGrant } from '../../src/core/allowance.ts';
import { taskId } from '../../src/core/ids.ts';
import { wei } from '../../src/core/wei.ts';
import type { SessionContext } from './context.ts';
import type { SessionCommand } from './decide.ts';
import { sessionActor } from './definition.ts';
import type { SessionEvent } from './events.ts';
import type { SubmitPlan } from './plan.ts';
import { priceBound } from './submit.ts';

const closedTerms = { ...terms, routerMaySubmit: false } as const;
const mine = { ...opened, terms: closedTerms } as const satisfies SessionEvent;
const price = BigInt(priceBound(closedTerms, submit));
const grant: RouterGrant = {
  owner: client,
  leftWei: wei(price),
  taskLimitWei: wei(price),
  goodUntil: genesisAt + 86_400_000,
  chainAt: genesisAt,
};
const rich: SessionEvent = { ...deposited, amountWei: wei(price * 10n) };
const given = (...more: SessionEvent[]) =>
  new ActorRun<SessionContext, SessionCommand>(sessionActor, [mine, rich, ...more]);
const codeOf = (command: SessionCommand, ...more: SessionEvent[]) => given(...more).tell(command).rejection?.code;

describe('a router that may submit within an allowance only', () => {
  test('submits to the last wei of it', () => {
    const run = given();
    expect(run.tell({ ...submit, grant }).rejection).toBeUndefined();
    expect(BigInt(run.state.context.money.escrowedWei)).toBe(price);
  });

  test.each<[string, Partial<RouterGrant> | undefined, string]>([
    ['without one', undefined, 'router_may_not_submit'],
    ['by one that an earlier owner signed', { owner: address(0x99) }, 'router_may_not_submit'],
    ['a wei above what is left', { leftWei: wei(price - 1n) }, 'allowance_exceeded'],
    ['once it is used up', { leftWei: wei(0) }, 'allowance_exceeded'],
    ['a wei above what one task may cost', { taskLimitWei: wei(price - 1n) }, 'allowance_task_limit'],
    ['once it has expired by the chain', { chainAt: grant.goodUntil + 1 }, 'allowance_expired'],
  ])('is refused %s, and nothing is set aside', (_, change, code) => {
    const run = given();
    const command = change === undefined ? submit : { ...submit, grant: { ...grant, ...change } };
    expect(run.tell(command).rejection?.code).toBe(code);
    expect(run.state.context.money.escrowedWei).toBe('0');
  });

  test('is refused once it has expired by the router’s clock, where the chain is behind', () => {
    expect(codeOf({ ...submit, grant: { ...grant, goodUntil: genesisAt - 1, chainAt: genesisAt - 9 } })).toBe(
      'allowance_expired',
    );
  });

  test('counts what is on its way to the chain, for itself only', () => {
    const task = taskId(session, bytes32(7));
    const unsent = { ...submitted, task, requestId: bytes32(7), maxPriceWei: wei(1), by: router } as const;
    expect(codeOf({ ...submit, grant }, unsent)).toBe('allowance_reserved');
    expect(codeOf({ ...submit, grant: { ...grant, leftWei: wei(price + 1n) } }, unsent)).toBeUndefined();
    expect(codeOf({ ...submit, grant }, { ...unsent, by: address(0x98) })).toBeUndefined();
  });

  test('may not be told by an allowance where batches settle: the contract takes none there', () => {
    const run = new ActorRun<SessionContext, SessionCommand>(sessionActor, [
      { ...mine, terms: { ...closedTerms, settlement: 'batched' } },
      rich,
    ]);
    expect(run.tell({ ...submit, grant }).rejection?.code).toBe('router_may_not_submit');
  });

  test('has a whole plan within it, or none of its steps', () => {
    const step = (name: string, id: number) => ({ ...submit, name, requestId: bytes32(id), after: [] });
    const plan: SubmitPlan = {
      type: 'SubmitPlan',
      plan: bytes32(9),
      by: router,
      steps: [step('a', 2), step('b', 3)],
      grant: { ...grant, leftWei: wei(2n * price - 1n) },
    };
    expect(codeOf(plan)).toBe('allowance_exceeded');
    expect(codeOf({ ...plan, grant: { ...grant, leftWei: wei(2n * price) } })).toBeUndefined();
  });

  test('needs none where the terms let it submit, nor does the owner anywhere', () => {
    const run = new ActorRun<SessionContext, SessionCommand>(sessionActor, [opened, rich]);
    expect(run.tell(submit).rejection).toBeUndefined();
    expect(codeOf({ ...submit, by: client })).toBeUndefined();
  });
});

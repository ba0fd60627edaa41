import { expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { bob, bytes32, fact, olga, session, task, terms } from '../../test/actors/chain-facts.ts';
import { watchGood } from '../../test/actors/samples/oracle.ts';
import type { ChainFact, ChainFactBody } from '../../src/core/chain-fact.ts';
import { wei } from '../../src/core/wei.ts';
import type { OracleContext } from './context.ts';
import type { OracleCommand } from './decide.ts';
import { oracleActor } from './definition.ts';
import type { OracleEvent } from './events.ts';

const { started, assigned, acked, precommitted, revealing, revealed, attesting, decided } = watchGood;
const history: OracleEvent[] = [
  { type: 'OracleStarted', oracle: olga, sliceMs: 10_000 },
  { type: 'OracleJoined', oracle: olga, seen: decided.seen },
  { type: 'SessionTermsSeen', session, timeouts: terms, seen: decided.seen },
  started,
  assigned,
  acked,
  precommitted,
  revealing,
  revealed,
  attesting,
  decided,
];
const see = (body: ChainFactBody): { command: OracleCommand; at: ChainFact } => {
  const seen = fact(50, body);
  return { command: { type: 'SeeFact', fact: seen }, at: seen };
};
const { place } = fact(50, { type: 'AppealUndecided', session, task });
const appealedAt = place.blockAt;
const drawBy = appealedAt + 20_000;
const attestBy = drawBy + 30_000;
const bond = { appellant: bob, bondWei: wei(10) } as const;
const appealed = see({ type: 'OutcomeAppealed', session, task, ...bond, drawBy, attestBy }).command;

/** An oracle that leads alone, in whose watched task the outcome was appealed. */
function hearing(): ActorRun<OracleContext, OracleCommand> {
  const run = new ActorRun<OracleContext, OracleCommand>(oracleActor, history);
  expect(run.timers()).toEqual([]);
  expect(run.types(appealed)).toEqual(['AppealOpened']);
  return run;
}

/** What the oracle does about a deadline once clock and chain have passed it. */
function enforced(run: ActorRun<OracleContext, OracleCommand>, deadline: string, at: number) {
  run.advanceTo(at + 1_000);
  return run.tell({ type: 'CheckDeadline', task, deadline, blockAt: at + 1_000 }).effects;
}

test('an appeal is nominated for at once and in the middle of the time, and ended when it cannot be or was not decided', () => {
  const run = hearing();
  const middle = appealedAt + 10_000;
  for (const [name, at] of [
    [`nominate:${appealedAt}`, appealedAt],
    [`nominate-again:${appealedAt}`, middle],
  ] as const) {
    expect(run.timers().map(({ id }) => id)).toContain(`${task}/${name}`);
    expect(enforced(run, name, at)).toEqual([{ kind: 'nominateOnChain', task, deadline: name }]);
  }
  const ends = { kind: 'endAppealOnChain', task };
  expect(enforced(run, `undrawn:${drawBy}`, drawBy)).toEqual([
    { ...ends, deadline: `undrawn:${drawBy}`, undrawn: true },
  ]);
  expect(enforced(run, `appeal:${attestBy}`, attestBy)).toEqual([
    { ...ends, deadline: `appeal:${attestBy}`, undrawn: false },
  ]);
  expect(run.timers()).toEqual([]);
});

test('what the chain refuses is tried again, and nothing once the appeal has ended', () => {
  const run = hearing();
  const deadline = `nominate:${appealedAt}`;
  enforced(run, deadline, appealedAt);
  const failed = { effect: 'nominateOnChain', task, deadline, code: 'chain_reverted', reason: 'BeaconUnavailable' };
  expect(run.types({ type: 'EffectFailed', ...failed })).toEqual(['EnforcementFailed']);
  expect(run.timers().map(({ id }) => id)).toContain(`${task}/${deadline}`);
  const found = { winner: bob, honest: [bob], promptTokens: 1, outputTokens: 2, reportDigest: bytes32(3) };
  expect(run.types(see({ type: 'AppealDecided', session, task, overturned: true, ...found }).command)).toEqual([
    'AppealEnded',
  ]);
  expect(run.timers()).toEqual([]);
  expect(run.types(see({ type: 'AppealUndecided', session, task }).command), 'it has ended already').toEqual([]);
});

test('an appeal of a task that is not watched, or not decided here, changes nothing', () => {
  const run = new ActorRun<OracleContext, OracleCommand>(oracleActor, history.slice(0, -1));
  expect(run.types(appealed)).toEqual([]);
  const settled = { priceWei: wei(1), returnedWei: wei(0), payments: [], manifestDigest: bytes32(4) } as const;
  const run2 = hearing();
  expect(run2.types(see({ type: 'TaskSettled', session, task, ...settled }).command)).toEqual(['WatchEnded']);
  expect(run2.timers()).toEqual([]);
});

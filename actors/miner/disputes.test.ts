import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { alice, bob, bytes32, fact, session, task } from '../../test/actors/chain-facts.ts';
import { jobGood, minerStarted } from '../../test/actors/samples/miner.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import type { Address } from '../../src/core/ids.ts';
import { wei } from '../../src/core/wei.ts';
import type { MinerContext } from './context.ts';
import type { MinerCommand } from './commands.ts';
import { minerActor } from './definition.ts';
import type { JudgeDispute } from './disputes.ts';
import type { MinerEvent } from './events.ts';

const { done: _, ...toReveal } = jobGood;
const job = { task, attempt: 0 } as const;
const counts = { promptTokens: 1, outputTokens: 2, reportDigest: bytes32(3) } as const;
const see = (body: ChainFactBody): MinerCommand => ({ type: 'SeeFact', fact: fact(20, body) });
const validated = (honest: readonly Address[]) =>
  see({ type: 'ResultValidated', session, task, winner: bob, honest, ...counts });
const times = { bondWei: wei(10), drawBy: 1, attestBy: 2 } as const;
const appealedBy = (appellant: Address) => see({ type: 'OutcomeAppealed', session, task, appellant, ...times });
const judge = (honest: readonly Address[], winner: Address | null = bob): JudgeDispute => {
  return { type: 'JudgeDispute', ...job, winner, honest };
};
const failed = (effect: string): MinerCommand => {
  return { type: 'EffectFailed', effect, ...job, code: 'insufficient_cor', reason: 'poor' };
};

/** Alice, whose result is shown; she appeals unless told otherwise. */
function shown(started: MinerEvent = { ...minerStarted, appeals: true }): ActorRun<MinerContext, MinerCommand> {
  return new ActorRun<MinerContext, MinerCommand>(minerActor, [started, ...Object.values(toReveal)]);
}

describe('a miner that is called an outlier', () => {
  test('compares the results itself, and appeals where that finds it honest', () => {
    const run = shown();
    const told = run.tell(validated([bob]));
    expect(told.events.map(({ type }) => type)).toEqual(['OutcomeDisputed']);
    expect(told.effects).toEqual([{ kind: 'judgeOutcome', ...job }]);
    expect(run.types(validated([bob])), 'a repeated fact').toEqual([]);
    const { events, effects } = run.tell(judge([alice, bob]));
    expect(events).toMatchObject([{ type: 'DisputeJudged', appeals: true }]);
    expect(effects).toEqual([{ kind: 'appealOnChain', ...job }]);
    expect(run.tell(judge([alice])).events, 'it has judged already').toEqual([]);
    expect(run.types(appealedBy(alice))).toEqual(['DisputeAppealed']);
    expect(run.types(appealedBy(alice))).toEqual([]);
    expect(run.types(failed('appealOnChain')), 'the chain has it').toEqual([]);
  });

  test('keeps its bond where it finds the same, or nothing at all', () => {
    for (const told of [judge([bob]), judge([alice], null)]) {
      const run = shown();
      run.tell(validated([bob]));
      const { events, effects } = run.tell(told);
      expect(events).toMatchObject([{ type: 'DisputeJudged', appeals: false }]);
      expect(effects).toEqual([]);
      expect(run.types(appealedBy(alice)), 'nothing is in hand').toEqual([]);
    }
  });

  test('leaves it at that where somebody else appeals, or the chain refuses; the job goes on', () => {
    for (const command of [appealedBy(bob), failed('judgeOutcome')]) {
      const run = shown();
      run.tell(validated([bob]));
      expect(run.types(command)).toEqual(['DisputeDropped']);
      expect(run.tell(judge([alice])).events).toEqual([]);
      const money = { priceWei: wei(9), returnedWei: wei(0), manifestDigest: bytes32(4) } as const;
      const pay = { to: alice, role: 'miner', amountWei: wei(5) } as const;
      expect(run.tell(see({ type: 'TaskSettled', session, task, ...money, payments: [pay] })).events).toMatchObject([
        { type: 'JobDone', earnedWei: '5' },
      ]);
    }
  });
});

test('a miner that is honest, or that is to appeal nothing, does nothing of it', () => {
  expect(shown().types(validated([alice, bob]))).toEqual([]);
  expect(shown(minerStarted).types(validated([bob]))).toEqual([]);
  expect(shown().types(failed('judgeOutcome')), 'there is no dispute').toEqual([]);
});

test('what it is to appeal follows from its newest start', () => {
  const run = shown();
  const { type: __, ...settings } = minerStarted;
  expect(run.types({ type: 'StartMiner', ...settings, appeals: true })).toEqual([]);
  expect(run.types({ type: 'StartMiner', ...settings })).toEqual(['MinerStarted']);
  expect(run.types(validated([bob]))).toEqual([]);
});

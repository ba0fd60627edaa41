import { describe, expect, test } from 'vitest';
import { foldMiner } from '../../../actors/miner/machine.ts';
import type { JobEvent } from '../../../actors/miner/events.ts';
import { foldEvents } from '../../../test/actors/actor-run.ts';
import { alice, bob, bytes32, genesisAt, session, task } from '../../../test/actors/chain-facts.ts';
import { jobGood, minerStarted } from '../../../test/actors/samples/miner.ts';
import { limits } from '../../core/limits.ts';
import type { ChainSlotState, ChainTaskRecord, ChainTaskState } from '../../ports/queue-messages.ts';
import { owedByLog, owedFor, stageOf } from './owed.ts';

const { received, acked, produced, precommitted, revealOpened, revealed, done } = jobGood;
const late = limits.drainLateMs;

function job(...history: JobEvent[]) {
  const { state } = foldEvents(foldMiner, foldMiner.initial, [minerStarted, ...history]);
  const found = Object.values(state.context.jobs)[0];
  if (found === undefined) throw new Error('no job');
  return found;
}

/** A task in which the miner's slot is due at 1,000 and another's at 2,000, and its phase at 5,000. */
function record(state: ChainTaskState, own?: ChainSlotState, other: ChainSlotState = 'acked'): ChainTaskRecord {
  const slot = { attempt: 0, precommit: bytes32(1) };
  const slots =
    own === undefined
      ? []
      : [
          { ...slot, miner: alice, state: own, dueBy: 1_000 },
          { ...slot, miner: bob, state: other, dueBy: 2_000 },
        ];
  return {
    session,
    state,
    step: 0,
    submittedBlock: 3,
    phaseBy: 5_000,
    finality: 'immediate',
    slots,
    validators: [],
    router: alice,
    outcome: undefined,
  };
}

const working = job(received, acked, produced);

describe('a job', () => {
  test('may be let go of before its precommit is signed, and never after', () => {
    expect([job(received), job(received, acked), job(received, produced)].map(stageOf)).toEqual(Array(3).fill('loose'));
    const bound = [[], [precommitted], [precommitted, revealOpened], [precommitted, revealOpened, revealed]];
    expect(bound.map((then) => stageOf(job(received, acked, produced, ...then)))).toEqual(Array(4).fill('bound'));
    expect(stageOf(job(received, acked, produced, precommitted, revealOpened, revealed, done))).toBe('over');
  });

  test('owes a precommit until its deadline is used against it', () => {
    for (const state of ['assigned', 'acked'] as const)
      expect(owedFor(working, record('executing', state))).toEqual({ what: 'precommit', until: 1_000 + late });
  });

  test('owes its reveal while others may still precommit, and then until the reveals are due', () => {
    expect(owedFor(working, record('executing', 'precommitted'))).toEqual({ what: 'reveal', until: 2_000 + late });
    // All have precommitted by what is read of the slots, and the task says so a moment later.
    const both = record('executing', 'precommitted', 'precommitted');
    expect(owedFor(working, both)).toEqual({ what: 'reveal', until: 1_000 + late });
    expect(owedFor(working, record('precommitted', 'precommitted'))).toEqual({ what: 'reveal', until: 5_000 + late });
  });

  test('owes the content of its result until the task is judged', () => {
    for (const state of ['precommitted', 'committed'] as const)
      expect(owedFor(working, record(state, 'revealed'))).toEqual({ what: 'content', until: 5_000 + late });
    for (const state of ['validated', 'settled', 'refunded'] as const)
      expect(owedFor(working, record(state, 'revealed'))).toBeUndefined();
  });

  test('owes nothing where its slot is dropped or that of another, or the chain does not know the task', () => {
    expect(owedFor(working, undefined)).toBeUndefined();
    expect(owedFor(working, record('settled'))).toBeUndefined();
    for (const state of ['executing', 'precommitted', 'committed'] as const)
      expect(owedFor(working, record(state, 'dropped'))).toBeUndefined();
  });

  test('owes by its log what the chain does not tell', () => {
    expect(owedByLog(working, 7)).toEqual({ what: 'precommit', until: genesisAt + 30_000 + late });
    const opened = job(received, acked, produced, precommitted, revealOpened);
    expect(owedByLog(opened, 7)).toEqual({ what: 'reveal', until: genesisAt + 40_000 + late });
    const shown = job(received, acked, produced, precommitted, revealOpened, revealed);
    expect(owedByLog(shown, 7)).toMatchObject({ what: 'content' });
    const batched = job(
      { ...received, batched: true },
      { ...acked, precommitBy: 0, seen: null },
      produced,
      precommitted,
    );
    expect([task, owedByLog(batched, 7)]).toEqual([task, { what: 'reveal', until: 7 + late }]);
  });
});

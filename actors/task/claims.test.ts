import { describe, expect, test } from 'vitest';
import { foldEvents } from '../../test/actors/actor-run.ts';
import { alice, bob, carol, genesisAt, task } from '../../test/actors/chain-facts.ts';
import { claims, detours, good, submitted } from '../../test/actors/samples/task.ts';
import { choose, given, when } from '../../test/actors/task-run.ts';
import type { Address } from '../../src/core/ids.ts';
import { type ClaimOffer, freePlaces } from './claims.ts';
import type { TaskEvent } from './events.ts';
import { foldTask } from './machine.ts';

const { queued, selected, assigned } = good;
const onChain: readonly TaskEvent[] = [submitted, queued];
const claimed: readonly TaskEvent[] = [...onChain, claims.byBob, { ...claims.byAlice, at: genesisAt + 30 }];
const claim = (miner: Address, place: number): ClaimOffer => {
  return { type: 'ClaimOffer', task, miner, place, offer: `offer-${place}`, signature: 's' };
};
const first = { ...choose, scheme: 'first-come' } as const;

describe('a place of a task', () => {
  test('goes to the first who claims it, and the log keeps the signed claim', () => {
    const { events, state } = when(onChain, claim(alice, 1), genesisAt + 7);
    expect(events).toEqual([
      {
        type: 'OfferClaimed',
        task,
        miner: alice,
        place: 1,
        offer: 'offer-1',
        at: genesisAt + 7,
        signature: 's',
      },
    ]);
    expect(freePlaces(state)).toEqual([0]);
    expect(when([...onChain, claims.byAlice], claim(bob, 0)).refused).toBe('offer_closed');
  });

  test('is one for each miner, and the same claim again is no other', () => {
    expect(when([...onChain, claims.byAlice], claim(alice, 1)).refused).toBe('already_claimed');
    expect(when([...onChain, claims.byAlice], claim(alice, 0))).toMatchObject({ refused: undefined, events: [] });
  });

  test('is there for as many as are wanted', () => {
    expect(when(onChain, claim(alice, 1)).refused).toBeUndefined();
    expect(when(onChain, claim(alice, 2)).refused).toBe('offer_closed');
  });

  test.each([
    { when: 'the task is not on chain', history: [submitted] },
    { when: 'its miners are chosen', history: [...onChain, selected] },
    { when: 'its miners are at work', history: [...onChain, selected, assigned] },
    { when: 'nobody wants it any more', history: [...onChain, detours.cancelled] },
    { when: 'it has ended', history: [...onChain, detours.failed] },
  ])('cannot be claimed where $when', ({ history }) => {
    expect(when(history, claim(alice, 0)).refused).toBe('offer_closed');
    expect(foldTask.step(given(...history), claims.byAlice).handled).toBe(false);
  });

  test('is offered again where its claim came to nothing', () => {
    const history = [...onChain, claims.byAlice];
    const lapse = { type: 'LapseClaim', task, miner: alice, reason: 'silent' } as const;
    const { state, events } = when(history, lapse, genesisAt + 50);
    expect(events).toEqual([{ type: 'ClaimLapsed', task, miner: alice, at: genesisAt + 50, reason: 'silent' }]);
    expect(freePlaces(state)).toEqual([0, 1]);
    expect(state.context.reoffered).toEqual({ 0: genesisAt + 50 });
    expect(when(history, { ...lapse, miner: bob }).events).toEqual([]);
    expect(when([...claimed, { ...claims.selected }], lapse).events).toEqual([]);
  });
});

describe('a task whose places are all claimed', () => {
  test('is chosen miners for at once, and not before', () => {
    expect(foldEvents(foldTask, given(...onChain), [claims.byBob]).effects).toEqual([]);
    expect(foldEvents(foldTask, given(...onChain, claims.byBob), [claims.byAlice]).effects).toEqual([
      { kind: 'selectMiners', task, afterBlock: 1, redundancy: 2, validators: 1, model: 'pebble-chat' },
    ]);
  });

  test('has those miners who came first, in that order; all others stand by as they are drawn', () => {
    const { events, effects } = when(claimed, first);
    expect(events).toMatchObject([
      { type: 'MinersSelected', scheme: 'first-come', miners: [bob, alice], ranking: [bob, alice, carol] },
    ]);
    expect(effects).toMatchObject([
      { kind: 'assignOnChain', scheme: 'first-come', miners: [{ node: bob }, { node: alice }] },
    ]);
  });

  test('is refused a selection that says so and does not have them', () => {
    expect(when([...onChain, claims.byBob], first).refused).toBe('claims_missing');
    const others = { ...first, candidates: [{ node: alice, weight: 1 }] };
    expect(when(claimed, others).refused).toBe('claim_not_candidate');
    const claimedOnes = given(...claimed);
    for (const miners of [[alice, bob], [bob, carol], [bob]])
      expect(foldTask.step(claimedOnes, { ...claims.selected, miners }).handled).toBe(false);
    expect(foldTask.step(claimedOnes, claims.selected).handled).toBe(true);
  });

  test('offers its places anew where the chain refuses the selection', () => {
    const state = given(...claimed, claims.selected, detours.refused);
    expect(freePlaces(state)).toEqual([0, 1]);
    expect(state.context).toMatchObject({ claims: [], reoffered: {}, selections: 1 });
  });
});

import { describe, expect, test } from 'vitest';
import { alice, bob, bytes32, session } from '../../../test/actors/chain-facts.ts';
import type { ChainSlotState, ChainTaskRecord, ChainTaskState } from '../../ports/queue-messages.ts';
import { type ChainEffect, refusedStanding } from './refused-part.ts';

function record(state: ChainTaskState, slotState?: ChainSlotState, attempt = 0): ChainTaskRecord {
  const slot = (miner: typeof alice, is: ChainSlotState, of: number) => ({
    miner,
    attempt: of,
    state: is,
    dueBy: 0,
    precommit: bytes32(1),
  });
  const slots = slotState === undefined ? [] : [slot(bob, 'revealed', attempt), slot(alice, slotState, attempt)];
  return {
    session,
    state,
    step: 0,
    submittedBlock: 3,
    phaseBy: 0,
    finality: 'immediate',
    slots,
    validators: [],
    router: alice,
    outcome: undefined,
  };
}

const standing = (kind: ChainEffect['kind'], on: ChainTaskRecord | undefined, reason: unknown = 'WrongTaskState') =>
  refusedStanding({ kind, attempt: 0 }, alice, on, reason);

describe('a part that the contract has refused', () => {
  test('is there where the chain has it, whoever brought it', () => {
    expect(standing('revealOnChain', record('precommitted', 'revealed'))).toBe('there');
    for (const state of ['committed', 'validated'] as const)
      expect(standing('revealOnChain', record(state, 'revealed'))).toBe('there');
    expect(standing('precommitOnChain', record('precommitted', 'precommitted'))).toBe('there');
    expect(standing('precommitOnChain', record('committed', 'revealed'))).toBe('there');
    expect(standing('ackOnChain', record('executing', 'acked'), 'WrongSlotState')).toBe('there');
  });

  test('is still open where only the next block has it', () => {
    expect(standing('revealOnChain', record('precommitted', 'precommitted'))).toBe('open');
    // A reorg has taken the others' precommits back.
    expect(standing('revealOnChain', record('executing', 'precommitted'))).toBe('open');
    expect(standing('precommitOnChain', record('executing', 'acked'), 'WrongSlotState')).toBe('open');
    expect(standing('precommitOnChain', record('assigned', 'assigned'))).toBe('open');
    expect(standing('ackOnChain', record('executing', 'assigned'), 'WrongSlotState')).toBe('open');
  });

  test('is over with its task, of which the chain keeps no slots', () => {
    for (const state of ['settled', 'refunded'] as const) expect(standing('revealOnChain', record(state))).toBe('over');
  });

  test('is gone where its slot is not its any more, or where the refusal is of what was brought', () => {
    expect(standing('revealOnChain', undefined)).toBe('gone');
    expect(standing('revealOnChain', record('precommitted', 'dropped'))).toBe('gone');
    expect(standing('precommitOnChain', record('executing', 'acked', 1))).toBe('gone');
    expect(standing('precommitOnChain', record('precommitted', 'acked'))).toBe('gone');
    expect(standing('revealOnChain', record('precommitted', 'precommitted'), 'PrecommitMismatch')).toBe('gone');
    expect(standing('revealOnChain', record('precommitted', 'precommitted'), null)).toBe('gone');
  });
});

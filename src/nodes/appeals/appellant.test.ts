import { describe, expect, test } from 'vitest';
import { alice, bob, task } from '../../../test/actors/chain-facts.ts';
import { PouwError } from '../../core/errors.ts';
import type { EffectId } from '../../core/ids.ts';
import { type Wei, wei, zeroWei } from '../../core/wei.ts';
import type { ChainAppeal } from '../../ports/chain-appeals.ts';
import type { ChainCall } from '../../ports/chain.ts';
import { Appellant, type AppealingChain } from './appellant.ts';

const bondWei = wei(10);
const effect = 'miner.x:1:0' as EffectId;
const made = { state: 'open', appellant: alice } as ChainAppeal;

interface Told {
  readonly appeal?: ChainAppeal;
  readonly refusal?: string;
  readonly heldWei?: Wei;
  readonly revert?: string;
}

/** Alice, on a chain that does as it is told and takes what it is allowed. */
function alone({ appeal, refusal, heldWei = wei(100), revert }: Told = {}) {
  const sent: { call: ChainCall; effect: string }[] = [];
  let allowedWei: Wei = zeroWei;
  const chain: AppealingChain = {
    appeal: async () => appeal,
    appealRefusal: async () => refusal,
    appealRules: async () => ({ bondWei, windowMaxS: 60 }),
    appealAllowance: async () => allowedWei,
    corBalance: async () => heldWei,
    send: async (_, call, id) => {
      sent.push({ call, effect: id });
      if (call.call === 'approve') allowedWei = call.amountWei;
      if (call.call === 'appeal') {
        if (revert !== undefined)
          throw new PouwError('chain_reverted', revert, { class: 'conflict', details: { reason: revert } });
        if (allowedWei === zeroWei) throw new PouwError('chain_reverted', 'no allowance');
        allowedWei = zeroWei;
      }
      return { txHash: '0x', block: 1, gasUsed: 1, facts: [] };
    },
  };
  return { appellant: new Appellant(chain, alice), sent };
}

describe('an appeal', () => {
  test('allows the bond and no more, and is made', async () => {
    const { appellant, sent } = alone();
    await appellant.appeal(task, effect);
    expect(sent).toEqual([
      { call: { call: 'approve', spender: 'appeals', amountWei: bondWei }, effect: `${effect}/bond` },
      { call: { call: 'appeal', task }, effect },
    ]);
  });

  test('has its bond where several are made at once: each is pulled before the next is allowed', async () => {
    const { appellant, sent } = alone();
    await Promise.all([appellant.appeal(task, effect), appellant.appeal(task, `${effect}0` as EffectId)]);
    expect(sent.map(({ call }) => call.call)).toEqual(['approve', 'appeal', 'approve', 'appeal']);
  });

  test('that came through before a crash is made once', async () => {
    const { appellant, sent } = alone({ appeal: made, refusal: 'AlreadyAppealed' });
    await appellant.appeal(task, effect);
    expect(sent).toEqual([]);
  });

  test.each([
    ['NotAppealable', 'not_appealable'],
    ['AppealTooLate', 'appeal_too_late'],
    ['NotAParty', 'not_a_party'],
    ['AlreadyAppealed', 'already_appealed'],
  ])('that the contract would refuse with %s costs nothing', async (refusal, code) => {
    const { appellant, sent } = alone({ appeal: { ...made, appellant: bob }, refusal });
    await expect(appellant.appeal(task, effect)).rejects.toMatchObject({ code });
    expect(sent).toEqual([]);
  });

  test('needs the bond', async () => {
    const { appellant, sent } = alone({ heldWei: wei(9) });
    await expect(appellant.appeal(task, effect)).rejects.toMatchObject({ code: 'insufficient_cor', class: 'payment' });
    expect(sent).toEqual([]);
  });

  test('that somebody is quicker with says so; the next one is made all the same', async () => {
    const { appellant } = alone({ revert: 'AlreadyAppealed' });
    await expect(appellant.appeal(task, effect)).rejects.toMatchObject({ code: 'already_appealed' });
    const other = alone({ revert: 'SomethingElse' });
    await expect(other.appellant.appeal(task, effect)).rejects.toMatchObject({ code: 'chain_reverted' });
    await expect(other.appellant.appeal(task, effect)).rejects.toMatchObject({ code: 'chain_reverted' });
  });
});

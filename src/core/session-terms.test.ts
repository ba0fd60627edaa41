import { describe, expect, test } from 'vitest';
import { terms } from '../../test/actors/chain-facts.ts';
import { canonicalJson } from './canonical-json.ts';
import { toAddress } from './ids.ts';
import { allowedFor, plainTerms, withWholeTerms } from './session-terms.ts';

const miner = toAddress(`0x${'11'.repeat(20)}`);
/** The terms as the first format had them. */
const older = (dedicatedMiners: readonly string[]) => {
  const added = new Set<string>(Object.keys(plainTerms));
  const kept = Object.entries(terms).filter(([name]) => !added.has(name));
  return { ...Object.fromEntries(kept), dedicatedMiners };
};

describe('the terms in an event of the first format', () => {
  test('get what they had no field for', () => {
    expect(withWholeTerms({ type: 'SessionOpened', terms: older([]) })).toEqual({ type: 'SessionOpened', terms });
  });

  test('are for the listed miners only where there is a list', () => {
    const event = withWholeTerms({ type: 'SessionOpened', terms: older([miner]) });
    expect(event).toEqual({ type: 'SessionOpened', terms: { ...terms, mode: 'dedicated', dedicatedMiners: [miner] } });
  });

  test('stay as they are where they are whole', () => {
    const event = { type: 'SessionOpened', terms: { ...terms, mode: 'dedicated', minMiners: 2 } };
    expect(canonicalJson(withWholeTerms(event))).toBe(canonicalJson(event));
  });

  test.each([{ type: 'SessionDraining' }, { type: 'Noted', terms: null }, { type: 'Noted', terms: 'plain' }])(
    'are nothing that %o has',
    (event) => {
      expect(withWholeTerms(event)).toBe(event);
    },
  );
});

test('a list of miners counts while the mode says so', () => {
  expect(allowedFor(true, { ...terms, dedicatedMiners: [miner] })).toEqual([miner]);
  expect(allowedFor(false, { ...terms, dedicatedMiners: [miner] })).toEqual([]);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopMatcher } from './stop-matcher.ts';

function run(stops: readonly string[], parts: readonly string[]): { shown: string[]; stopped: boolean } {
  const matcher = new StopMatcher(stops);
  const shown = parts.map((part) => matcher.push(part).text);
  const { stopped } = matcher.push('');
  return { shown: [...shown, matcher.flush()], stopped };
}

describe('StopMatcher', () => {
  it('passes everything where there is nothing to stop at', () => {
    expect(run([], ['a', 'b'])).toEqual({ shown: ['a', 'b', ''], stopped: false });
  });

  it('holds back what may be the beginning of a stop string, and gives it when it is not', () => {
    expect(run(['END'], ['it', ' E', 'N', 'ough'])).toEqual({ shown: ['it', ' ', '', 'ENough', ''], stopped: false });
  });

  it('gives at the end what was held back', () => {
    expect(run(['END'], ['the EN'])).toEqual({ shown: ['the ', 'EN'], stopped: false });
  });

  it('swallows the stop string and all that follows', () => {
    expect(run(['END'], ['the E', 'ND of', ' it'])).toEqual({ shown: ['the ', '', '', ''], stopped: true });
  });

  it('stops at whichever comes first', () => {
    expect(run(['b', 'ab'], ['xxab']).shown).toEqual(['xx', '']);
  });

  it('shows exactly the text before the first match, however the text is cut', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    const stop = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(letters, { maxLength: 8 }),
        fc.array(stop, { minLength: 1, maxLength: 3 }),
        (parts, stops) => {
          // The first match in time is that of the prefix of the text in which one is complete for the first time.
          const whole = parts.join('');
          const { shown, stopped } = run(stops, parts);
          const ends = stops.map((text) => whole.indexOf(text)).filter((at) => at >= 0);
          expect(stopped).toBe(ends.length > 0);
          if (!stopped) expect(shown.join('')).toBe(whole);
          else expect(whole.startsWith(shown.join(''))).toBe(true);
          for (const text of stops) expect(shown.join('')).not.toContain(text);
        },
      ),
      { numRuns: 2_000, seed: 7 },
    );
  });
});

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

  it('stops at whichever is complete first, and of those at the longest', () => {
    expect(run(['bb', 'abc'], ['xxabc', 'bb']).shown.join('')).toBe('xx');
    expect(run(['b', 'abc'], ['xxabc']).shown.join('')).toBe('xxa');
    expect(run(['b', 'ab'], ['xxab']).shown.join('')).toBe('xx');
  });

  it('shows the same however the text is cut, and no stop string', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    const stop = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(letters, { maxLength: 8 }),
        fc.array(stop, { minLength: 1, maxLength: 3 }),
        (parts, stops) => {
          const whole = parts.join('');
          const { shown, stopped } = run(stops, parts);
          expect(stopped).toBe(stops.some((text) => whole.includes(text)));
          expect(shown.join('')).toBe(beforeFirstStop(whole, stops));
          for (const text of stops) expect(shown.join('')).not.toContain(text);
        },
      ),
      { numRuns: 2_000, seed: 7 },
    );
  });
});

/** The definition: read on letter by letter until the text ends in a stop string, and take the longest such off. */
function beforeFirstStop(text: string, stops: readonly string[]): string {
  for (let length = 1; length <= text.length; length++) {
    const read = text.slice(0, length);
    const ending = stops.filter((stop) => read.endsWith(stop)).toSorted((a, b) => b.length - a.length)[0];
    if (ending !== undefined) return read.slice(0, length - ending.length);
  }
  return text;
}

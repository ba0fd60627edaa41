import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SubjectTrie } from './subject-trie.ts';

/** The rules of subjects, word for word and slowly. */
function matchesNaively(pattern: readonly string[], subject: readonly string[]): boolean {
  const [want, ...wants] = pattern;
  const [have, ...haves] = subject;
  if (want === undefined || have === undefined) return want === undefined && have === undefined;
  if (want === '>') return wants.length === 0;
  return (want === '*' || want === have) && matchesNaively(wants, haves);
}

// Few tokens and short subjects, so that most patterns meet some subject.
const token = fc.constantFrom('a', 'b', 'c');
const subject = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { maxLength: 5 }), fc.boolean())
  .filter(([tokens, tail]) => tokens.length > 0 || tail)
  .map(([tokens, tail]) => [...tokens, ...(tail ? ['>'] : [])].join('.'));

interface Entry {
  readonly pattern: string;
  readonly value: number;
}

function expected(entries: readonly Entry[], of: string): number[] {
  return entries
    .filter((entry) => matchesNaively(entry.pattern.split('.'), of.split('.')))
    .map(({ value }) => value)
    .toSorted((a, b) => a - b);
}

function found(trie: SubjectTrie<number>, of: string): number[] {
  return trie.match(of).toSorted((a, b) => a - b);
}

describe('the subject trie', () => {
  test('finds what the rules of subjects find, whatever was added', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 30 }), fc.array(subject, { maxLength: 20 }), (patterns, subjects) => {
        const trie = new SubjectTrie<number>();
        const entries = patterns.map((text, value) => ({ pattern: text, value }));
        for (const entry of entries) trie.add(entry.pattern, entry.value);
        for (const of of subjects) expect(found(trie, of)).toEqual(expected(entries, of));
      }),
      { numRuns: 500 },
    );
  });

  test('finds what is left after removals, and the same as a trie that never had the rest', () => {
    const additions = fc.array(fc.record({ pattern, removed: fc.boolean() }), { maxLength: 30 });
    fc.assert(
      fc.property(additions, fc.array(subject, { maxLength: 20 }), (added, subjects) => {
        const trie = new SubjectTrie<number>();
        added.forEach((entry, value) => trie.add(entry.pattern, value));
        added.forEach((entry, value) => entry.removed && trie.remove(entry.pattern, value));
        const left = added.flatMap((entry, value) => (entry.removed ? [] : [{ pattern: entry.pattern, value }]));
        for (const of of subjects) expect(found(trie, of)).toEqual(expected(left, of));
      }),
      { numRuns: 500 },
    );
  });

  test('removing what is not there changes nothing', () => {
    const trie = new SubjectTrie<string>();
    trie.add('a.*', 'kept');
    for (const [other, value] of [
      ['a.*', 'stranger'],
      ['a.b', 'kept'],
      ['a', 'kept'],
      ['a.>', 'kept'],
      ['x.y.z', 'kept'],
    ] as const) {
      trie.remove(other, value);
    }
    expect(trie.match('a.b')).toEqual(['kept']);
  });

  test('a match does not grow with the patterns that have nothing to do with it', () => {
    const trie = new SubjectTrie<number>();
    for (let index = 0; index < 50_000; index++) trie.add(`tok.session${index}.*.miner`, index);
    const startMs = performance.now();
    let matches = 0;
    for (let round = 0; round < 1_000; round++) matches += trie.match('tok.session777.t.miner').length;
    expect(matches).toBe(1_000);
    // This takes a few milliseconds; a thousand walks over fifty thousand patterns take many seconds.
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });
});

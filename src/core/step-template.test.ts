import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from './limits.ts';
import { fillTemplate, placeholdersIn, stepNamePattern, templateChars } from './step-template.ts';

describe('a template', () => {
  test('has the texts put where their names stand, in every message', () => {
    const words = {
      messages: [
        { role: 'system' as const, content: 'Be short about {{a}}.' },
        { role: 'user' as const, content: '{{b}} and {{a}}, {{b}}' },
      ],
    };
    expect(placeholdersIn(words)).toEqual(['a', 'b', 'a', 'b']);
    const texts = new Map([
      ['a', 'tea'],
      ['b', 'milk'],
    ]);
    expect(fillTemplate(words, texts)).toEqual({
      messages: [
        { role: 'system', content: 'Be short about tea.' },
        { role: 'user', content: 'milk and tea, milk' },
      ],
    });
  });

  test('is not filled by what the texts say: an answer with a placeholder in it stays as it is', () => {
    const texts = new Map([
      ['a', 'ignore this: {{b}} $& $1 {{a}}'],
      ['b', 'secret'],
    ]);
    expect(fillTemplate({ text: '<{{a}}>' }, texts)).toEqual({ text: '<ignore this: {{b}} $& $1 {{a}}>' });
  });

  test('keeps braces that are no placeholder, and names that have no text', () => {
    const text = '{{ a }} {{1}} {a} {{}} {{c}}';
    expect(placeholdersIn({ text })).toEqual(['c']);
    expect(fillTemplate({ text }, new Map([['a', 'x']]))).toEqual({ text });
  });

  test('has as many characters as its words together', () => {
    expect(templateChars({ text: 'four' })).toBe(4);
    expect(
      templateChars({
        messages: [
          { role: 'user', content: 'ab' },
          { role: 'user', content: 'c' },
        ],
      }),
    ).toBe(3);
  });

  test('whatever the texts are, what is around them stays', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const filled = fillTemplate({ text: '[{{a}}|{{b}}]' }, new Map(Object.entries({ a, b })));
        expect(filled).toEqual({ text: `[${a}|${b}]` });
      }),
    );
  });
});

test('a step has a name that a placeholder can name', () => {
  const longest = `a${'b'.repeat(limits.stepNameCharsMax - 1)}`;
  for (const name of ['a', 'Map-1', 'x_y', longest]) expect(stepNamePattern.test(name)).toBe(true);
  for (const name of ['', '1a', 'a b', 'a}', `${longest}b`]) expect(stepNamePattern.test(name)).toBe(false);
});

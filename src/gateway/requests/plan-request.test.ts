import { describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import { readPlanRequest } from './plan-request.ts';

const step = (
  name: string,
  after: readonly string[] = [],
  prompt = after.map((one) => `{{${one}}}`).join(' ') || 'x',
) => {
  return { name, prompt, ...(after.length === 0 ? {} : { after }) };
};
const read = (...steps: readonly object[]) => readPlanRequest({ steps }, 'm');
const refused = (message: string) =>
  expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(message) as string }) as Error;

describe('a plan', () => {
  it('is read with parents first, in whatever order it comes', () => {
    const { steps } = read(step('c', ['a', 'b']), step('b', ['a']), step('a'));
    expect(steps.map(({ name, after }) => [name, after])).toEqual([
      ['a', []],
      ['b', ['a']],
      ['c', ['a', 'b']],
    ]);
    expect(steps[0]?.task).toMatchObject({ model: 'm', prompt: { text: 'x' }, sampling: { temperature: 0 } });
  });

  it('carries what its steps ask for, its id and its session', () => {
    const messages = [{ role: 'user', content: 'Hi {{a}}' }];
    const fields = { temperature: 1, max_tokens: 7, stop: 'END', x_pouw: { max_price_wei: '9' } };
    const wanted = readPlanRequest(
      { session: 's', request_id: 'r', steps: [step('a'), { name: 'b', after: ['a'], messages, ...fields }] },
      'm',
    );
    expect(wanted).toMatchObject({ session: 's', requestId: 'r' });
    expect(wanted.steps[1]?.task).toMatchObject({
      maxTokens: 7,
      stop: ['END'],
      maxPriceWei: '9',
      prompt: { messages },
    });
  });

  it('has as many steps and parents as there may be, and no more', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => step(`s${index}`));
    const names = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);
    expect(read(...many(limits.planStepsMax)).steps).toHaveLength(limits.planStepsMax);
    expect(() => read(...many(limits.planStepsMax + 1))).toThrow(refused('steps'));
    expect(() => read()).toThrow(refused('steps'));
    const most = limits.stepParentsMax;
    expect(read(...many(most), step('last', names(most))).steps.at(-1)?.after).toHaveLength(most);
    expect(() => read(...many(most + 1), step('last', names(most + 1)))).toThrow(refused('after'));
  });

  it.each([
    ['a circle', [step('a', ['b']), step('b', ['a'])], 'circle'],
    ['a circle behind something', [step('a'), step('b', ['a', 'c']), step('c', ['b'])], 'b, c come after each other'],
    ['itself as a parent', [step('a', ['a'])], 'no other step is called a'],
    ['a parent that is not there', [step('a', ['b'])], 'no other step is called b'],
    ['a name twice', [step('a'), step('a')], 'another step is called a'],
    ['a parent twice', [step('a'), step('b', ['a', 'a'])], 'stands twice'],
    ['a placeholder for no parent', [step('a'), step('c'), step('b', ['a'], '{{a}} {{c}}')], '{{c}} names no step'],
    ['a name that no placeholder can have', [step('1')], 'must be a letter'],
    ['neither a prompt nor messages', [{ name: 'a' }], 'needs either'],
    ['both', [{ name: 'a', prompt: 'x', messages: [{ role: 'user', content: 'x' }] }], 'needs either'],
  ])('with %s is refused', (_, steps, message) => {
    expect(() => read(...steps)).toThrow(refused(message));
  });

  it('takes braces as words where a step comes after none', () => {
    expect(read(step('a', [], 'Say {{b}}.')).steps[0]?.task.prompt).toEqual({ text: 'Say {{b}}.' });
  });
});

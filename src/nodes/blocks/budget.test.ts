import { describe, expect, test } from 'vitest';
import { aMoment } from '../../../test/features/feature.ts';
import { Budget } from './budget.ts';

const never = new AbortController().signal;

/** Takes units and notes when they came. */
function takeInto(came: string[], budget: Budget, name: string, units: number, signal = never): Promise<Disposable> {
  return budget.take(units, signal).then((taken) => {
    came.push(name);
    return taken;
  });
}

describe('a budget', () => {
  test('lends what it has, to the last unit, and no more until some comes back', async () => {
    const budget = new Budget(3);
    const came: string[] = [];
    const two = await takeInto(came, budget, 'two', 2);
    await takeInto(came, budget, 'one', 1);
    void takeInto(came, budget, 'two more', 2);
    await aMoment();
    expect(came).toEqual(['two', 'one']);
    expect(budget.waiting).toBe(1);
    two[Symbol.dispose]();
    await aMoment();
    expect(came).toEqual(['two', 'one', 'two more']);
    expect(budget.waiting).toBe(0);
  });

  test('lets nobody who wants little overtake who wants much', async () => {
    const budget = new Budget(2);
    const came: string[] = [];
    const first = await takeInto(came, budget, 'first', 1);
    const much = takeInto(came, budget, 'much', 2);
    void takeInto(came, budget, 'little', 1);
    await aMoment();
    expect(came).toEqual(['first']);
    first[Symbol.dispose]();
    (await much)[Symbol.dispose]();
    await aMoment();
    expect(came).toEqual(['first', 'much', 'little']);
  });

  test('gives back once, however often it is disposed of', async () => {
    const budget = new Budget(1);
    const came: string[] = [];
    const first = await takeInto(came, budget, 'first', 1);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await takeInto(came, budget, 'second', 1);
    void takeInto(came, budget, 'third', 1);
    await aMoment();
    expect(came).toEqual(['first', 'second']);
  });

  test('lets go who waits when the signal says so, and serves those behind', async () => {
    const budget = new Budget(2);
    const came: string[] = [];
    await takeInto(came, budget, 'first', 1);
    const abort = new AbortController();
    const much = takeInto(came, budget, 'much', 2, abort.signal);
    void takeInto(came, budget, 'little', 1);
    abort.abort(new Error('too long'));
    await expect(much).rejects.toThrow('too long');
    await aMoment();
    expect(came).toEqual(['first', 'little']);
    await expect(budget.take(1, abort.signal)).rejects.toThrow('too long');
  });

  test('keeps what was lent where the signal comes too late', async () => {
    const budget = new Budget(1);
    const abort = new AbortController();
    const first = await budget.take(1, never);
    const second = budget.take(1, abort.signal);
    first[Symbol.dispose]();
    abort.abort(new Error('late'));
    (await second)[Symbol.dispose]();
    await budget.take(1, never);
    expect(budget.waiting).toBe(0);
  });
});

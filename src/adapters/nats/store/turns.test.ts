import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

/** A task that runs until it is ended, and says whether it runs. */
function task(): { readonly run: () => Promise<string>; end: (error?: Error) => void; started: boolean } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const made = {
    started: false,
    run: () => {
      made.started = true;
      return promise;
    },
    end: (error?: Error) => (error === undefined ? resolve('done') : reject(error)),
  };
  return made;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('tasks of one key run one after the other, also after one that failed', async () => {
  const turns = new Turns(10);
  const tasks = [task(), task(), task()];
  const results = tasks.map(({ run }) => turns.run('a', run));
  results[0]?.catch(() => undefined);
  await settle();
  expect(tasks.map(({ started }) => started)).toEqual([true, false, false]);
  tasks[0]?.end(new Error('it fails'));
  await expect(results[0]).rejects.toThrow('it fails');
  await settle();
  expect(tasks.map(({ started }) => started)).toEqual([true, true, false]);
  tasks[1]?.end();
  tasks[2]?.end();
  expect(await Promise.all(results.slice(1))).toEqual(['done', 'done']);
});

test('as many tasks as may run, run; the next one waits for a place, and for nothing else', async () => {
  const turns = new Turns(2);
  const tasks = [task(), task(), task(), task()];
  const results = tasks.map(({ run }, index) => turns.run(`key ${index}`, run));
  await settle();
  expect(tasks.map(({ started }) => started)).toEqual([true, true, false, false]);
  expect(turns.size).toBe(4);
  tasks[1]?.end();
  await settle();
  expect(tasks.map(({ started }) => started)).toEqual([true, true, true, false]);
  for (const { end } of tasks) end();
  await Promise.all(results);
});

test('is idle when the last task has ended', async () => {
  const turns = new Turns(1);
  await turns.idle();
  const only = task();
  const result = turns.run('a', only.run);
  let isIdle = false;
  const idle = turns.idle().then(() => (isIdle = true));
  await settle();
  expect(isIdle).toBe(false);
  only.end();
  await Promise.all([result, idle]);
  expect(turns.size).toBe(0);
});

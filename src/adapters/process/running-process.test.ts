import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { endUnrecorded } from './process-record.ts';
import {
  commandLine,
  endProcess,
  isAlive,
  isOwnedByAnother,
  isRunning,
  orphansOf,
  thisOwner,
} from './running-process.ts';

/** A process that waits, and what it says when it is ready. */
async function waiting(script: string): Promise<{ readonly pid: number; readonly ended: Promise<unknown> }> {
  const child = spawn(process.execPath, ['-e', `${script}; console.log('ready'); setInterval(() => {}, 1000)`]);
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, ended };
}

test('a process that waits is asked to end, and is told apart by its command line', async () => {
  const { pid, ended } = await waiting('1');
  expect([isAlive(pid), await isRunning(pid)]).toEqual([true, true]);
  expect(await commandLine(pid)).toContain("console.log('ready')");
  expect(await endProcess(pid)).toBe(true);
  expect(await ended).toEqual([null, 'SIGTERM']);
  expect([isAlive(pid), await isRunning(pid), await endProcess(pid)]).toEqual([false, false, true]);
});

test('a process that does not listen is killed', async () => {
  const { pid, ended } = await waiting("process.on('SIGTERM', () => {})");
  expect(await endProcess(pid)).toBe(true);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test('an owner is another one that runs, and neither we nor one whose id is used again', async () => {
  const { pid, ended } = await waiting('2');
  const command = (await commandLine(pid)) ?? '';
  expect(await isOwnedByAnother({ pid, command })).toBe(true);
  expect(await isOwnedByAnother({ pid, command: 'something else' })).toBe(false);
  expect(await isOwnedByAnother(await thisOwner())).toBe(false);
  await endProcess(pid);
  await ended;
  expect(await isOwnedByAnother({ pid, command })).toBe(false);
});

test('a process is found by its command line once its parent is gone, and ended where nothing names it', async () => {
  const name = `told-apart-${process.pid}`;
  const isNamed = (command: string): boolean => command.includes(name);
  const { pid, ended } = await waiting(`'${name}'`);
  const nobody = (): boolean => false;
  expect(await orphansOf(isNamed, nobody)).toEqual([pid]);
  expect(await orphansOf((command) => command.includes(`${name}-else`), nobody)).toEqual([]);
  expect(await orphansOf(() => true, nobody)).not.toContain(process.pid);
  expect(await endUnrecorded(isNamed)).toEqual([pid]);
  await ended;
  expect(await endUnrecorded(isNamed)).toEqual([]);
});

test('a process whose parent still runs is nobody’s to end', async () => {
  const name = `of-another-${process.pid}`;
  const owner = spawn(
    process.execPath,
    [
      '-e',
      "require('node:child_process').spawn('sleep', ['60']); console.log('ready'); setInterval(() => {}, 1000)",
      name,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  await once(owner.stdout, 'data');
  const isSleep = (command: string): boolean => command === 'sleep 60';
  const isOwner = (command: string): boolean => command.includes(name);
  const before = await orphansOf(isSleep, () => false);
  const left = await orphansOf(isSleep, isOwner);
  expect(before.filter((pid) => !left.includes(pid))).toHaveLength(1);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  const orphan = before.find((pid) => !left.includes(pid)) ?? 0;
  expect(await orphansOf(isSleep, isOwner)).toContain(orphan);
  await endProcess(orphan);
});

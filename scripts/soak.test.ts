import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './run-program.ts';

const soak = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'soak.ts'), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

it('soak says how it is used, and runs nothing', () => {
  const { status, stdout, stderr } = soak('--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('--minutes N');
});

it.each([['--nope'], ['--minutes', '0'], ['--minutes', 'x']])('soak refuses %j without a stack trace', (...args) => {
  const { status, stdout, stderr } = soak(...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('npm run soak');
  expect(stderr).not.toMatch(/^ +at /m);
});

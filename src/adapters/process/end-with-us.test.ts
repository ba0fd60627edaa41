import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const started: number[] = [];
afterEach(() => {
  for (const pid of started.splice(0)) if (lives(pid)) process.kill(pid, 'SIGKILL');
});

const module = fileURLToPath(new URL('end-with-us.ts', import.meta.url));
/** Starts three children that do nothing, has the second one end, freezes the third, and says who they are. */
const program = `
  const { endWithUs, guardChildren } = await import(${JSON.stringify(module)});
  const { spawn } = await import('node:child_process');
  const { once } = await import('node:events');
  const child = () => { const one = spawn('sleep', ['600']); endWithUs(one); return one; };
  const first = child();
  if (process.argv[1] === 'guarded') guardChildren();
  const [second, third] = [child(), child()];
  second.kill();
  await once(second, 'exit');
  third.kill('SIGSTOP');
  console.log([first.pid, third.pid].join(' '));
  setInterval(() => {}, 1_000);
`;

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function killed(how: 'guarded' | 'alone'): Promise<number[]> {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program, how], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pids = String(line).trim().split(' ').map(Number);
  started.push(...pids);
  expect(pids.every(lives)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  return pids;
}

it('children end with a process that was killed, frozen ones too, where it has them guarded', async () => {
  const pids = await killed('guarded');
  await expect.poll(() => pids.filter(lives), { timeout: 10_000 }).toEqual([]);
});

it('children of one that has not stay, for the next start to find', async () => {
  const pids = await killed('alone');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(pids.filter(lives)).toEqual(pids);
});

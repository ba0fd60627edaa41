import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startLoopMonitor } from './loop-monitor.ts';

/** Keeps the thread from doing anything. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a process whose loop is late again and again is stuck; one long pause says nothing', async () => {
  const monitor = startLoopMonitor(100);
  for (let turn = 0; turn < 6; turn += 1) {
    block(200);
    await sleep(1);
  }
  const stuck = monitor.liveness();
  expect(stuck.alive).toBe(false);
  expect(stuck.eventLoopLateMs).toBeGreaterThan(100);
  block(400);
  await sleep(1_000);
  expect(monitor.liveness()).toMatchObject({ alive: true });
  monitor.stop();
});

test('a process says how long it is up', () => {
  const monitor = startLoopMonitor();
  expect(monitor.liveness()).toMatchObject({ alive: true, uptimeS: Math.floor(process.uptime()) });
  monitor.stop();
});

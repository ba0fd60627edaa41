import { expect, test } from 'vitest';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { Chaos, type DoneFault, type Victim } from './chaos.ts';

/** A router that is not ready the first so many times that it is started after a kill. */
class FailingRouter implements Victim {
  readonly name = 'router-1';
  readonly target = 'router';
  isDown = false;
  starts = 0;
  #failures: number;

  constructor(failures: number) {
    this.#failures = failures;
  }

  async kill(): Promise<void> {
    this.isDown = true;
  }

  pause(isPaused: boolean): void {
    this.isDown = isPaused;
  }

  async restart(): Promise<void> {
    this.starts += 1;
    if (this.#failures > 0) {
      this.#failures -= 1;
      throw new Error('router-1 did not become ready');
    }
    this.isDown = false;
  }
}

async function run(router: FailingRouter) {
  const clock = new VirtualClock();
  const faults: DoneFault[] = [];
  const chaos = new Chaos({
    victims: [router],
    seed: 'a',
    everyMs: 1_000,
    clock,
    onFault: (fault) => faults.push(fault),
  });
  chaos.start();
  await clock.advance(120_000);
  const stopped = chaos.stop();
  stopped.catch(() => undefined);
  await clock.advance(10_000);
  return { faults, stopped };
}

test('a process that is not ready in time after a kill is started again', async () => {
  const router = new FailingRouter(2);
  const { faults, stopped } = await run(router);
  await stopped;
  const kills = faults.filter(({ kind }) => kind === 'kill').length;
  expect(kills).toBeGreaterThan(1);
  expect(router.starts).toBe(kills + 2);
  expect(router.isDown).toBe(false);
});

test('one that never comes back is hit no more, and the run is told, however long ago it was', async () => {
  const router = new FailingRouter(Number.POSITIVE_INFINITY);
  const { faults, stopped } = await run(router);
  await expect(stopped).rejects.toThrow('router-1 did not become ready');
  expect(faults.filter(({ kind }) => kind === 'kill')).toHaveLength(1);
  expect(faults.at(-1)?.kind).toBe('kill');
  expect(router.starts).toBe(3);
});

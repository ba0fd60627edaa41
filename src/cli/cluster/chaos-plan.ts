import { sha256 } from '../../core/hash.ts';

/** What can be done to a process. */
export type FaultKind = 'kill' | 'pause';
/** What it is done to; one of several is chosen by `pick`. */
export type FaultTarget = 'router' | 'miner' | 'validator' | 'oracle' | 'nats' | 'rpc';

/** One fault of a plan. */
export interface Fault {
  /** Milliseconds after the one before. */
  readonly afterMs: number;
  readonly kind: FaultKind;
  readonly target: FaultTarget;
  /** Which of several, from 0 to below 1. */
  readonly pick: number;
  /** How long the process stays dead or stands still, in milliseconds. */
  readonly forMs: number;
}

/** How much is broken: the mean time between two faults, in milliseconds. */
export const chaosLevels = { light: 10_000, medium: 4_000, heavy: 1_500 } as const;
export type ChaosLevel = keyof typeof chaosLevels;

/** How often each kind of process is hit, in relation. */
const weights: Readonly<Record<FaultTarget, number>> = {
  router: 5,
  miner: 5,
  validator: 2,
  oracle: 2,
  nats: 3,
  rpc: 2,
};

/** How long a process is gone: long enough for others to take over at times, short enough to come back in a run. */
const goneMs = { least: 500, most: 5_000 } as const;

/** Draws numbers from a seed, the same ones every time. */
function drawing(seed: string): () => number {
  let count = 0;
  return () => {
    count += 1;
    return Number.parseInt(sha256(`pouw/chaos/${seed}/${count}`).slice(0, 13), 16) / 2 ** 52;
  };
}

/**
 * The faults of a seed, without end: the same seed breaks the same kinds of process in the same order at the same
 * times. What that meets depends on the machine; that is what the checks at the end are for.
 *
 * @param everyMs the mean time between two faults.
 */
export function* chaosPlan(seed: string, everyMs: number): Generator<Fault, never> {
  const draw = drawing(seed);
  const targets = Object.entries(weights) as [FaultTarget, number][];
  const total = targets.reduce((sum, [, weight]) => sum + weight, 0);
  for (;;) {
    const afterMs = Math.round(everyMs * (0.5 + draw()));
    let place = draw() * total;
    const [target] = targets.find(([, weight]) => (place -= weight) < 0) ?? ['miner'];
    const kind = draw() < 0.6 ? 'kill' : 'pause';
    const pick = draw();
    yield { afterMs, kind, target, pick, forMs: Math.round(goneMs.least + draw() * (goneMs.most - goneMs.least)) };
  }
}

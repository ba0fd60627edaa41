import { limits } from '../../core/limits.ts';

/** How long to wait before each next try: longer each time, and different from node to node. */
export interface BackOff {
  /** Milliseconds to wait before the next try; the same until `grow` or `reset`. */
  waitMs(): number;
  /** A try has begun: the wait after it is longer. */
  grow(): void;
  /** It has worked: the next wait is the shortest again. */
  reset(): void;
}

/** Full jitter above half of the wait: nodes that lost the same server at once do not come back at once. */
export function createBackOff(chance: () => number = Math.random): BackOff {
  let tries = 0;
  const draw = (): number => {
    const whole = Math.min(limits.natsReconnectMsMin * 2 ** tries, limits.natsReconnectMsMax);
    return Math.round(whole * (0.5 + 0.5 * chance()));
  };
  let waitMs = draw();
  return {
    waitMs: () => waitMs,
    grow: () => {
      tries = Math.min(tries + 1, 30);
      waitMs = draw();
    },
    reset: () => {
      tries = 0;
      waitMs = draw();
    },
  };
}

/** One Ctrl-C under npm arrives twice, from the terminal and from npm: signals this close together are one. */
const sameMs = 500;

/** The wishes to stop, in the order in which they come. */
export interface StopSignals {
  /** Resolves at the first SIGINT or SIGTERM: finish what runs, then stop. */
  readonly first: Promise<void>;
  /** Resolves at the second: stop now. The third ends the process at once. */
  readonly second: Promise<void>;
}

/** Listens for SIGINT and SIGTERM from now on. */
export function stopSignals(): StopSignals {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let count = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  const heard = (): void => {
    const nowMs = performance.now();
    if (nowMs - lastMs < sameMs) return;
    lastMs = nowMs;
    count += 1;
    if (count === 1) first.resolve();
    else if (count === 2) second.resolve();
    else process.exit(130);
  };
  process.on('SIGINT', heard);
  process.on('SIGTERM', heard);
  return { first: first.promise, second: second.promise };
}

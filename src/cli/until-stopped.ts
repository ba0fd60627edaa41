/** One Ctrl-C under npm arrives twice, from the terminal and from npm: signals this close together are one. */
const sameMs = 500;

/**
 * Resolves at the first SIGINT or SIGTERM, with a promise of the second. The third ends the process at
 * once.
 */
export function untilStopped(): Promise<Promise<void>> {
  let count = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let second: (() => void) | undefined;
  const again = new Promise<void>((resolve) => (second = resolve));
  return new Promise((first) => {
    const heard = (): void => {
      const nowMs = performance.now();
      if (nowMs - lastMs < sameMs) return;
      lastMs = nowMs;
      count += 1;
      if (count === 1) first(again);
      else if (count === 2) second?.();
      else process.exit(130);
    };
    process.on('SIGINT', heard);
    process.on('SIGTERM', heard);
  });
}

import type { Clock } from './clock.ts';

/** Builds the `sleep` of a clock from its `now` and `at`, so that every clock sleeps alike. */
export function sleepUsing(clock: Pick<Clock, 'now' | 'at'>): Clock['sleep'] {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        forget();
        reject(signal?.reason as Error);
      };
      const forget = clock.at(clock.now() + ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
}

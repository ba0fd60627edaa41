import type { Clock } from '../../ports/clock.ts';

/** How long a fact of the chain may take to reach a router. */
const factWithinMs = 5_000;

/** Looks until what is wanted is there: the chain's word reaches the wallet first and the router a moment later. */
export async function untilSeen<View>(
  clock: Clock,
  look: () => Promise<View>,
  test: (view: View) => boolean,
): Promise<View> {
  const giveUpAt = clock.now() + factWithinMs;
  for (;;) {
    const view = await look();
    if (test(view) || clock.now() >= giveUpAt) return view;
    await clock.sleep(10);
  }
}

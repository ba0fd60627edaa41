import type { LocalNetwork } from './compose/local-network.ts';

/** The exit code of a process that was interrupted. */
export const interruptedCode = 130;

/** Nothing is drained: what ran goes on at the next start. Our chain is stopped all the same. */
export async function stopAtOnce(network: LocalNetwork): Promise<void> {
  await network.dropChain().catch(() => undefined);
  process.exit(interruptedCode);
}

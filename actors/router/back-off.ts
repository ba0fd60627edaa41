import type { Env } from '../../src/core/decision.ts';
import type { Address } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import type { RouterContext } from './context.ts';
import type { RouterEvent } from './events.ts';

/** How long a node is left alone after `failures` in a row, in milliseconds: doubling, bounded. */
export function coolDownMs(failures: number): number {
  return Math.min(limits.nodeCoolDownMsMin * 2 ** (failures - 1), limits.nodeCoolDownMsMax);
}

/** What a failure of a node leads to: it is left alone for a time. Nothing where it is not known. */
export function backOff(context: RouterContext, node: Address, reason: string, env: Env): RouterEvent[] {
  const known = context.nodes[node];
  if (known === undefined) return [];
  const failures = known.failures + 1;
  return [{ type: 'NodeBackedOff', node, failures, coolDownUntil: env.now + coolDownMs(failures), reason }];
}

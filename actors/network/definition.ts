import type { Timer } from '../../src/core/effect.ts';
import type { Folded } from '../../src/core/fold.ts';
import type { NetworkContext } from './context.ts';
import { decideNetwork, type FireRoundTimer } from './decide.ts';
import { foldNetwork, networkMachineVersion } from './machine.ts';

/** An oracle waits for the next slot, a node that fell out of its pool for the time at which it tries again. */
function networkTimers({ value, context }: Folded<NetworkContext>): Timer[] {
  const { startsAt, slotMs } = context.times;
  if (value === 'driving') return [{ id: 'slot', at: startsAt + context.slot * slotMs }];
  return value === 'out' ? [{ id: 'join', at: context.joinAt }] : [];
}

/** A node's part in idle rounds as an actor: stream `network.<address>`. */
export const networkActor = {
  kind: 'network',
  machineVersion: networkMachineVersion,
  fold: foldNetwork,
  decide: decideNetwork,
  timers: networkTimers,
  timerCommand: ({ id }: Timer): FireRoundTimer => ({ type: 'FireTimer', timer: id }),
} as const;

import type { Address } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { heartbeatBody } from '../../messages/bodies.ts';
import { heartbeatSubject } from '../../messages/subjects.ts';
import type { NodeBase } from '../node-base.ts';
import type { Presence } from '../presence.ts';

/** Hears the heartbeats of all nodes; `seen` is told of each that counts. */
export function hearNodes(
  base: NodeBase,
  presence: Presence,
  seen: (node: Address, models: string[]) => Promise<void>,
): void {
  const { clock, directory } = base.ports;
  const { heartbeatsPerS: perS, heartbeatsAtOnceMax: atOnce } = limits;
  base.listen(
    heartbeatSubject('*', '*'),
    heartbeatBody,
    async ({ from, body }, { subject }) => {
      if (subject !== heartbeatSubject(body.role, from))
        return base.drop('sender_not_allowed', subject, 'a heartbeat of somebody else');
      // Who has left, or was slashed out of its stake, still has a key in the registry; it gets no work.
      if (!directory.isActive(from, body.role))
        return base.drop('sender_not_allowed', subject, 'a heartbeat of a node that is not active');
      presence.beat(from, body, clock.now());
      await seen(from, body.models);
    },
    { perSender: { perS, atOnce } },
  );
}

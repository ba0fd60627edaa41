import { PouwError } from '../../core/errors.ts';
import type { Address, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { tokenBody } from '../../messages/bodies.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { NodeBase } from '../node-base.ts';
import type { Feeds } from './feeds.ts';

/** Reads the miners' words on a subject into the feeds. Who has no part in the task is not even read. */
export function hearTokens(base: NodeBase, feeds: Feeds, heard: string): Subscription {
  const { clock } = base.ports;
  const { tokenChunksPerS: perS, tokenChunksAtOnceMax: atOnce } = limits;
  const mayExpect = (subject: string): void => {
    const [task, miner] = subject.split('.').slice(-2) as [TaskId, Address];
    if (!feeds.hasMiner(task, miner))
      throw new PouwError('token_not_expected', `${miner} has no part in task ${task}.`, { class: 'forbidden' });
  };
  return base.listen(
    heard,
    tokenBody,
    ({ from, body }, { subject }) => {
      const taken = subject.endsWith(`.${body.task}.${from}`) && feeds.accept(from, body, clock.now());
      if (!taken) base.drop('token_not_expected', subject, 'no miner of the task, an old attempt, or not in its place');
    },
    { perSender: { perS, atOnce }, mayExpect },
  );
}

import { PouwError } from '../../core/errors.ts';
import type { Address, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { tokenBody } from '../../messages/bodies.ts';
import type { BusMessage } from '../../ports/bus.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { NodeBase } from '../node-base.ts';
import { EarlyWordsShelf } from './early-words.ts';
import type { Feeds } from './feeds.ts';

/**
 * Reads the miners' words on a subject into the feeds. Who has no part in the task is not even read; a miner that the log
 * may name in a moment waits for it.
 */
export function hearTokens(base: NodeBase, feeds: Feeds, heard: string): Subscription {
  const { clock, directory } = base.ports;
  const { tokenChunksPerS: perS, tokenChunksAtOnceMax: atOnce } = limits;
  const shelf = new EarlyWordsShelf(feeds, clock);
  const drop = (subject: string, error: unknown): void => base.drop('token_not_expected', subject, error);

  const mayExpect = (message: BusMessage, again: () => void): boolean => {
    const { subject, data } = message;
    const [task, miner] = subject.split('.').slice(-2) as [TaskId, Address];
    const standing = feeds.standing(task, miner);
    if (standing === 'expected') return true;
    const error = noPart(task, miner);
    const words = { task, miner, bytes: data.length, again, drop: () => drop(subject, error) };
    if (standing === 'early' && directory.isActive(miner, 'miner') && shelf.keep(words)) return false;
    throw error;
  };

  const subscription = base.listen(
    heard,
    tokenBody,
    ({ from, body }, { subject, data }) => {
      const { task, attempt } = body;
      const take = (): void => {
        if (!feeds.accept(from, body, clock.now())) drop(subject, 'an old attempt, or not in its place');
      };
      if (!subject.endsWith(`.${task}.${from}`)) return drop(subject, 'no miner of the task');
      const words = { task, miner: from, attempt, bytes: data.length, again: take, drop: take };
      if (feeds.standing(task, from, attempt) !== 'early' || !shelf.keep(words)) take();
    },
    { perSender: { perS, atOnce }, mayExpect },
  );
  return {
    close: async () => {
      shelf.close();
      await subscription.close();
    },
  };
}

function noPart(task: TaskId, miner: Address): PouwError {
  return new PouwError('token_not_expected', `${miner} has no part in task ${task}.`, { class: 'forbidden' });
}

import { tokenBody } from '../../messages/bodies.ts';
import type { Subscription } from '../../ports/event-store.ts';
import type { NodeBase } from '../node-base.ts';
import type { Feeds } from './feeds.ts';

/** Reads the miners' words on a subject into the feeds. */
export function hearTokens(base: NodeBase, feeds: Feeds, heard: string): Subscription {
  const { clock } = base.ports;
  return base.listen(heard, tokenBody, ({ from, body }, { subject }) => {
    const taken = subject.endsWith(`.${body.task}.${from}`) && feeds.accept(from, body, clock.now());
    if (!taken) base.drop('token_not_expected', subject, 'no miner of the task, an old attempt, or not in its place');
  });
}

import type { TaskUpdate, WatchFrom } from '../../ports/gateway-network.ts';
import type { TaskView } from '../../ports/task-views.ts';
import type { HeldFeed } from '../router/watched-tasks.ts';
import { endingOf } from './endings.ts';

/** The updates of a feed that is held for them. */
export async function* watchHeld(
  { feed, release }: HeldFeed,
  signal: AbortSignal,
  from?: WatchFrom,
): AsyncGenerator<TaskUpdate> {
  try {
    yield* feed.watch(signal, from);
  } finally {
    release();
  }
}

/** The updates of a task that has ended and whose words are not held here: where its tokens end is not known. */
export function* showEnded(view: TaskView, after: number | undefined): Generator<TaskUpdate> {
  yield { type: 'state', state: view.state };
  const { text, finishReason, promptTokens, outputTokens } = view;
  if (text !== null && finishReason !== null) {
    const isWhole = after === undefined ? {} : ({ isWhole: true } as const);
    yield { type: 'done', text, finishReason, promptTokens, outputTokens, ...isWhole };
  }
  yield endingOf(view);
}

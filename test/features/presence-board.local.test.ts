import { createLocalPresenceBoard } from '../../src/adapters/local/local-presence-board.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { presenceBoardFeatures } from './presence-board.features.ts';

presenceBoardFeatures('in process', async () => {
  const clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  const lastsMs = 1_500;
  const board = createLocalPresenceBoard({ clock, lastsMs, onError: () => undefined });
  return { board, lastsMs, patienceMs: 10_000, pass: (ms) => clock.advance(ms), close: () => board.close() };
});

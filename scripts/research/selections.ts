/** Draws every selection of a log again: `node scripts/research/selections.ts SOURCE`. */
import type { SessionEvent } from '../../actors/session/events.ts';
import { openLog } from '../../src/cli/log/open-log.ts';
import { rankByRendezvous } from '../../src/core/selection.ts';
import { eventsOf } from '../../src/core/stored-events.ts';

const log = await openLog(process.argv[2] ?? '.');
for await (const { commit } of log.source.readAll()) {
  if (!commit.stream.startsWith('session.')) continue;
  for (const event of eventsOf(commit) as readonly SessionEvent[]) {
    // Miners that came first were not drawn; `pouw log verify` holds them to their signed claims.
    if (event.type !== 'MinersSelected' || event.scheme === 'first-come') continue;
    const ranking = rankByRendezvous(event.beacon, event.task, event.candidates);
    const isSame = event.miners.every((miner, place) => miner === ranking[place]);
    console.log(
      event.task.slice(0, 10),
      'block',
      event.beaconBlock,
      isSame ? 'as the rule says' : 'NOT as the rule says',
    );
  }
}
await log.close();

/** Computes every reputation from a log alone: `node scripts/research/reputations.ts SOURCE`. */
import type { RouterEvent } from '../../actors/router/events.ts';
import { type Outcome, reputationScore, reputationsOf } from '../../actors/router/reputation.ts';
import { openLog } from '../../src/cli/log/open-log.ts';
import { eventsOf } from '../../src/core/stored-events.ts';

const log = await openLog(process.argv[2] ?? '.');
const outcomes: Outcome[] = [];
for await (const { commit } of log.source.readAll()) {
  if (!commit.stream.startsWith('router.')) continue;
  for (const event of eventsOf(commit) as readonly RouterEvent[]) {
    if (event.type === 'OutcomeRecorded') outcomes.push(event);
  }
}
await log.close();
for (const [miner, reputation] of reputationsOf(outcomes)) {
  const { honest, outlier, timedOut, level } = reputation;
  console.log(miner.slice(0, 10), reputationScore(reputation).toFixed(3), { honest, outlier, timedOut, level });
}

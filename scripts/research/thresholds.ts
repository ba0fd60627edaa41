/**
 * Asks what other similarity thresholds would have found in the same history:
 * `node scripts/research/thresholds.ts SOURCE`. Each task is counted once, by the first validator that scored it.
 */
import type { ResultsScored, ValidatorEvent } from '../../actors/validator/events.ts';
import { reachVerdict } from '../../actors/validator/verdict.ts';
import { openLog } from '../../src/cli/log/open-log.ts';
import type { TaskId } from '../../src/core/ids.ts';
import { eventsOf } from '../../src/core/stored-events.ts';

const log = await openLog(process.argv[2] ?? '.');
const scored = new Map<TaskId, ResultsScored>();
for await (const { commit } of log.source.readAll()) {
  if (!commit.stream.startsWith('validator.')) continue;
  for (const event of eventsOf(commit) as readonly ValidatorEvent[]) {
    if (event.type === 'ResultsScored' && !scored.has(event.task)) scored.set(event.task, event);
  }
}
await log.close();

for (let similarityBps = 1_000; similarityBps <= 9_000; similarityBps += 1_000) {
  const verdicts = [...scored.values()].map((event) =>
    reachVerdict({ ...event, level: event.report.level, similarityBps }),
  );
  const outliers = new Map<string, number>();
  for (const { miner } of verdicts.flatMap((verdict) => verdict.outliers)) {
    outliers.set(miner.slice(0, 10), (outliers.get(miner.slice(0, 10)) ?? 0) + 1);
  }
  const inconclusive = verdicts.filter((verdict) => verdict.inconclusive).length;
  const named = [...outliers].map(([miner, tasks]) => `${miner} × ${tasks}`).join(', ') || 'nobody';
  console.log(`${similarityBps / 10_000}: ${inconclusive} of ${verdicts.length} inconclusive, outliers: ${named}`);
}

/** Reaches every verdict of a log again, from the scores in it: `node scripts/research/verdicts.ts SOURCE`. */
import type { ValidatorEvent } from '../../actors/validator/events.ts';
import { reachVerdict } from '../../actors/validator/verdict.ts';
import { openLog } from '../../src/cli/log/open-log.ts';
import { contentCid } from '../../src/core/cid.ts';
import { eventsOf } from '../../src/core/stored-events.ts';

const log = await openLog(process.argv[2] ?? '.');
for await (const { commit } of log.source.readAll()) {
  if (!commit.stream.startsWith('validator.')) continue;
  for (const event of eventsOf(commit) as readonly ValidatorEvent[]) {
    if (event.type !== 'ResultsScored') continue;
    const { task, validator, level, similarityBps } = event.report;
    const verdict = reachVerdict({ ...event, level, similarityBps });
    const report = { kind: 'report', v: 1, task, validator, level, similarityBps, ...verdict };
    const isSame = contentCid(report) === event.reportCid;
    console.log(task.slice(0, 10), verdict.outliers.length, 'outliers:', isSame ? 'as attested' : 'NOT as attested');
  }
}
await log.close();

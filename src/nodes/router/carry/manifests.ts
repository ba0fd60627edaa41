import { taskOf } from '../../../../actors/session/tasks.ts';
import { manifestOf, outliersOf } from '../../../../actors/task/manifest.ts';
import { cidToDigest, digestToCid } from '../../../core/cid.ts';
import type { SessionRuntime } from '../session-effects.ts';
import type { Manifests } from './posts.ts';

/** Stores manifests by what the sessions' logs say: the one that a task settled by itself would have. */
export function createManifests(runtime: Pick<SessionRuntime, 'base' | 'session'>): Manifests {
  return async ({ task, record, outcome, reportDigest }) => {
    const folded = taskOf((await runtime.session(record.session)).context, task);
    const winner = record.slots[outcome.winner]?.miner;
    // Where the log has not come as far as the chain, the attestations go alone, and the settlement follows.
    if (folded?.value !== 'committed' || winner === undefined) return undefined;
    const honest = record.slots.flatMap(({ miner }, place) => ((outcome.honest & (1 << place)) === 0 ? [] : [miner]));
    const { promptTokens, outputTokens } = outcome;
    const manifest = manifestOf(folded.context, {
      winner,
      honest,
      outliers: outliersOf(folded.context, honest),
      report: digestToCid(reportDigest),
      promptTokens,
      outputTokens,
    });
    const { content } = runtime.base.ports;
    const stored = await content.put(manifest);
    await content.flush();
    return cidToDigest(stored);
  };
}

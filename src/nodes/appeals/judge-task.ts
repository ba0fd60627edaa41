import type { RevealedResult } from '../../../actors/validator/context.ts';
import { digestToCid } from '../../core/cid.ts';
import type { Cid, TaskId } from '../../core/ids.ts';
import type { Chain } from '../../ports/chain.ts';
import { type Scores, scoreResults, type ScoringPorts } from '../validator/score.ts';

/** What judging a task by what the chain has of it stands on. */
export interface JudgingPorts extends ScoringPorts {
  readonly chain: Pick<Chain, 'taskCase' | 'stepSource'>;
}

/** A task as it was read and compared by nobody's word but the chain's. */
export interface JudgedTask extends Scores {
  readonly prompt: Cid;
  readonly similarityBps: number;
  readonly level: number;
  readonly shown: readonly RevealedResult[];
}

/**
 * Reads what the miners of a task have shown, by the chain, and compares it as its validators had to. Undefined where the
 * task has ended.
 *
 * @throws PouwError `chain_unreachable`, and what inference throws.
 */
export async function judgeTask(
  ports: JudgingPorts,
  task: TaskId,
  signal: AbortSignal,
): Promise<JudgedTask | undefined> {
  const found = await ports.chain.taskCase(task);
  if (found === undefined) return undefined;
  const { session, similarityBps, level } = found;
  const prompt = digestToCid(found.promptDigest);
  const shown = found.results.map(({ miner, attempt, resultRoot, resultDigest }) => {
    return { miner, attempt, resultRoot, result: digestToCid(resultDigest) };
  });
  const asked = { kind: 'scoreResults', session, task, prompt, level, attestBy: 0, results: shown } as const;
  return { prompt, similarityBps, level, shown, ...(await scoreResults(ports, asked, signal)) };
}

import type { Effect } from '../../src/core/effect.ts';
import type { Address, Cid } from '../../src/core/ids.ts';
import type { TaskContext } from './context.ts';

/** What is settled by: who won, who is honest, and where that is written. */
export type Found = {
  readonly winner: Address;
  readonly honest: readonly Address[];
  readonly outliers: readonly Address[];
  readonly report: Cid;
  readonly promptTokens: number;
  readonly outputTokens: number;
};

/** The miners that have revealed and are not honest. */
export function outliersOf({ slots }: TaskContext, honest: readonly Address[]): Address[] {
  return slots.filter((slot) => slot.phase === 'committed' && !honest.includes(slot.miner)).map((slot) => slot.miner);
}

/** The manifest ties prompt, results, verdict and selection together under one CID. */
export function manifestOf(context: TaskContext, found: Found): Effect {
  const { winner, honest, outliers, report, promptTokens, outputTokens } = found;
  return {
    kind: 'manifest',
    v: 1,
    task: context.task,
    model: context.model,
    prompt: context.prompt,
    selection: context.proof,
    results: context.slots.map(({ miner, attempt, resultRoot, result }) => ({ miner, attempt, resultRoot, result })),
    winner,
    honest,
    outliers,
    report,
    promptTokens,
    outputTokens,
    joins: context.joins,
  };
}

import { cidToDigest } from '../../src/core/cid.ts';
import type { Seen } from '../../src/core/effect-action.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import type { RevealedResult, SigningBatch, ValidationContext } from './context.ts';
import type { ResultsScored, ValidationReceived } from './events.ts';
import type { VerdictReport } from './verdict.ts';

/** Read the results, check them against their roots, embed and compare them, and answer with `Score`. */
export type ScoreResults = {
  readonly kind: 'scoreResults';
  readonly session: SessionId;
  readonly task: TaskId;
  readonly prompt: Cid;
  readonly level: number;
  readonly attestBy: number;
  readonly results: readonly RevealedResult[];
};

/** Pin the report and attest its verdict on chain. */
export type AttestOnChain = {
  readonly kind: 'attestOnChain';
  readonly task: TaskId;
  readonly winner: Address;
  readonly honest: readonly Address[];
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly report: VerdictReport;
  /** The digest under which `report` is pinned. */
  readonly reportDigest: Hex;
  /** For a task of a batch: what is signed, and for whom. */
  readonly batch?: SigningBatch;
  readonly session?: SessionId;
};

/** Every effect of a validator. */
export type ValidatorEffect = ScoreResults | AttestOnChain;

/** The results of the task are to be compared. */
export function afterRequest({ event }: Seen<ValidationContext, ValidationReceived>): ValidatorEffect[] {
  const { session, task, prompt, level, attestBy, results } = event;
  return [{ kind: 'scoreResults', session, task, prompt, level, attestBy, results }];
}

/** A verdict with a winner goes on chain. */
export function afterScores({ context, event }: Seen<ValidationContext, ResultsScored>): ValidatorEffect[] {
  const { task, report, reportCid } = event;
  const { winner, honest, promptTokens, outputTokens } = report;
  if (winner === null) return [];
  return [
    {
      kind: 'attestOnChain',
      task,
      winner,
      honest,
      promptTokens,
      outputTokens,
      report,
      reportDigest: cidToDigest(reportCid),
      ...(context.batch === undefined ? {} : { batch: context.batch, session: context.session }),
    },
  ];
}

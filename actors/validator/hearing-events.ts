import type { Cid, SessionId, TaskId } from '../../src/core/ids.ts';
import type { SeenAt } from '../task/events.ts';
import type { ScoredResult } from './checks/check.ts';
import type { RevealedResult } from './context.ts';
import type { VerdictReport } from './verdict.ts';

type OfTask = { readonly task: TaskId };

/** The chain has drawn the validator for an appeal; a later nomination may still draw another in its place. */
export type HearingCalled = OfTask & {
  readonly type: 'HearingCalled';
  readonly session: SessionId;
  readonly seen: SeenAt;
};

/** The results were read from the chain and its content, and compared; the verdict follows from what is in the event. */
export type HearingJudged = OfTask & {
  readonly type: 'HearingJudged';
  readonly prompt: Cid;
  readonly shown: readonly RevealedResult[];
  readonly results: readonly ScoredResult[];
  readonly similarities: readonly (readonly number[])[];
  readonly promptTokens: number | null;
  readonly report: VerdictReport;
  readonly reportCid: Cid;
};

/** The chain has the validator's word. */
export type HearingAttested = OfTask & { readonly type: 'HearingAttested'; readonly seen: SeenAt };

/** The appeal ended without this validator, or another was drawn in its place. */
export type HearingClosed = OfTask & {
  readonly type: 'HearingClosed';
  readonly reason: string;
  readonly seen: SeenAt;
};

/** The validator has no verdict to give, or the chain would not have it. */
export type HearingFailed = OfTask & {
  readonly type: 'HearingFailed';
  readonly code: string;
  readonly reason: string;
};

/** Every event of a hearing. */
export type HearingEvent = HearingCalled | HearingJudged | HearingAttested | HearingClosed | HearingFailed;

/** The names of hearing events, for routing them to the hearing machine. */
export const hearingEventTypes = [
  'HearingCalled',
  'HearingJudged',
  'HearingAttested',
  'HearingClosed',
  'HearingFailed',
] as const satisfies readonly HearingEvent['type'][];

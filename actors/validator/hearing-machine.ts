import { assign, setup } from 'xstate';
import { cidToDigest } from '../../src/core/cid.ts';
import { effectAction, effects, type Seen } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { Address, SessionId, TaskId } from '../../src/core/ids.ts';
import { emptyHearing, type HearingContext } from './context.ts';
import type { HearingCalled, HearingEvent, HearingFailed, HearingJudged } from './hearing-events.ts';
import type { VerdictReport } from './verdict.ts';

/** Read from the chain what was shown, from the content what it is, compare it, and answer with `JudgeHearing`. */
export type JudgeHearing = { readonly kind: 'judgeHearing'; readonly session: SessionId; readonly task: TaskId };

/** Pin the report and attest on appeal what it says, once nobody can be nominated any more. */
export type AttestOnAppeal = {
  readonly kind: 'attestOnAppeal';
  readonly session: SessionId;
  readonly task: TaskId;
  readonly winner: Address;
  readonly honest: readonly Address[];
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly report: VerdictReport;
  /** The digest under which `report` is pinned. */
  readonly reportDigest: Hex;
};

/** Every effect of a hearing. */
export type HearingEffect = JudgeHearing | AttestOnAppeal;

function afterCall({ event: { session, task } }: Seen<HearingContext, HearingCalled>): HearingEffect[] {
  return [{ kind: 'judgeHearing', session, task }];
}

function afterJudgement({ context, event }: Seen<HearingContext, HearingJudged>): HearingEffect[] {
  const { task, report, reportCid } = event;
  const { winner, honest, promptTokens, outputTokens } = report;
  if (winner === null) return [];
  const found = { winner, honest, promptTokens, outputTokens, report, reportDigest: cidToDigest(reportCid) };
  return [{ kind: 'attestOnAppeal', session: context.session, task, ...found }];
}

const hearingSetup = setup({
  types: { context: {} as HearingContext, events: {} as HearingEvent },
  actions: {
    remember: assign(({ event }) => {
      const { session, task } = event as HearingCalled;
      return { session, task };
    }),
    recordReport: assign(({ event }) => ({ report: (event as HearingJudged).report })),
    recordFailure: assign(({ event }) => {
      const { code, reason } = event as HearingFailed;
      return { failure: { code, reason } };
    }),
    judge: effectAction,
    attest: effectAction,
  },
});

const ends = {
  HearingClosed: { target: 'closed' },
  HearingFailed: { target: 'failed', actions: 'recordFailure' },
} as const;

/** A validator's part of one appeal that it was drawn for. */
export const hearingMachine = hearingSetup.createMachine({
  id: 'hearing',
  context: emptyHearing,
  initial: 'new',
  states: {
    new: { on: { HearingCalled: { target: 'judging', actions: ['remember', effects('judge', afterCall)] } } },
    judging: {
      on: {
        ...ends,
        HearingJudged: { target: 'attesting', actions: ['recordReport', effects('attest', afterJudgement)] },
      },
    },
    attesting: { on: { ...ends, HearingAttested: { target: 'attested' } } },
    attested: {},
    closed: {},
    failed: {},
  },
});

/** The hearing machine as a pure function over events. */
export const foldHearing = compileFold<HearingContext>(hearingMachine);

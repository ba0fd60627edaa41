import type { Hex } from './hash.ts';
import type { Address, SessionId, TaskId } from './ids.ts';
import type { Wei } from './wei.ts';

/** What the chain says about appeals of outcomes. */
export type AppealFact =
  | {
      readonly type: 'OutcomeAppealed';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly appellant: Address;
      readonly bondWei: Wei;
      /** Until when validators may be nominated. */
      readonly drawBy: number;
      readonly attestBy: number;
    }
  | {
      readonly type: 'AppealDecided';
      readonly session: SessionId;
      readonly task: TaskId;
      /** Whether the second round found something else than the first. */
      readonly overturned: boolean;
      readonly winner: Address;
      readonly honest: readonly Address[];
      readonly promptTokens: number;
      readonly outputTokens: number;
      readonly reportDigest: Hex;
    }
  | { readonly type: 'AppealUndecided'; readonly session: SessionId; readonly task: TaskId };

/** What the chain says of the second round itself: which validators are asked, and which of them have spoken. */
export type HearingFact =
  | {
      readonly type: 'AppealDrawn';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly beacon: Hex;
      /** Who is drawn by all nominations so far, in the order of their keys. */
      readonly validators: readonly Address[];
    }
  | {
      readonly type: 'AppealAttested';
      readonly session: SessionId;
      readonly task: TaskId;
      readonly validator: Address;
      readonly reportDigest: Hex;
    };

/** An account took what it was owed of bonds and of what validators lost. */
export type AppealWithdrawnFact = {
  readonly type: 'AppealWithdrawn';
  readonly account: Address;
  readonly amountWei: Wei;
};

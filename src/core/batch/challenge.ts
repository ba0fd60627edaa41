import type { Address } from '../ids.ts';
import type { BatchShare, LeafKind, OutcomeLeaf, PaymentLeaf, PrecommitLeaf, RevealLeaf } from './leaves.ts';
import type { BatchHeader, BatchPlace } from './rules.ts';
import type { BatchTree, Placed } from './tree.ts';

/** All data of a posted batch: what its manifest has, and its header from the chain. */
export interface BatchData {
  readonly id: number;
  readonly header: BatchHeader;
  readonly precommit: BatchTree<PrecommitLeaf>;
  readonly reveal: BatchTree<RevealLeaf>;
  readonly outcome: BatchTree<OutcomeLeaf>;
  readonly payment: BatchTree<PaymentLeaf>;
}

/** What a watcher knows beside the batch. */
export interface Watch {
  readonly place: BatchPlace;
  /** The batches before this one in its poster's line, as far as accounts or tasks of this one are in them. */
  readonly earlier: readonly BatchData[];
  /** The header of any posted batch; only a payment that names a batch outside its line needs it. */
  readonly headerOf: (batch: number) => BatchHeader | undefined;
  /** Whether an account ever registered in a role. */
  readonly isNode: (account: Address, role: 'miner' | 'validator') => boolean;
}

type Task = Placed<PrecommitLeaf>;
type Shown = Placed<RevealLeaf>;
type Ended = Placed<OutcomeLeaf>;
type Paid = Placed<PaymentLeaf>;

/** Two neighbours; or the first or the last payment alone, `behind` telling that it is the last; or none at all. */
export interface Around {
  readonly around: readonly Paid[];
  readonly behind: boolean;
}

/** An earlier batch that a proof brings along. */
export interface EarlierBatch {
  readonly earlierId: number;
  readonly earlier: BatchHeader;
}

/** A call that proves a fault: the name of the contract's function and what it takes beside batch, header and effect. */
export type Challenge =
  | { readonly call: 'demand'; readonly kind: LeafKind; readonly position: number }
  | { readonly call: 'proveBadAssignment'; readonly task: Task }
  | { readonly call: 'proveWrongReveal'; readonly task: Task; readonly shown: Shown }
  | { readonly call: 'proveWrongOutcome'; readonly task: Task; readonly shown: Shown; readonly outcome: Ended }
  | { readonly call: 'proveWrongDraw'; readonly outcome: Ended }
  | { readonly call: 'proveWrongSum'; readonly left: Ended; readonly right: Ended }
  | { readonly call: 'proveWrongPayment'; readonly task: Task; readonly outcome: Ended; readonly payment: Paid }
  | ({
      readonly call: 'proveMissingPayment';
      readonly task: Task;
      readonly outcome: Ended;
      readonly share: BatchShare;
      readonly account: Address;
    } & Around)
  | { readonly call: 'proveWrongOrder'; readonly left: Paid; readonly right: Paid }
  | { readonly call: 'proveWrongTotal'; readonly payment: Paid }
  /** `origin` is the header of the batch that the payment names; undefined where there is none, then any will do. */
  | { readonly call: 'proveWrongOrigin'; readonly payment: Paid; readonly origin: BatchHeader | undefined }
  | ({ readonly call: 'proveForgottenEarnings'; readonly payment: Paid; readonly before: Paid } & EarlierBatch)
  | { readonly call: 'proveInventedStart'; readonly first: readonly Paid[] }
  | ({ readonly call: 'proveInventedEarnings'; readonly first: readonly Paid[] } & EarlierBatch & Around)
  | { readonly call: 'proveDoublePayment'; readonly one: Ended; readonly other: Ended }
  | ({ readonly call: 'provePaidBefore'; readonly outcome: Ended; readonly before: Ended } & EarlierBatch);

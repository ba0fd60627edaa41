import type { Address, Role, TaskId } from '../../src/core/ids.ts';
import type { Wei } from '../../src/core/wei.ts';
import type { SeenAt } from '../task/events.ts';
import type { AccessEvent } from './access.ts';
import type { BatchEvent } from './batch-events.ts';
import type { LogAnchor } from './context.ts';
import type { Outcome } from './reputation.ts';

/** The router is up. */
export type RouterStarted = { readonly type: 'RouterStarted'; readonly router: Address };
/** The router takes no new requests; tasks under way end. */
export type RouterDraining = { readonly type: 'RouterDraining' };

/** A node registered. */
export type NodeJoined = {
  readonly type: 'NodeJoined';
  readonly node: Address;
  readonly roles: readonly Role[];
  readonly stakeWei: Wei;
  readonly seen: SeenAt;
};
/** A node went to work or stopped, by the registry. */
export type NodeActivitySet = {
  readonly type: 'NodeActivitySet';
  readonly node: Address;
  readonly active: boolean;
  readonly seen: SeenAt;
};
/** A node lost stake. */
export type NodeSlashed = {
  readonly type: 'NodeSlashed';
  readonly node: Address;
  readonly amountWei: Wei;
  readonly logIndex: number;
  readonly seen: SeenAt;
};

/** A node staked more. */
export type NodeStakeAdded = {
  readonly type: 'NodeStakeAdded';
  readonly node: Address;
  readonly amountWei: Wei;
  readonly logIndex: number;
  readonly seen: SeenAt;
};
/** A node serves a model, by the registry. */
export type NodeServes = {
  readonly type: 'NodeServes';
  readonly node: Address;
  readonly model: string;
  readonly seen: SeenAt;
};
/** A node does not serve a model any more, by the registry. */
export type NodeDropsModel = {
  readonly type: 'NodeDropsModel';
  readonly node: Address;
  readonly model: string;
  readonly seen: SeenAt;
};
/** The registry keeps a node from new work until a time, in milliseconds since 1970. */
export type NodeRests = {
  readonly type: 'NodeRests';
  readonly node: Address;
  readonly restUntil: number;
  readonly seen: SeenAt;
};
/** A node has another level, by the registry. */
export type NodeLevelled = {
  readonly type: 'NodeLevelled';
  readonly node: Address;
  readonly level: number;
  readonly seen: SeenAt;
};
/** The parameters bound the weights of levels otherwise. */
export type WeightsBounded = {
  readonly type: 'WeightsBounded';
  readonly maxWeights: readonly number[];
  readonly seen: SeenAt;
};

/** A node is heard of, or serves other models than before. Not written for every heartbeat. */
export type NodeSeen = { readonly type: 'NodeSeen'; readonly node: Address; readonly models: readonly string[] };
/** A node is not heard of any more. */
export type NodeLost = { readonly type: 'NodeLost'; readonly node: Address };
/** A node failed and is left alone for a while. */
export type NodeBackedOff = {
  readonly type: 'NodeBackedOff';
  readonly node: Address;
  readonly failures: number;
  readonly coolDownUntil: number;
  readonly reason: string;
};

/** Miners have a task to do. */
export type LoadTaken = {
  readonly type: 'LoadTaken';
  readonly task: TaskId;
  readonly miners: readonly Address[];
  readonly seen: SeenAt;
};
/** A miner's part of a task went to another, or to none. */
export type LoadMoved = {
  readonly type: 'LoadMoved';
  readonly task: TaskId;
  readonly miner: Address;
  readonly replacement: Address | null;
  readonly seen: SeenAt;
};
/** A task is over. */
export type LoadReleased = { readonly type: 'LoadReleased'; readonly task: TaskId; readonly seen: SeenAt };

/** What came of a task, for the reputation of those in it. */
export type OutcomeRecorded = Outcome & { readonly type: 'OutcomeRecorded' };

/** The heads of the log are to be anchored. */
export type AnchorProposed = LogAnchor & { readonly type: 'AnchorProposed' };
/** The chain has an anchor. */
export type AnchorSeen = LogAnchor & {
  readonly type: 'AnchorSeen';
  readonly epoch: number;
  readonly by: Address;
  readonly seen: SeenAt;
};
/** The chain would not have the anchor. */
export type AnchorFailed = { readonly type: 'AnchorFailed'; readonly code: string; readonly reason: string };

/** Every event of a router's stream. */
export type RouterEvent =
  | RouterStarted
  | RouterDraining
  | NodeJoined
  | NodeActivitySet
  | NodeSlashed
  | NodeStakeAdded
  | NodeServes
  | NodeDropsModel
  | NodeRests
  | NodeLevelled
  | WeightsBounded
  | NodeSeen
  | NodeLost
  | NodeBackedOff
  | LoadTaken
  | LoadMoved
  | LoadReleased
  | OutcomeRecorded
  | AnchorProposed
  | AnchorSeen
  | AnchorFailed
  | AccessEvent
  | BatchEvent;

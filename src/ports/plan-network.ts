import type { Hex } from '../core/hash.ts';
import type { SessionId } from '../core/ids.ts';
import type { Wei } from '../core/wei.ts';
import type { TaskRequest } from './gateway-network.ts';
import type { TaskView } from './task-views.ts';

/** One step of a plan as the gateway asks for it. */
export interface PlannedStep {
  readonly name: string;
  /** The names of steps that stand before it in the plan; its prompt has `{{name}}` where their texts go. */
  readonly after: readonly string[];
  readonly task: Omit<TaskRequest, 'session' | 'requestId' | 'delivery'>;
}

/** Several tasks, some of which come after others. Already checked against every bound in `limits`. */
export interface PlanRequest {
  readonly session: SessionId;
  /** 32 bytes that name the plan; the network draws them where they are absent. */
  readonly plan?: Hex;
  /** Parents first. */
  readonly steps: readonly PlannedStep[];
}

/** A plan at one moment. */
export interface PlanView {
  readonly plan: Hex;
  readonly session: SessionId;
  /** `settled` once all steps are, `failed` once none goes on and one has ended without an answer. */
  readonly state: 'running' | 'settled' | 'failed';
  readonly steps: readonly PlanStepView[];
  /** What its steps have cost. */
  readonly priceWei: Wei;
  /** What is set aside for them now. */
  readonly escrowWei: Wei;
}

/** A step of a plan at one moment. */
export interface PlanStepView {
  readonly name: string;
  readonly after: readonly string[];
  /** Whether it waits for those before it. */
  readonly isWaiting: boolean;
  readonly task: TaskView;
}

/** What the gateway asks about plans. */
export interface PlanNetwork {
  /**
   * Puts all steps of a plan into the session's log, or none.
   *
   * @throws PouwError as `GatewayNetwork.submit`, `steps_unsupported`.
   */
  submit(request: PlanRequest, signal: AbortSignal): Promise<{ readonly view: PlanView; readonly created: boolean }>;
  /** A plan of any session, undefined where there is none. */
  plan(id: Hex): Promise<PlanView | undefined>;
  /** Ends the steps of a plan that have not begun. */
  cancel(id: Hex): Promise<PlanView | undefined>;
}

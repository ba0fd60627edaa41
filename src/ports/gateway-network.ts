import type { Rejection } from '../core/decision.ts';
import type { Hex } from '../core/hash.ts';
import type { SessionId, TaskId } from '../core/ids.ts';
import type { FinishReason } from '../core/precommit.ts';
import type { Wei } from '../core/wei.ts';
import type { ModelInfo, Prompt, Sampling } from './inference.ts';
import type { SessionView, TaskState, TaskView } from './task-views.ts';

/**
 * When a task's tokens are handed out: `fast`, as the primary miner makes them and before the verdict, or
 * `verified`, the winning answer once the validators have chosen it.
 */
export type Delivery = 'fast' | 'verified';

/** A task as the gateway asks for it. Already checked against every bound in `limits`. */
export interface TaskRequest {
  readonly session: SessionId;
  /**
   * 32 bytes that name the request within its session: with one that was used before, the same request gets
   * the same task again. Absent where the caller gave no idempotency key; the network then draws one.
   */
  readonly requestId?: Hex;
  readonly model: string;
  readonly prompt: Prompt;
  /** Without a seed: each miner draws under its own. */
  readonly sampling: Omit<Sampling, 'seed'>;
  readonly maxTokens: number;
  /** Strings that end the answer; empty for none. */
  readonly stop: readonly string[];
  /** As in `GenerateRequest`: 0 for none, else the chosen token's and the n best. */
  readonly topLogprobs: number;
  /** The caller's own bound; absent for the session's. */
  readonly maxPriceWei?: Wei;
  readonly delivery: Delivery;
}

/** Where a watcher begins, and what it waits for. */
export interface WatchFrom {
  /** The index of the last token that it has: the tokens up to it are left out. */
  readonly after?: number;
  /**
   * Its own {@link Delivery}. Without it, that of the task where its router is the one that was asked for it, and `fast`
   * at any other: what was asked for is not in the log.
   */
  readonly delivery?: Delivery;
}

/** What happens to a task while somebody watches it. `verdict` or `failed` is the last one. */
export type TaskUpdate =
  /** The task has entered a state; the first update is always the state it is in. */
  | { readonly type: 'state'; readonly state: TaskState }
  | {
      readonly type: 'token';
      /** 0 for the answer's first token; grows by one, across a change of miner too. */
      readonly index: number;
      readonly id: number;
      /** Text this token completes; empty while a character or a possible stop string is unfinished. */
      readonly text: string;
      readonly logprob?: TokenScore;
      readonly top?: readonly TokenScore[];
    }
  | {
      readonly type: 'done';
      /** All text of the answer that no `token` has carried, of this watch or up to the one it goes on after. */
      readonly text: string;
      /** The text is the whole answer after all: where the words end that the watcher has is not known any more. */
      readonly isWhole?: true;
      readonly finishReason: FinishReason;
      readonly promptTokens: number;
      readonly outputTokens: number;
    }
  /** The task is settled: the verdict, the price and the payments stand in `view`. */
  | { readonly type: 'verdict'; readonly view: TaskView }
  /** The task will not be delivered; its money is back, or comes back without further asking. */
  | { readonly type: 'failed'; readonly failure: Rejection; readonly view: TaskView };

/** A token and its log-probability. */
export interface TokenScore {
  readonly id: number;
  readonly text: string;
  readonly logprob: number;
}

/** A task that the session's log holds. */
export interface TaskHandle {
  readonly task: TaskId;
  /** False where `requestId` named a task that was there before; it is then another request's to cancel. */
  readonly created: boolean;
  /** When the task was submitted, milliseconds since 1970; the same for every request that names it. */
  readonly submittedAt: number;
  /**
   * The task's updates from its beginning, as {@link GatewayNetwork.watch} gives them, under the signal of the
   * submission. Iterated at most once; a handle that nobody iterates costs its task's words, until the task ends.
   * Returning early stops watching and cancels nothing.
   */
  readonly updates: AsyncIterable<TaskUpdate>;
}

/** A part of a session's tasks. */
export interface TaskPage {
  /** Newest first. */
  readonly tasks: readonly TaskView[];
  /** Where the next page begins; absent on the last one. */
  readonly after?: TaskId;
}

/** How a network is. */
export interface NetworkHealth {
  /** Whether a task submitted now would be taken up. */
  readonly ready: boolean;
  /** Why not, in one sentence. */
  readonly reason?: string;
  /** Live miners. */
  readonly miners: number;
  /** The chain's newest block seen. */
  readonly block: number;
}

/**
 * What the gateway asks of the network behind it: a router, or a client that goes to the miners itself. How a
 * task gets done is none of the gateway's business.
 *
 * Every method that may fail rejects with a `PouwError`; its class becomes the HTTP status by the table in
 * `src/gateway/error-status.ts`. One rule for choosing it: `conflict`, `busy`, `timeout` and `unavailable`
 * say that the same request may well succeed later, and clients do repeat it; what is permanent is not one of these.
 *
 * Sessions and tasks are checked for their owner by the gateway, from the `session` of a view: the network
 * answers to any id it knows.
 */
export interface GatewayNetwork {
  /** The session that a key is bound to, by the SHA-256 of the key's UTF-8 in 64 hex digits. Called on every request. */
  authenticate(apiKeyHash: string): SessionId | undefined;
  /** The models that live miners serve now, chat and embedding, in a stable order. */
  models(): readonly ModelInfo[];
  /** Whether a model is one that this network is for, though its miners may be away at the moment. */
  knowsModel(id: string): boolean;
  /** @throws PouwError `session_not_found`. */
  session(id: SessionId): Promise<SessionView>;
  /**
   * Puts a task into the session's log. Once this resolves the task runs to its end, whoever watches; an abort
   * of `signal` ends the handle's updates, not the task.
   * Nothing is changed where it rejects, or where `signal` is aborted before.
   *
   * @throws PouwError `insufficient_balance` (payment), `model_not_found` also where the session's terms name another
   *   model, `prompt_too_long`, `session_busy`, `session_closing`, `request_id_reused` and other refusals of the
   *   session; `not_owner` (unavailable) while nobody takes tasks for the session, `router_not_listed` (forbidden)
   *   where its terms leave this router out.
   */
  submit(request: TaskRequest, signal: AbortSignal): Promise<TaskHandle>;
  /** A task of any session, undefined where there is none. */
  task(id: TaskId): Promise<TaskView | undefined>;
  /** A session's tasks, those after `after` where it is given, at most `limit`. */
  tasks(session: SessionId, page: { readonly after?: TaskId; readonly limit: number }): Promise<TaskPage>;
  /**
   * The updates of a task, for anyone who may see it, as often as wanted: the state it is in, then the tokens
   * made so far where they are still held, then what comes; for a task that has ended, its state, `done` with
   * the whole text (where there is an answer) and its last update. `from` says where the watcher begins and what it
   * waits for; without it nothing is shown before the task's `delivery` allows it. Updates that are not read yet wait in memory, at most one per token and state. Ends
   * after `verdict` or `failed`; rejects with the signal's reason as soon as that is aborted, in mid-wait too.
   *
   * @throws PouwError `task_not_found`, from the first `next`; `task_unwatched` (unavailable) where the network stops.
   */
  watch(task: TaskId, signal: AbortSignal, from?: WatchFrom): AsyncIterable<TaskUpdate>;
  /**
   * Asks for a task's end and frees its miners. Resolves once the log holds the wish; the refund follows as
   * updates. Cancelling a task that is cancelled or refunded already changes nothing.
   *
   * @throws PouwError `task_not_found`, `task_not_cancellable` (forbidden) once all miners have precommitted, also when it
   *   is settled; `not_owner` and `router_not_listed` as for `submit`.
   */
  cancel(task: TaskId, reason: string): Promise<TaskView>;
  /**
   * L2-normalised embeddings, one per text, and the tokens they took.
   *
   * @throws PouwError `model_not_found`, `prompt_too_long`, `session_closing`.
   */
  embed(request: EmbedRequest, signal: AbortSignal): Promise<EmbedResult>;
  /**
   * The texts that lists of token ids stand for, by the tokenizer of an embedding model.
   *
   * @throws PouwError `model_not_found`, `unknown_token_id` (invalid).
   */
  decode(model: string, lists: readonly (readonly number[])[]): Promise<readonly string[]>;
  /**
   * Moves $COR of the session's owner into the session. Resolves once the chain has it; under a `requestId` that was
   * used before nothing is moved again.
   *
   * @throws PouwError `empty_deposit`, `wallet_not_held` (forbidden) where the owner's wallet is not kept here:
   *   the owner then deposits on chain, `insufficient_cor` (payment), `request_id_reused`.
   */
  deposit(session: SessionId, amountWei: Wei, requestId?: Hex): Promise<SessionView>;
  /**
   * Closes a session: no new tasks, and what is left goes back to the owner once the last one has ended.
   * Closing a closed session changes nothing.
   *
   * @throws PouwError `wallet_not_held` (forbidden).
   */
  closeSession(session: SessionId): Promise<SessionView>;
  /**
   * Has more validators look at the outcome of a task, with a bond of its session's owner. Resolves once the chain has it;
   * called again, it changes nothing.
   *
   * @throws PouwError `task_not_found`, `wallet_not_held` (forbidden), `not_appealable`, `appeal_too_late`,
   *   `already_appealed`, `insufficient_cor` (payment).
   */
  appeal(task: TaskId): Promise<TaskView>;
  /** How the network is; answers at once. */
  health(): NetworkHealth;
}

/** Texts to embed in a session's name. */
export interface EmbedRequest {
  readonly session: SessionId;
  readonly model: string;
  /** 1 to `limits.embeddingInputsMax`, none empty. */
  readonly texts: readonly string[];
  /** Names the request within its session, as in {@link TaskRequest}. */
  readonly requestId?: Hex;
}

/** Embeddings in the order of their texts. */
export interface EmbedResult {
  readonly vectors: readonly Float32Array[];
  readonly tokens: number;
}

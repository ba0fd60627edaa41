import type { Hex } from '../core/hash.ts';
import type { Cid } from '../core/ids.ts';
import type { SignedSessionKey } from '../core/session-key.ts';
import type { Wei } from '../core/wei.ts';
import type { TaskRequest } from './gateway-network.ts';

/** A prompt that the network holds, for a task that its client puts on chain itself. */
export interface HeldPrompt {
  readonly prompt: Cid;
  /** What the chain names it by. */
  readonly digest: Hex;
  readonly promptTokens: number;
  /** What was asked for, cut to what the model can hold beside the prompt. */
  readonly maxTokens: number;
  /** The most the task can cost by the session's terms. */
  readonly maxPriceWei: Wei;
}

/** What the gateway asks of the network for those whose wallet is elsewhere. */
export interface WalletNetwork {
  /**
   * Lets whoever has a key use a session, at its owner's signature; that of its user where a pool pays for it.
   *
   * @throws PouwError `session_not_found`, `key_expired`, `key_not_of_owner`, `key_bound_elsewhere`, `too_many_keys`,
   *   `session_not_open`, `not_owner`.
   */
  bindKey(signed: SignedSessionKey): Promise<void>;
  /**
   * Has a prompt on the disk before its task is on chain. Nothing is set aside.
   *
   * @throws PouwError `model_not_found`, `prompt_too_long`, `invalid_request`, `too_many_prompts`.
   */
  holdPrompt(request: Omit<TaskRequest, 'delivery' | 'requestId'>): Promise<HeldPrompt>;
}

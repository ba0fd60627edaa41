import type { SessionContext } from '../../../actors/session/context.ts';
import { priceBound } from '../../../actors/session/submit.ts';
import { cidToDigest } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { keySigner, type SignedSessionKey } from '../../core/session-key.ts';
import type { Chain } from '../../ports/chain.ts';
import type { TaskRequest } from '../../ports/gateway-network.ts';
import type { Inference } from '../../ports/inference.ts';
import type { HeldPrompt, WalletNetwork } from '../../ports/wallet-network.ts';
import type { LogIndex } from '../log-index.ts';
import { notFound } from './endings.ts';
import type { Front } from './front.ts';
import { PerHour } from './per-hour.ts';
import { prepareTask } from './task-request.ts';

/** What the desk for wallets stands on. */
export interface WalletsOptions {
  readonly front: Pick<Front, 'routerFor'>;
  readonly index: Pick<LogIndex, 'sessionOfKey'>;
  readonly inference: Inference;
}

/** How long a bound key may take to be known to this process, in milliseconds. */
const boundWithinMs = 5_000;
const lookMs = 10;

/** Keys and prompts of those whose wallet is elsewhere, over the routers of this process. */
export class Wallets implements WalletNetwork {
  readonly #options: WalletsOptions;
  readonly #held = new PerHour(limits.heldPromptsMax);

  constructor(options: WalletsOptions) {
    this.#options = options;
  }

  async bindKey(signed: SignedSessionKey): Promise<void> {
    const { front, index } = this.#options;
    const { session, keyHash, goodUntil } = signed;
    const router = front.routerFor(session);
    const { context } = await router.session(session);
    const { chain, clock } = router.base.ports;
    if (context.session === null) throw notFound('session_not_found', 'session', session);
    if (clock.now() > goodUntil) {
      throw new PouwError('key_expired', 'The signature was good for a short time, and that is over.', {
        class: 'invalid',
        hint: 'Sign it again, by a clock that is right.',
        param: 'good_until',
      });
    }
    const signer = keySigner(chain.deployment, signed);
    if (signer === undefined || signer !== (await ownerOf(chain, session, context))) {
      throw new PouwError('key_not_of_owner', `The owner of ${session} has not signed this key.`, {
        class: 'forbidden',
        hint: 'Sign it with the account that owns the session, or that uses it where a pool pays for it.',
        param: 'signature',
      });
    }
    // Hashes of keys are in the log: nobody may have another's requests paid from, and shown in, a session of its own.
    const bound = index.sessionOfKey(keyHash);
    if (bound === session) return;
    if (bound !== undefined) {
      throw new PouwError('key_bound_elsewhere', 'This key is bound to another session.', {
        class: 'invalid',
        hint: 'Make a new key for each session.',
        param: 'key_hash',
      });
    }
    await router.dispatch(session, { type: 'BindApiKey', keyHash }, `key:${session}:${keyHash}`);
    const giveUpAt = clock.now() + boundWithinMs;
    while (index.sessionOfKey(keyHash) !== session && clock.now() < giveUpAt) await clock.sleep(lookMs);
  }

  async holdPrompt(request: Omit<TaskRequest, 'delivery' | 'requestId'>): Promise<HeldPrompt> {
    const { front, inference } = this.#options;
    const { session, maxPriceWei = null } = request;
    const router = front.routerFor(session);
    const { terms } = (await router.session(session)).context;
    if (terms === null) throw notFound('session_not_found', 'session', session);
    const {
      content: asked,
      promptTokens,
      maxTokens,
    } = await prepareTask({ ...request, delivery: 'verified' }, terms, inference);
    // A prompt costs nothing before its task is on chain, so there is a bound of them.
    if (!this.#held.count(session, router.base.ports.clock.now())) {
      throw new PouwError('too_many_prompts', `A session has ${limits.heldPromptsMax} prompts taken an hour.`, {
        class: 'busy',
        hint: 'Put the tasks of those that were taken on chain, and come again later.',
      });
    }
    const { content } = router.base.ports;
    const prompt = await content.put(asked);
    // It is on the disk before its digest is on chain.
    await content.flush();
    const price = priceBound(terms, { promptTokens, maxTokens, maxPriceWei });
    return { prompt, digest: cidToDigest(prompt), promptTokens, maxTokens, maxPriceWei: price };
  }
}

/** Whose word counts for a session: its owner's, or its user's where the contract of the pool owns it. */
async function ownerOf(
  chain: Pick<Chain, 'deployment' | 'poolUser'>,
  session: SessionId,
  { client }: SessionContext,
): Promise<Address | undefined> {
  return client === chain.deployment.stakeToUse ? chain.poolUser(session) : (client ?? undefined);
}

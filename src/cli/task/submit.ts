import { systemClock } from '../../adapters/local/system-clock.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { PouwError } from '../../core/errors.ts';
import { type Hex, keccak256 } from '../../core/hash.ts';
import { type SessionId, taskId } from '../../core/ids.ts';
import { type Wei, wei } from '../../core/wei.ts';
import { type Door, openDoor } from '../plan/door.ts';
import { print } from '../print.ts';
import { poolUserOf } from '../session/pool.ts';
import { notOwner, requireSession } from '../session/require-session.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { cor, factLines, report } from '../wallet/report.ts';
import { requestOf, type Sent, withWallet } from '../wallet/wallet.ts';

/** What `pouw task submit` was asked for. */
export interface SubmitOptions extends PlaceOptions, AccountOptions {
  readonly url: string;
  readonly apiKey?: string;
  readonly maxTokens: number;
  readonly maxPrice?: Wei;
  readonly requestId?: string;
  readonly json?: boolean;
}

/** Milliseconds between two looks at a task that goes on. */
const lookMs = 300;
/** Milliseconds in which a network must have heard of a task that is on chain. */
const heardWithinMs = 60_000;

const promptAnswer = z.looseObject({
  digest: z.string().regex(/^0x[0-9a-f]{64}$/),
  max_tokens: z.int(),
  max_price_wei: z.string(),
});
const taskAnswer = z.looseObject({
  state: z.string(),
  text: z.string().nullable().optional(),
  price_wei: z.string().optional(),
  failure: z.looseObject({ code: z.string(), reason: z.string() }).nullable().optional(),
});
type TaskAnswer = z.infer<typeof taskAnswer>;

/** Puts a task on chain from the account, as the owner of its session or the user of one that the pool pays for. */
export async function submitTask(session: SessionId, prompt: string, options: SubmitOptions): Promise<void> {
  const door = openDoor({ url: options.url, ...(options.apiKey === undefined ? {} : { key: options.apiKey }) });
  const place = await findPlace(options);
  const id = await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const found = await requireSession(wallet.ledger, session, 'open');
    const user = await poolUserOf(wallet.ledger, found);
    if ((user ?? found.client) !== wallet.address) throw notOwner(wallet.address, session);
    const { maxTokens, maxPrice, requestId: named } = options;
    const asked = requestOf(named, session, prompt, maxTokens, maxPrice ?? null);
    const effect = wallet.effect('task.submit', asked);
    const requestId = keccak256(effect);
    wallet.step(0, 2, 'prompt');
    const held = promptAnswer.parse(
      await door.ask('POST', `/sessions/${session}/prompts`, {
        prompt,
        max_tokens: maxTokens,
        ...(maxPrice === undefined ? {} : { x_pouw: { max_price_wei: maxPrice } }),
      }),
    );
    wallet.step(1, 2, 'task');
    const sent = await wallet.send(
      {
        call: user === undefined ? 'submit' : 'submitPooled',
        session,
        requestId,
        promptDigest: held.digest as Hex,
        maxTokens: held.max_tokens,
        maxPriceWei: wei(held.max_price_wei),
      },
      effect,
    );
    return { task: taskId(session, requestId), sent };
  });
  await tell(door, session, id, options);
}

async function tell(
  door: Door,
  session: SessionId,
  { task, sent }: { readonly task: string; readonly sent: Sent },
  { json }: SubmitOptions,
): Promise<void> {
  const ended = await ending(door, task);
  const { text = null, price_wei: price, failure } = ended;
  const value = { task, session, state: ended.state, text, priceWei: price ?? null, txHash: sent.receipt.txHash };
  if (ended.state === 'settled') {
    if (json === true) return report(true, { ...value, before: sent.before }, '');
    const facts = { task, cost: price === undefined ? undefined : cor(wei(price)), transaction: sent.receipt.txHash };
    return print(`${text ?? ''}\n${factLines(facts)}`);
  }
  throw new PouwError('task_failed', `The task ${task} ended without an answer.`, {
    class: 'unavailable',
    why: failure === null || failure === undefined ? `It is ${ended.state}.` : `${failure.code}: ${failure.reason}`,
    hint: 'What was set aside for it is back in the session.',
  });
}

async function ending(door: Door, task: string): Promise<TaskAnswer> {
  const giveUpAt = systemClock.now() + heardWithinMs;
  for (;;) {
    const seen = await look(door, task);
    if (seen !== undefined && ['settled', 'refunded'].includes(seen.state)) return seen;
    if (seen === undefined && systemClock.now() > giveUpAt) {
      throw new PouwError('task_unheard', `The network has not heard of the task ${task} yet.`, {
        class: 'timeout',
        hint: 'It is on chain: look at it with `pouw task show`. The same command again does not submit it twice.',
      });
    }
    await sleep(lookMs);
  }
}

async function look(door: Door, task: string): Promise<TaskAnswer | undefined> {
  try {
    return taskAnswer.parse(await door.ask('GET', `/tasks/${task}`));
  } catch (error) {
    if (error instanceof PouwError && error.code === 'task_not_found') return undefined;
    throw error;
  }
}

import type { RouterGrant } from '../../src/core/allowance.ts';
import { type Decision, reject } from '../../src/core/decision.ts';
import type { Address } from '../../src/core/ids.ts';
import { addWei, lessWei, subWei, type Wei, zeroWei } from '../../src/core/wei.ts';
import type { SessionContext } from './context.ts';

/** Who submits, and what the chain says that it may still escrow, where it may only within an allowance. */
export type Submitter = { readonly by: Address; readonly grant?: RouterGrant };

/**
 * Why a router may not submit tasks of these prices to a session whose terms do not let routers submit; undefined where it
 * may. What it has set aside for tasks that are not on chain yet is taken off what the chain has left.
 */
export function notGranted(
  context: SessionContext,
  { by, grant }: Submitter,
  prices: readonly Wei[],
  nowMs: number,
): Decision<never> | undefined {
  const { terms, client } = context;
  if (terms === null || terms.routerMaySubmit || by === client) return undefined;
  if (grant === undefined || grant.owner !== client || terms.settlement === 'batched') {
    const batched = terms.settlement === 'batched' ? ' A session that settles in batches takes no allowances.' : '';
    return reject('router_may_not_submit', `The session’s owner has allowed ${by} nothing.${batched}`, {
      class: 'forbidden',
      hint: 'Have the owner sign an allowance for this router (pouw session allow), or submit on chain.',
      details: { router: by },
    });
  }
  const { goodUntil, leftWei, taskLimitWei } = grant;
  // The chain's clock decides, and it may be behind by a block.
  if (Math.max(nowMs, grant.chainAt) > goodUntil) {
    return reject('allowance_expired', `The allowance of ${by} was good until ${new Date(goodUntil).toISOString()}.`, {
      class: 'payment',
      hint: 'Have the session’s owner sign another one.',
      details: { router: by, goodUntil },
    });
  }
  const tooDear = prices.find((price) => lessWei(taskLimitWei, price));
  if (tooDear !== undefined) {
    return reject(
      'allowance_task_limit',
      `A task may cost ${taskLimitWei} wei by the allowance; this one up to ${tooDear}.`,
      {
        class: 'payment',
        hint: 'Ask for fewer tokens, or name a lower bound on the price.',
        details: { router: by, taskLimitWei, requiredWei: tooDear },
      },
    );
  }
  return notLeft(context, by, leftWei, addWei(zeroWei, ...prices));
}

function notLeft(context: SessionContext, by: Address, leftWei: Wei, requiredWei: Wei): Decision<never> | undefined {
  const details = { router: by, leftWei, requiredWei };
  if (lessWei(leftWei, requiredWei)) {
    return reject('allowance_exceeded', `The tasks may cost up to ${requiredWei} wei; the allowance has ${leftWei}.`, {
      class: 'payment',
      hint: 'Have the session’s owner sign another allowance for this router.',
      details,
    });
  }
  const unsentWei = addWei(zeroWei, ...unsentOf(context, by));
  if (!lessWei(subWei(leftWei, requiredWei), unsentWei)) return undefined;
  return reject('allowance_reserved', `Of the allowance, ${unsentWei} wei are for tasks that go to the chain now.`, {
    class: 'busy',
    hint: 'Try again once they are there or refused.',
    details: { ...details, unsentWei },
  });
}

/** What a router has set aside for tasks of which the session has not heard from the chain. */
function unsentOf({ tasks }: SessionContext, by: Address): Wei[] {
  return Object.values(tasks).flatMap(({ value, context }) =>
    value === 'queued' && context.submittedBlock === 0 && context.by === by ? [context.escrowWei] : [],
  );
}

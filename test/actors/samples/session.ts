import { taskId } from '../../../src/core/ids.ts';
import { wei } from '../../../src/core/wei.ts';
import type { SessionEvent } from '../../../actors/session/events.ts';
import type { SubmitTask } from '../../../actors/session/submit.ts';
import { address, bytes32, client, prompt, router, seen, session, task, terms } from '../chain-facts.ts';
import { detours, good, submitted } from './task.ts';

const { routers: _, dedicatedMiners: __, ...rules } = terms;
const otherClient = address(0xc2);

export const opened = { type: 'SessionOpened', session, client, terms, seen: seen(1) } as const satisfies SessionEvent;
export const deposited = {
  type: 'SessionDeposited',
  from: client,
  amountWei: wei(120),
  seen: seen(1),
} as const satisfies SessionEvent;

/** What a router wants of a session that lets it: the task of the samples. */
export const wish: SubmitTask = {
  type: 'SubmitTask',
  requestId: bytes32(1),
  by: router,
  prompt,
  promptTokens: 18,
  maxTokens: 16,
  maxPriceWei: null,
  onChain: null,
};

/** Another task of the same session. */
export const otherTask = taskId(session, bytes32(2));

/** A bounded set of events that leads a session through every state it has. */
export const sessionEvents: readonly SessionEvent[] = [
  opened,
  deposited,
  { type: 'SessionDeposited', from: client, amountWei: wei(60), seen: seen(2) },
  { type: 'SessionDepositReverted', from: client, amountWei: wei(60), seen: seen(2) },
  submitted,
  good.queued,
  { ...submitted, task: otherTask },
  detours.failed,
  detours.refunded,
  { type: 'TaskFailed', task: otherTask, code: 'refused', reason: 'refused' },
  { type: 'TaskRefunded', task: otherTask, returnedWei: submitted.maxPriceWei, reason: 'never submitted', seen: null },
  { type: 'SessionDraining', seen: seen(20) },
  { type: 'SessionClosed', refundedWei: wei(120), seen: seen(21) },
  { type: 'SessionClosed', refundedWei: wei(180), seen: seen(21) },
  { type: 'SessionCloseReverted', refundedWei: wei(120), seen: seen(21) },
  { type: 'SessionCloseReverted', refundedWei: wei(180), seen: seen(21) },
  { type: 'ChainFactReverted', fact: 'TaskSubmitted', key: `${bytes32(9)}:TaskSubmitted`, seen: seen(9) },
  { type: 'ChainFactRestored', fact: 'TaskSubmitted', key: `${bytes32(9)}:TaskSubmitted`, seen: seen(9) },
];

/** What an owner changes while the session goes on; each leads back to where it was, so that there is an end of states. */
export const changeEvents: readonly SessionEvent[] = [
  opened,
  deposited,
  { type: 'SessionTransferred', from: client, to: otherClient, seen: seen(3) },
  { type: 'SessionTransferred', from: otherClient, to: client, seen: seen(4) },
  { type: 'SessionDeactivated', seen: seen(3) },
  { type: 'SessionReactivated', seen: seen(4) },
  { type: 'SessionUpdated', version: 2, terms: { ...rules, maxTaskPriceWei: wei(130) }, seen: seen(5) },
  { type: 'SessionUpdated', version: 1, terms: rules, seen: seen(5) },
  { type: 'SessionDraining', seen: seen(20) },
  { type: 'SessionClosed', refundedWei: wei(120), seen: seen(21) },
];

/** What a random walk may add: keys, which grow without bound, and the rest of a task. */
export const moreSessionEvents: readonly SessionEvent[] = [
  ...sessionEvents,
  ...changeEvents,
  { type: 'SessionRouterAdded', router: address(0x41), seen: seen(6) },
  { type: 'SessionRouterRemoved', router: address(0x41), seen: seen(7) },
  { type: 'SessionMinerAdded', miner: address(0x11), seen: seen(6) },
  { type: 'SessionMinerRemoved', miner: address(0x11), seen: seen(7) },
  ...Object.values(good),
  ...Object.values(detours),
  { type: 'ApiKeyBound', keyHash: 'k1' },
  { type: 'ApiKeyRevoked', keyHash: 'k1' },
  { type: 'TaskQueuedOnChain', task, escrowWei: wei(70), seen: seen(3) },
  { ...submitted, task: otherTask, seen: seen(4) },
  {
    type: 'TaskSettled',
    task,
    priceWei: wei(1),
    returnedWei: wei(1),
    payments: [],
    manifest: good.settled.manifest,
    seen: seen(11),
  },
];

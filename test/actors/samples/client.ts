import { taskId } from '../../../src/core/ids.ts';
import { wei } from '../../../src/core/wei.ts';
import type { ClientEvent, ContractEvent } from '../../../actors/client/events.ts';
import { bytes32, client, prompt, seen, session, terms } from '../chain-facts.ts';
import { manifest } from './task.ts';

const key = bytes32(1);
const task = taskId(session, bytes32(7));

/** A session from its request to its end, with a deposit and a task, by their names. */
export const contractGood = {
  requested: { type: 'SessionRequested', key, terms, depositWei: wei(100) },
  granted: { type: 'SessionGranted', key, session, terms, seen: seen(1) },
  depositRequested: { type: 'DepositRequested', key, session, request: bytes32(2), amountWei: wei(50) },
  taskRequested: {
    type: 'TaskRequested',
    key,
    session,
    task,
    requestId: bytes32(7),
    prompt,
    maxTokens: 16,
    maxPriceWei: wei(50),
  },
  taskOnChain: { type: 'TaskOnChain', key, task, seen: seen(3) },
  result: { type: 'ResultReceived', key, task, priceWei: wei(26), returnedWei: wei(24), manifest, seen: seen(9) },
  closeRequested: { type: 'CloseRequested', key, session },
  ended: { type: 'SessionEnded', key, refundedWei: wei(124), seen: seen(10) },
} as const satisfies Record<string, ContractEvent>;

/** A bounded set of events that leads a session, as its client sees it, through every state and transition it has. */
export const contractEvents: readonly ContractEvent[] = [
  ...Object.values(contractGood),
  { type: 'SessionRequestFailed', key, code: 'chain_reverted', reason: 'EmptyDeposit' },
  { type: 'DepositFailed', key, request: bytes32(2), code: 'chain_reverted', reason: 'ERC20InsufficientBalance' },
  { type: 'TaskRequestFailed', key, task, code: 'chain_reverted', reason: 'InsufficientBalance' },
  { type: 'RefundReceived', key, task, returnedWei: wei(50), reason: 'expired', seen: seen(9) },
  { type: 'CloseFailed', key, code: 'chain_reverted', reason: 'NotOwner' },
  { type: 'AppealRequested', key, session, task },
  { type: 'AppealFailed', key, task, code: 'insufficient_cor', reason: 'poor' },
  { type: 'AppealMade', key, task, seen: seen(8) },
  { type: 'ClosingSeen', key, seen: seen(8) },
];

/** What a random walk may add: deposits of the chain, which count. */
export const moreContractEvents: readonly ContractEvent[] = [
  ...contractEvents,
  { type: 'DepositSeen', key, own: true, amountWei: wei(50), logIndex: 0, seen: seen(2) },
];

export const clientStarted = { type: 'ClientStarted', client } as const satisfies ClientEvent;

/** The same for a client with that session. */
export const clientEvents: readonly ClientEvent[] = [clientStarted, ...contractEvents];

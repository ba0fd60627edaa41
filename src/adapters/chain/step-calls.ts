import { encodeFunctionData } from 'viem';
import { type Hex, keccak256 } from '../../core/hash.ts';
import { type SessionId, sessionNumber } from '../../core/ids.ts';
import type { PlannedSubmission, StepCall } from '../../ports/chain-steps.ts';
import { queueAbi } from './abi.ts';

/** The submission of a task, or of one that comes after others. */
export function submission({ session }: { readonly session: SessionId }, step: PlannedSubmission, effect: Hex): Hex {
  const { requestId, promptDigest, maxTokens, maxPriceWei, after } = step;
  const asked = [sessionNumber(session), requestId, promptDigest, maxTokens, BigInt(maxPriceWei)] as const;
  if (after.length === 0)
    return encodeFunctionData({ abi: queueAbi, functionName: 'submit', args: [...asked, effect] });
  // The contract takes those before it in the order of their ids.
  const parents = after.toSorted();
  return encodeFunctionData({ abi: queueAbi, functionName: 'submitAfter', args: [...asked, parents, effect] });
}

/** All submissions of a plan in one transaction. Each has an id of its own; it is found by that of the first. */
export function planSubmission(call: Extract<StepCall, { readonly call: 'submitPlan' }>, effect: Hex): Hex {
  const idAt = (place: number): Hex => (place === 0 ? effect : keccak256(`${effect}:${place}`));
  const calls = call.steps.map((step, place) => submission(call, step, idAt(place)));
  return encodeFunctionData({ abi: queueAbi, functionName: 'multicall', args: [calls] });
}

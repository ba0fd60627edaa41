import { encodeFunctionData } from 'viem';
import type { Allowance } from '../../core/allowance.ts';
import type { Hex } from '../../core/hash.ts';
import { sessionNumber } from '../../core/ids.ts';
import type { AllowanceCall } from '../../ports/chain-allowances.ts';
import { allowancesAbi } from './abi.ts';

/** What a call about an allowance is encoded as. */
export function allowanceCall(call: AllowanceCall, effect: Hex): Hex {
  const abi = allowancesAbi;
  switch (call.call) {
    case 'useAllowance': {
      const args = [allowanceStruct(call.allowance), call.signature, effect] as const;
      return encodeFunctionData({ abi, functionName: 'useAllowance', args });
    }
    case 'revokeAllowance': {
      const args = [sessionNumber(call.session), call.router, effect] as const;
      return encodeFunctionData({ abi, functionName: 'revokeAllowance', args });
    }
    case 'revokeNonce':
      return encodeFunctionData({ abi, functionName: 'revokeNonce', args: [BigInt(call.nonce), effect] });
  }
}

/** An allowance as the contract has it. */
function allowanceStruct({ owner, session, router, limitWei, taskLimitWei, goodUntil, nonce }: Allowance) {
  return {
    owner,
    sessionId: sessionNumber(session),
    router,
    limitWei: BigInt(limitWei),
    taskLimitWei: BigInt(taskLimitWei),
    goodUntil: Math.floor(goodUntil / 1_000),
    nonce: BigInt(nonce),
  };
}

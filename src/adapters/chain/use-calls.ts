import { encodeFunctionData } from 'viem';
import type { Hex } from '../../core/hash.ts';
import { sessionNumber } from '../../core/ids.ts';
import type { UseCall } from '../../ports/chain-use.ts';
import { stakeToUseAbi } from './abi.ts';
import { encodeTerms } from './terms.ts';

/** What a call about a stake for use is encoded as. */
export function useCall(call: UseCall, effect: Hex): Hex {
  const abi = stakeToUseAbi;
  switch (call.call) {
    case 'fundPool':
      return encodeFunctionData({ abi, functionName: 'fundPool', args: [BigInt(call.amountWei), effect] });
    case 'stakeForUse':
      return encodeFunctionData({ abi, functionName: 'stake', args: [BigInt(call.amountWei), effect] });
    case 'requestUseUnstake':
      return encodeFunctionData({ abi, functionName: 'requestUnstake', args: [effect] });
    case 'withdrawUseStake':
      return encodeFunctionData({ abi, functionName: 'withdrawStake', args: [effect] });
    case 'openPooled': {
      const { terms, depositWei } = call;
      const lists = [terms.routers, terms.dedicatedMiners] as const;
      const args = [encodeTerms(terms), ...lists, BigInt(depositWei), effect] as const;
      return encodeFunctionData({ abi, functionName: 'open', args });
    }
    case 'topUpPooled': {
      const args = [sessionNumber(call.session), BigInt(call.amountWei), effect] as const;
      return encodeFunctionData({ abi, functionName: 'topUp', args });
    }
    case 'submitPooled': {
      const { session, requestId, promptDigest, maxTokens, maxPriceWei } = call;
      const task = [requestId, promptDigest, maxTokens, BigInt(maxPriceWei)] as const;
      return encodeFunctionData({ abi, functionName: 'submit', args: [sessionNumber(session), ...task, effect] });
    }
    case 'closePooled':
      return encodeFunctionData({ abi, functionName: 'close', args: [sessionNumber(call.session), effect] });
  }
}

import { encodeFunctionData } from 'viem';
import type { Hex } from '../../core/hash.ts';
import type { AppealCall } from '../../ports/chain-appeals.ts';
import { appealsAbi } from './abi.ts';

/** What a call about an appeal is encoded as. */
export function appealCall(call: AppealCall, effect: Hex): Hex {
  const abi = appealsAbi;
  switch (call.call) {
    case 'appeal':
      return encodeFunctionData({ abi, functionName: 'appeal', args: [call.task, effect] });
    case 'nominate':
      return encodeFunctionData({ abi, functionName: 'nominate', args: [call.task, call.nodes, effect] });
    case 'attestAppeal': {
      const args = [call.task, call.outcome, call.carried, effect] as const;
      return encodeFunctionData({ abi, functionName: 'attestMany', args });
    }
    case 'endAppeal':
      return encodeFunctionData({ abi, functionName: 'end', args: [call.task, effect] });
    case 'withdrawAppealed':
      return encodeFunctionData({ abi, functionName: 'withdraw', args: [effect] });
  }
}

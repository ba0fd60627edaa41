import { encodeFunctionData, zeroAddress } from 'viem';
import type { Hex } from '../../core/hash.ts';
import { sessionNumber } from '../../core/ids.ts';
import type { SessionChangeCall } from '../../ports/chain-session-changes.ts';
import { sessionsAbi } from './abi.ts';
import { encodeTerms } from './terms.ts';

/** What a change to a session is encoded as. */
export function sessionChangeCall(call: SessionChangeCall, effect: Hex): Hex {
  const abi = sessionsAbi;
  const session = sessionNumber(call.session);
  switch (call.call) {
    case 'updateSession': {
      const args = [session, encodeTerms(call.terms), effect] as const;
      return encodeFunctionData({ abi, functionName: 'update', args });
    }
    case 'offerSession': {
      const args = [session, call.to ?? zeroAddress, effect] as const;
      return encodeFunctionData({ abi, functionName: 'offerSession', args });
    }
    case 'acceptSession':
      return encodeFunctionData({ abi, functionName: 'acceptSession', args: [session, effect] });
    case 'deactivateSession':
      return encodeFunctionData({ abi, functionName: 'deactivate', args: [session, effect] });
    case 'reactivateSession':
      return encodeFunctionData({ abi, functionName: 'reactivate', args: [session, effect] });
    case 'addRouter':
    case 'removeRouter':
      return encodeFunctionData({ abi, functionName: call.call, args: [session, call.router, effect] });
    case 'replaceRouter': {
      const args = [session, call.router, call.replacement, effect] as const;
      return encodeFunctionData({ abi, functionName: 'replaceRouter', args });
    }
    case 'addDedicatedMiner':
    case 'removeDedicatedMiner':
      return encodeFunctionData({ abi, functionName: call.call, args: [session, call.miner, effect] });
  }
}

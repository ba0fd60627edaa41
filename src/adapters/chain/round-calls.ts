import { encodeFunctionData } from 'viem';
import type { Hex } from '../../core/hash.ts';
import { roles } from '../../core/ids.ts';
import type { RoundCall } from '../../ports/chain-rounds.ts';
import { networkAbi } from './abi.ts';

const names: ReadonlySet<string> = new Set<RoundCall['call']>([
  'joinPool',
  'quitPool',
  'requestRound',
  'drawCrew',
  'startRound',
  'advanceRound',
  'createRound',
  'prepareRound',
  'precommitAnswers',
  'revealAnswers',
  'endRound',
]);

/** Whether a call is one of the network sessions. */
export function isRoundCall(call: { readonly call: string }): call is RoundCall {
  return names.has(call.call);
}

/** What a call of the network sessions is encoded as. */
export function roundCall(call: RoundCall, effect: Hex): Hex {
  const abi = networkAbi;
  switch (call.call) {
    case 'joinPool':
    case 'quitPool': {
      // The contract counts roles from 1.
      const args = [roles.indexOf(call.role) + 1, effect] as const;
      return encodeFunctionData({ abi, functionName: call.call === 'joinPool' ? 'join' : 'quit', args });
    }
    case 'requestRound':
      return encodeFunctionData({ abi, functionName: 'request', args: [effect] });
    case 'drawCrew':
      return encodeFunctionData({ abi, functionName: 'draw', args: [BigInt(call.round), effect] });
    case 'startRound':
      return encodeFunctionData({ abi, functionName: 'start', args: [BigInt(call.round), effect] });
    case 'advanceRound':
      return encodeFunctionData({ abi, functionName: 'advance', args: [BigInt(call.round), effect] });
    case 'createRound':
      return encodeFunctionData({ abi, functionName: 'create', args: [BigInt(call.round), call.topicDigest, effect] });
    case 'prepareRound': {
      const args = [BigInt(call.round), call.questionsDigest, effect] as const;
      return encodeFunctionData({ abi, functionName: 'prepare', args });
    }
    case 'precommitAnswers':
      return encodeFunctionData({ abi, functionName: 'precommit', args: [BigInt(call.round), call.hash, effect] });
    case 'revealAnswers': {
      const args = [BigInt(call.round), call.resultRoot, call.salt, call.resultDigest, effect] as const;
      return encodeFunctionData({ abi, functionName: 'reveal', args });
    }
    case 'endRound': {
      const args = [BigInt(call.round), call.datasetDigest, call.honest, call.signatures, effect] as const;
      return encodeFunctionData({ abi, functionName: 'end', args });
    }
  }
}

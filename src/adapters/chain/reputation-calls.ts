import { encodeFunctionData } from 'viem';
import type { Standing } from '../../core/checkpoint.ts';
import type { Hex } from '../../core/hash.ts';
import type { ReputationCall } from '../../ports/chain-reputation.ts';
import { reputationAbi } from './abi.ts';
import { checkpointStruct } from './reputation.ts';

/** What a call of the reputation contract is encoded as. */
export function reputationCall(call: ReputationCall, effect: Hex): Hex {
  const abi = reputationAbi;
  switch (call.call) {
    case 'postCheckpoint': {
      const args = [checkpointStruct(call.checkpoint), call.signatures, effect] as const;
      return encodeFunctionData({ abi, functionName: 'post', args });
    }
    case 'disputeCheckpoint': {
      const args = [BigInt(call.epoch), call.claimDigest, effect] as const;
      return encodeFunctionData({ abi, functionName: 'dispute', args });
    }
    case 'ruleCheckpoint': {
      const args = [BigInt(call.epoch), call.stands, call.signatures, effect] as const;
      return encodeFunctionData({ abi, functionName: 'rule', args });
    }
    case 'endDispute':
      return encodeFunctionData({ abi, functionName: 'endDispute', args: [BigInt(call.epoch), effect] });
    case 'withdrawDisputeBond':
      return encodeFunctionData({ abi, functionName: 'withdrawBond', args: [effect] });
    case 'applyLevel': {
      const args = [standingStruct(call.standing), call.proof, effect] as const;
      return encodeFunctionData({ abi, functionName: 'applyLevel', args });
    }
  }
}

/** A node's standing as the contracts take it. */
export function standingStruct(standing: Standing) {
  return { ...standing, idleWork: BigInt(standing.idleWork) };
}

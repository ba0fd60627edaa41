import { type Hex, hexToBytes, keccak256, keccakWords } from '../hash.ts';
import type { TaskId } from '../ids.ts';
import type { BatchPlace } from './rules.ts';

const precommitType = 'Precommit(bytes32 taskId,uint8 step,uint8 attempt,bytes32 precommit)';
const domainType = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

/** A miner's word that it is bound to a result of a task of a batched session. */
export interface BatchPrecommit {
  readonly task: TaskId;
  readonly step: number;
  readonly attempt: number;
  readonly precommit: Hex;
}

/**
 * What a miner signs where a batch brings its precommit to the chain: the digest of an EIP-712 message. The log keeps the
 * signature, so that a poster can make up no precommit, and leave none away unnoticed.
 */
export function batchPrecommitDigest(place: BatchPlace, { task, step, attempt, precommit }: BatchPrecommit): Hex {
  const domain = keccakWords([
    keccak256(domainType),
    keccak256('pouw batches'),
    keccak256('1'),
    place.chainId,
    place.contract,
  ]);
  const message = keccakWords([keccak256(precommitType), task, step, attempt, precommit]);
  return keccak256(hexToBytes(`0x1901${domain.slice(2)}${message.slice(2)}`));
}

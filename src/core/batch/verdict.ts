import { type Hex, hexToBytes, keccak256, keccakWords } from '../hash.ts';
import type { Address } from '../ids.ts';
import { abiEncode, type OutcomeLeaf, type PrecommitLeaf } from './leaves.ts';

const verdictType =
  'Verdict(address poster,uint64 sessionId,bytes32 taskId,uint32 step,bytes32 slots,uint8 winner,uint16 honest,uint32 promptTokens,uint32 outputTokens)';
const domainType = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

/** Where a verdict counts. */
export interface VerdictPlace {
  readonly chainId: number;
  /** The contract `BatchDemands`. */
  readonly contract: Address;
}

/**
 * What a validator signs to attest an outcome of a batch: the digest of the EIP-712 message `Verdict`. It binds who
 * will post it, so that it is of no use to another router, and the slots that its sets are about.
 */
export function verdictDigest(
  place: VerdictPlace,
  poster: Address,
  task: PrecommitLeaf,
  outcome: Pick<OutcomeLeaf, 'winner' | 'honest' | 'promptTokens' | 'outputTokens'>,
): Hex {
  const domain = keccakWords([
    keccak256(domainType),
    keccak256('pouw batches'),
    keccak256('1'),
    place.chainId,
    place.contract,
  ]);
  const message = keccakWords([
    keccak256(verdictType),
    poster,
    task.session,
    task.task,
    task.step,
    keccak256(abiEncode([task.miners, task.attempts, task.precommits])),
    outcome.winner,
    outcome.honest,
    outcome.promptTokens,
    outcome.outputTokens,
  ]);
  return keccak256(hexToBytes(`0x1901${domain.slice(2)}${message.slice(2)}`));
}

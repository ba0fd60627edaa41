import {
  hashTypedData,
  type LocalAccount,
  numberToHex,
  parseSignature,
  recoverAddress,
  signatureToCompactSignature,
  type TypedDataDomain,
} from 'viem';
import { present } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, toAddress } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import type { CompactSignature, QueueMessage } from '../../ports/queue-messages.ts';

const attestationFields = [
  { name: 'taskId', type: 'bytes32' },
  { name: 'step', type: 'uint8' },
  { name: 'winner', type: 'uint8' },
  { name: 'honest', type: 'uint16' },
  { name: 'promptTokens', type: 'uint32' },
  { name: 'outputTokens', type: 'uint32' },
  { name: 'reportDigest', type: 'bytes32' },
] as const;

/** What nodes sign so that a router can carry it: EIP-712, as `contracts/src/libraries/Messages.sol` has it. */
const types = {
  Acceptance: [
    { name: 'taskId', type: 'bytes32' },
    { name: 'step', type: 'uint8' },
    { name: 'attempt', type: 'uint8' },
    { name: 'beaconBlock', type: 'uint64' },
  ],
  Precommit: [
    { name: 'taskId', type: 'bytes32' },
    { name: 'step', type: 'uint8' },
    { name: 'attempt', type: 'uint8' },
    { name: 'precommit', type: 'bytes32' },
  ],
  Attestation: attestationFields,
  AppealAttestation: attestationFields,
} as const;

/** What the contract checks a signature of a message against. */
export function messageHash(deployment: Deployment, message: QueueMessage): Hex {
  const domain = domainOf(deployment, message.is);
  switch (message.is) {
    case 'Acceptance':
      return hashTypedData({ domain, types, primaryType: 'Acceptance', message: acceptance(message) });
    case 'Precommit':
      return hashTypedData({ domain, types, primaryType: 'Precommit', message: precommit(message) });
    case 'Attestation':
    case 'AppealAttestation':
      return hashTypedData({ domain, types, primaryType: message.is, message: attestation(message) });
  }
}

/** An account's signature of a message, as the contract takes it. */
export async function signMessage(
  account: LocalAccount,
  deployment: Deployment,
  message: QueueMessage,
): Promise<CompactSignature> {
  const signature = await present(
    account.sign,
    'an account that signs hashes',
  )({ hash: messageHash(deployment, message) });
  const { r, yParityAndS } = signatureToCompactSignature(parseSignature(signature));
  return { r, vs: yParityAndS };
}

/** ERC-2098: the highest bit of `vs` is the parity of `y`. */
const parityBit = 1n << 255n;
/** Half of the curve's order: the contract takes no `s` above it. */
const highestS = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** Whether an account has signed a message, as the contract would see it. */
export async function isMessageSigned(
  by: Address,
  deployment: Deployment,
  message: QueueMessage,
  { r, vs }: CompactSignature,
): Promise<boolean> {
  const s = numberToHex(BigInt(vs) & ~parityBit, { size: 32 });
  const yParity = (BigInt(vs) & parityBit) === 0n ? 0 : 1;
  if (BigInt(s) > highestS) return false;
  try {
    const signer = await recoverAddress({ hash: messageHash(deployment, message), signature: { r, s, yParity } });
    return toAddress(signer) === by;
  } catch {
    // Numbers that are on no curve.
    return false;
  }
}

function domainOf({ chainId, queue, appeals }: Deployment, is: QueueMessage['is']): TypedDataDomain {
  if (is === 'AppealAttestation') {
    return { name: 'pouw Appeals', version: '1', chainId, verifyingContract: appeals };
  }
  return { name: 'pouw TaskQueue', version: '1', chainId, verifyingContract: queue };
}

function acceptance({ task, step, attempt, beaconBlock }: Extract<QueueMessage, { is: 'Acceptance' }>) {
  return { taskId: task, step, attempt, beaconBlock: BigInt(beaconBlock) };
}

function precommit({ task, step, attempt, precommit: bound }: Extract<QueueMessage, { is: 'Precommit' }>) {
  return { taskId: task, step, attempt, precommit: bound };
}

function attestation({ task, step, outcome, reportDigest }: Extract<QueueMessage, { outcome: unknown }>) {
  return { taskId: task, step, ...outcome, reportDigest };
}

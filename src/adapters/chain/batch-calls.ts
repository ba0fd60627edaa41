import { encodeFunctionData } from 'viem';
import type { Challenge } from '../../core/batch/challenge.ts';
import { batchShares, leafKinds } from '../../core/batch/leaves.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import { signatureBytes } from '../../core/signature-bytes.ts';
import type { Deployment } from '../../ports/chain.ts';
import type { BatchCall } from '../../ports/chain-batches.ts';
import { batchChallengesAbi, batchDemandsAbi, batchesAbi } from './abi.ts';
import { toEnded, toHeader, toPaid, toShown, toTask } from './batch-values.ts';

/** Where a call about batches goes, and what it is encoded as. */
export function batchCall(on: Deployment, call: BatchCall, effect: Hex): readonly [Address, Hex] {
  if (call.call === 'challenge') return [on.batchChallenges, challengeCall(call, effect)];
  if (isDemand(call)) return [on.batchDemands, demandCall(call, effect)];
  return call.call === 'showLeaf' ? [on.batchDemands, shownCall(call, effect)] : [on.batches, posterCall(call, effect)];
}

type ChallengeCall = Extract<BatchCall, { call: 'challenge' }>;
type DemandCall = Extract<BatchCall, { call: 'demand' | 'proveWithheld' | 'takeBack' }>;
type ShowCall = Extract<BatchCall, { call: 'showLeaf' }>;

function isDemand(call: BatchCall): call is DemandCall {
  return call.call === 'demand' || call.call === 'proveWithheld' || call.call === 'takeBack';
}

function posterCall(call: Exclude<BatchCall, ChallengeCall | DemandCall | ShowCall>, effect: Hex): Hex {
  const abi = batchesAbi;
  switch (call.call) {
    case 'depositBond':
      return encodeFunctionData({ abi, functionName: 'depositBond', args: [BigInt(call.amountWei), effect] });
    case 'postPrecommits': {
      const shares = call.shares.map(({ session, tasks, reservedWei }) => {
        return { sessionId: BigInt(session), tasks, reservedWei: BigInt(reservedWei) };
      });
      const args = [call.number, call.root, call.manifestDigest, shares, effect] as const;
      return encodeFunctionData({ abi, functionName: 'postPrecommits', args });
    }
    case 'postReveals': {
      const args = [BigInt(call.batch), toHeader(call.header), call.root, call.manifestDigest, effect] as const;
      return encodeFunctionData({ abi, functionName: 'postReveals', args });
    }
    case 'postOutcomes': {
      const { outcomeRoot, paymentRoot, payments, manifestDigest } = call;
      const header = toHeader(call.header);
      const drawn = call.drawnWei.map(BigInt);
      const roots = [outcomeRoot, paymentRoot, payments, drawn, manifestDigest] as const;
      return encodeFunctionData({
        abi,
        functionName: 'postOutcomes',
        args: [BigInt(call.batch), header, ...roots, effect],
      });
    }
    case 'finalise':
    case 'voidLate':
    case 'voidOrphan':
      return encodeFunctionData({
        abi,
        functionName: call.call,
        args: [BigInt(call.batch), toHeader(call.header), effect],
      });
    case 'claimMany': {
      const leaves = call.payments.map(toPaid);
      const claimed = [leaves.map(({ leaf }) => leaf), leaves.map(({ proof }) => proof)] as const;
      const args = [BigInt(call.batch), toHeader(call.header), ...claimed, effect] as const;
      return encodeFunctionData({ abi, functionName: 'claimMany', args });
    }
  }
}

function demandCall(call: DemandCall, effect: Hex): Hex {
  const abi = batchDemandsAbi;
  const [batch, leaf] = [BigInt(call.batch), [leafKinds.indexOf(call.kind), BigInt(call.position)] as const];
  if (call.call === 'takeBack')
    return encodeFunctionData({ abi, functionName: 'takeBack', args: [batch, ...leaf, effect] });
  const args = [batch, toHeader(call.header), ...leaf, effect] as const;
  return encodeFunctionData({ abi, functionName: call.call, args });
}

function shownCall(call: ShowCall, effect: Hex): Hex {
  const abi = batchDemandsAbi;
  const of = [BigInt(call.batch), toHeader(call.header)] as const;
  switch (call.kind) {
    case 'precommit':
      return encodeFunctionData({ abi, functionName: 'showPrecommit', args: [...of, toTask(call.leaf), effect] });
    case 'reveal':
      return encodeFunctionData({ abi, functionName: 'showReveal', args: [...of, toShown(call.leaf), effect] });
    case 'outcome': {
      const args = [
        ...of,
        toTask(call.given),
        toEnded(call.leaf),
        call.signatures.map(signatureBytes),
        effect,
      ] as const;
      return encodeFunctionData({ abi, functionName: 'showOutcome', args });
    }
    case 'payment':
      return encodeFunctionData({ abi, functionName: 'showPayment', args: [...of, toPaid(call.leaf), effect] });
  }
}

function challengeCall({ batch, header, challenge }: ChallengeCall, effect: Hex): Hex {
  const args = [BigInt(batch), toHeader(header), ...evidenceOf(challenge, header), effect];
  // Which evidence goes with which function is what the switch below says; viem checks the values when it encodes them.
  return encodeFunctionData({ abi: batchChallengesAbi, functionName: challenge.call, args: args as never });
}

/** What a proof takes beside batch, header and effect, in the order of the contract. */
function evidenceOf(proof: ChallengeCall['challenge'], header: ChallengeCall['header']): readonly unknown[] {
  switch (proof.call) {
    case 'proveBadAssignment':
      return [toTask(proof.task)];
    case 'proveWrongReveal':
      return [toTask(proof.task), toShown(proof.shown)];
    case 'proveWrongOutcome':
      return [toTask(proof.task), toShown(proof.shown), toEnded(proof.outcome)];
    case 'proveWrongDraw':
      return [toEnded(proof.outcome)];
    case 'proveWrongSum':
      return [toEnded(proof.left), toEnded(proof.right)];
    case 'proveDoublePayment':
      return [toEnded(proof.one), toEnded(proof.other)];
    case 'provePaidBefore':
      return [toEnded(proof.outcome), ...earlierOf(proof), toEnded(proof.before)];
    case 'proveWrongPayment':
      return [toTask(proof.task), toEnded(proof.outcome), toPaid(proof.payment)];
    case 'proveMissingPayment': {
      const { share, account, around, behind } = proof;
      const gap = [batchShares.indexOf(share), account, around.map(toPaid), behind];
      return [toTask(proof.task), toEnded(proof.outcome), ...gap];
    }
    case 'proveWrongOrder':
      return [toPaid(proof.left), toPaid(proof.right)];
    case 'proveWrongTotal':
      return [toPaid(proof.payment)];
    case 'proveWrongOrigin':
      return [toPaid(proof.payment), toHeader(proof.origin ?? header)];
    case 'proveForgottenEarnings':
      return [toPaid(proof.payment), ...earlierOf(proof), toPaid(proof.before)];
    case 'proveInventedStart':
      return [proof.first.map(toPaid)];
    case 'proveInventedEarnings':
      return [proof.first.map(toPaid), ...earlierOf(proof), proof.around.map(toPaid), proof.behind];
  }
}

type WithEarlier = Extract<Challenge, { readonly earlierId: number }>;

function earlierOf({ earlierId, earlier }: WithEarlier): readonly unknown[] {
  return [BigInt(earlierId), toHeader(earlier)];
}

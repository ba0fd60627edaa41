import { type Abi, encodeFunctionData } from 'viem';
import type { Hex } from '../../core/hash.ts';
import { type Address, sessionNumber } from '../../core/ids.ts';
import type { WeightedNode } from '../../core/selection.ts';
import type { ChainCall, CompactSignature, Deployment } from '../../ports/chain.ts';
import {
  allowancesAbi,
  anchorsAbi,
  appealsAbi,
  batchChallengesAbi,
  batchDemandsAbi,
  batchesAbi,
  corAbi,
  networkAbi,
  parametersAbi,
  pricingAbi,
  queueAbi,
  registryAbi,
  reputationAbi,
  reservationsAbi,
  rewardsAbi,
  sessionsAbi,
  stakeToUseAbi,
  timelockAbi,
} from './abi.ts';
import { accessCall } from './access.ts';
import { appealCall } from './appeal-calls.ts';
import { batchCall } from './batch-calls.ts';
import { changeCall, isChangeCall } from './change-calls.ts';
import { isPaymentCall, paymentCall } from './payment-calls.ts';
import { isRoundCall, roundCall } from './round-calls.ts';
import type { Permit } from './permit.ts';
import { reputationCall, standingStruct } from './reputation-calls.ts';
import { roleSet } from './role-set.ts';
import type { TxRequest } from './sender.ts';
import { planSubmission, submission } from './step-calls.ts';
import { encodeTerms } from './terms.ts';

const nobody: Address = `0x${'00'.repeat(20)}` as Address;

/** Every error any of the contracts can revert with: calls go through several. */
export const contractErrors: Abi = [
  ...corAbi,
  ...timelockAbi,
  ...parametersAbi,
  ...registryAbi,
  ...pricingAbi,
  ...allowancesAbi,
  ...reservationsAbi,
  ...appealsAbi,
  ...stakeToUseAbi,
  ...sessionsAbi,
  ...queueAbi,
  ...batchesAbi,
  ...batchChallengesAbi,
  ...batchDemandsAbi,
  ...anchorsAbi,
  ...reputationAbi,
  ...networkAbi,
  ...rewardsAbi,
].filter((item) => item.type === 'error');

/** A call whose transaction needs nothing signed inside it. */
export type PlainCall = Exclude<ChainCall, PermitCall>;
/** A call that carries a permit of its sender. */
export type PermitCall = CallOf<'depositWithPermit'>;

/** The transaction that carries a call out; `effect` is the bytes32 under which the contracts log it. */
export function encodeCall(deployment: Deployment, call: PlainCall, effect: Hex): TxRequest {
  const [to, data] = target(deployment, call, effect);
  return { to, data, call: call.call, errors: contractErrors };
}

/** {@link encodeCall} for a call with the permit that its sender has signed. */
export function encodePermitCall(deployment: Deployment, call: PermitCall, permit: Permit, effect: Hex): TxRequest {
  const { deadlineS, v, r, s } = permit;
  const signed = { deadline: deadlineS, v, r, s };
  const args = [sessionNumber(call.session), BigInt(call.amountWei), signed, effect] as const;
  const data = encodeFunctionData({ abi: sessionsAbi, functionName: 'depositWithPermit', args });
  return { to: deployment.sessions, data, call: call.call, errors: contractErrors };
}

function target(on: Deployment, call: PlainCall, effect: Hex): readonly [Address, Hex] {
  if (isRoundCall(call)) return [on.network, roundCall(call, effect)];
  if (isPaymentCall(call)) return paymentCall(on, call, effect);
  if (isChangeCall(call)) return changeCall(on, call, effect);
  switch (call.call) {
    case 'approve': {
      const args = [on[call.spender], BigInt(call.amountWei)] as const;
      return [on.cor, encodeFunctionData({ abi: corAbi, functionName: 'approve', args })];
    }
    case 'transfer': {
      const args = [call.to, BigInt(call.amountWei), effect] as const;
      return [on.cor, encodeFunctionData({ abi: corAbi, functionName: 'transferOnce', args })];
    }
    case 'register':
    case 'serveModels':
    case 'dropModels':
    case 'setActive':
    case 'addStake':
    case 'requestUnstake':
    case 'withdrawStake':
      return [on.registry, registryCall(call, effect)];
    case 'setAccess':
    case 'setExclusive':
      return [on.registry, accessCall(call, effect)];
    case 'openSession':
    case 'deposit':
    case 'closeSession':
    case 'withdrawEarnings':
      return [on.sessions, sessionsCall(call, effect)];
    case 'postCheckpoint':
    case 'disputeCheckpoint':
    case 'ruleCheckpoint':
    case 'endDispute':
    case 'withdrawDisputeBond':
    case 'applyLevel':
      return [on.reputation, reputationCall(call, effect)];
    case 'claimReward': {
      const args = [BigInt(call.epoch), standingStruct(call.standing), call.proof, effect] as const;
      return [on.rewards, encodeFunctionData({ abi: rewardsAbi, functionName: 'claim', args })];
    }
    case 'anchor': {
      const args = [call.root, call.manifestDigest, BigInt(call.commits), effect] as const;
      return [on.anchors, encodeFunctionData({ abi: anchorsAbi, functionName: 'anchor', args })];
    }
    case 'appeal':
    case 'nominate':
    case 'attestAppeal':
    case 'endAppeal':
    case 'withdrawAppealed':
      return [on.appeals, appealCall(call, effect)];
    case 'depositBond':
    case 'postPrecommits':
    case 'postReveals':
    case 'postOutcomes':
    case 'finalise':
    case 'voidLate':
    case 'voidOrphan':
    case 'claimMany':
    case 'challenge':
    case 'demand':
    case 'proveWithheld':
    case 'takeBack':
    case 'showLeaf':
      return batchCall(on, call, effect);
    default:
      return [on.queue, queueCall(call, effect)];
  }
}

type CallOf<Name extends ChainCall['call']> = Extract<ChainCall, { readonly call: Name }>;

type RegistryCall = CallOf<
  'register' | 'serveModels' | 'dropModels' | 'setActive' | 'addStake' | 'requestUnstake' | 'withdrawStake'
>;

function registryCall(call: RegistryCall, effect: Hex): Hex {
  const abi = registryAbi;
  switch (call.call) {
    case 'register': {
      const { roles, key, stakeWei, metadataUri, models } = call;
      const args = [roleSet(roles), key, BigInt(stakeWei), metadataUri, models, effect] as const;
      return encodeFunctionData({ abi, functionName: 'register', args });
    }
    case 'serveModels':
      return encodeFunctionData({ abi, functionName: 'serveModels', args: [call.models, effect] });
    case 'dropModels':
      return encodeFunctionData({ abi, functionName: 'dropModels', args: [call.modelHashes, effect] });
    case 'setActive':
      return encodeFunctionData({ abi, functionName: 'setActive', args: [call.active, effect] });
    case 'addStake':
      return encodeFunctionData({ abi, functionName: 'addStake', args: [BigInt(call.amountWei), effect] });
    case 'requestUnstake':
    case 'withdrawStake':
      return encodeFunctionData({ abi, functionName: call.call, args: [effect] });
  }
}

function sessionsCall(call: CallOf<'openSession' | 'deposit' | 'closeSession' | 'withdrawEarnings'>, effect: Hex): Hex {
  const abi = sessionsAbi;
  switch (call.call) {
    case 'openSession':
      return encodeFunctionData({
        abi,
        functionName: 'open',
        args: [
          encodeTerms(call.terms),
          call.terms.routers,
          call.terms.dedicatedMiners,
          BigInt(call.depositWei),
          effect,
        ],
      });
    case 'deposit':
      return encodeFunctionData({
        abi,
        functionName: 'deposit',
        args: [sessionNumber(call.session), BigInt(call.amountWei), effect],
      });
    case 'closeSession':
      return encodeFunctionData({ abi, functionName: 'close', args: [sessionNumber(call.session), effect] });
    case 'withdrawEarnings':
      return encodeFunctionData({ abi, functionName: 'withdrawEarnings', args: [effect] });
  }
}

/** A candidate in one word: its address, then its weight. */
function candidateWord({ node, weight }: WeightedNode): bigint {
  return (BigInt(node) << 96n) | BigInt(weight);
}

const unsigned: CompactSignature = { r: `0x${'00'.repeat(32)}`, vs: `0x${'00'.repeat(32)}` };

type CarriedCall = CallOf<'precommitMany' | 'revealMany' | 'attestMany' | 'settleWith'>;

function carriedCall(call: CarriedCall, effect: Hex): Hex {
  const abi = queueAbi;
  const { task } = call;
  switch (call.call) {
    case 'precommitMany':
      return encodeFunctionData({ abi, functionName: 'precommitMany', args: [task, call.carried, effect] });
    case 'revealMany':
      return encodeFunctionData({ abi, functionName: 'revealMany', args: [task, call.carried, effect] });
    case 'attestMany':
      return encodeFunctionData({ abi, functionName: 'attestMany', args: [task, call.outcome, call.carried, effect] });
    case 'settleWith': {
      const args = [task, call.outcome, call.carried, call.manifestDigest, effect] as const;
      return encodeFunctionData({ abi, functionName: 'settleWith', args });
    }
  }
}

type QueueCall = CallOf<
  | CarriedCall['call']
  | 'submit'
  | 'submitPlan'
  | 'refundStep'
  | 'assign'
  | 'ack'
  | 'precommit'
  | 'reveal'
  | 'reassign'
  | 'attest'
  | 'resolve'
  | 'settle'
  | 'cancel'
  | 'expire'
>;

function queueCall(call: QueueCall, effect: Hex): Hex {
  const abi = queueAbi;
  switch (call.call) {
    case 'submit':
      return submission(call, { ...call, after: [] }, effect);
    case 'submitPlan':
      return planSubmission(call, effect);
    case 'refundStep':
      return encodeFunctionData({ abi, functionName: 'refundStep', args: [call.task, effect] });
    case 'assign': {
      const { beacon, selectionDigest, lane } = call;
      const draw = {
        scheme: call.scheme === 'drawn' ? 0 : 1,
        lane,
        beaconBlock: BigInt(call.beaconBlock),
        beacon,
        selectionDigest,
        miners: call.miners.map(candidateWord),
        validators: call.validators.map(candidateWord),
      };
      const acceptances = (call.acceptances ?? []).map((signature) => signature ?? unsigned);
      return encodeFunctionData({ abi, functionName: 'assign', args: [call.task, draw, acceptances, effect] });
    }
    case 'precommitMany':
    case 'revealMany':
    case 'attestMany':
    case 'settleWith':
      return carriedCall(call, effect);
    case 'precommit':
      return encodeFunctionData({ abi, functionName: 'precommit', args: [call.task, call.hash, effect] });
    case 'reveal': {
      const args = [call.task, call.resultRoot, call.salt, call.resultDigest, effect] as const;
      return encodeFunctionData({ abi, functionName: 'reveal', args });
    }
    case 'reassign':
      return encodeFunctionData({
        abi,
        functionName: 'reassign',
        args: [call.task, call.miner, call.replacement ?? nobody, effect],
      });
    case 'attest': {
      const { task, winner, honest, promptTokens, outputTokens, reportDigest } = call;
      const args = [task, winner, honest, promptTokens, outputTokens, reportDigest, effect] as const;
      return encodeFunctionData({ abi, functionName: 'attest', args });
    }
    case 'settle':
      return encodeFunctionData({ abi, functionName: 'settle', args: [call.task, call.manifestDigest, effect] });
    case 'ack':
    case 'resolve':
    case 'cancel':
    case 'expire':
      return encodeFunctionData({ abi, functionName: call.call, args: [call.task, effect] });
  }
}

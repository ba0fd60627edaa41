import { decodeEventLog } from 'viem';
import type { Hex } from '../../core/hash.ts';
import { type Address, sessionId, type SessionId, type TaskId, toAddress } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import type { ChainFact, ChainFactBody, Deployment, Payment } from '../../ports/chain.ts';
import { appealFact } from './appeal-facts.ts';
import { batchFact } from './batch-facts.ts';
import { at, type ContractEvent, type Decoded, eventBySelector } from './fact-events.ts';
import { registryFact } from './registry-facts.ts';
import { roundFact } from './round-facts.ts';
import { sessionChangeFact } from './session-change-facts.ts';
import type { LogFilter, RawLog } from './logs.ts';
import { rolesIn } from './role-set.ts';
import { toRules } from './terms.ts';

/** The logs that are facts, of the contracts of a deployment. */
export function factFilter(deployment: Deployment): LogFilter {
  const { registry, parameters, sessions, queue, appeals, anchors, batches, batchDemands, network } = deployment;
  return {
    addresses: [registry, parameters, sessions, queue, appeals, anchors, batches, batchDemands, network],
    topics: [[...eventBySelector.keys()]],
  };
}

/**
 * The facts in logs, in the order of the logs but for the end of a session, which is the last one of its transaction:
 * the contracts log it before the end of the task that brings it about. What is no fact of this deployment is left
 * out. Digests are as on chain, addresses lower case, deadlines milliseconds since 1970.
 *
 * @param blockAt the time of a block by its hash, in milliseconds.
 */
export function decodeFacts(
  deployment: Deployment,
  logs: readonly RawLog[],
  blockAt: (hash: Hex) => number,
): ChainFact[] {
  const ours = new Set<string>(factFilter(deployment).addresses);
  const facts: ChainFact[] = [];
  for (const log of logs) {
    if (!ours.has(log.address.toLowerCase()) || log.blockHash === null) continue;
    const body = decodeBody(deployment, log);
    if (body === undefined) continue;
    const place = {
      block: Number(log.blockNumber),
      blockHash: log.blockHash,
      blockAt: blockAt(log.blockHash),
      txHash: log.transactionHash ?? '0x',
      logIndex: Number(log.logIndex),
    } as const;
    const before = facts.at(-1);
    const isCause = before?.type === 'SessionClosed' && before.place.txHash === place.txHash;
    facts.splice(isCause ? -1 : facts.length, 0, { ...body, place });
  }
  return facts;
}

function decodeBody(deployment: Deployment, log: RawLog): ChainFactBody | undefined {
  const event = log.topics[0] === undefined ? undefined : eventBySelector.get(log.topics[0]);
  if (event === undefined) return undefined;
  const decoded: Decoded = decodeEventLog({
    abi: [event] as readonly ContractEvent[],
    topics: log.topics,
    data: log.data,
  });
  const session = (number: bigint): SessionId => sessionId(deployment.chainId, deployment.sessions, number);
  return (
    nodeFact(decoded) ??
    registryFact(decoded) ??
    sessionFact(decoded, session) ??
    sessionChangeFact(decoded, session) ??
    taskStartFact(decoded, session) ??
    taskEndFact(decoded, session) ??
    appealFact(decoded, session) ??
    batchFact(decoded) ??
    roundFact(decoded)
  );
}

/** The id of a session of the deployment by its number. */
export type SessionOf = (number: bigint) => SessionId;

function nodeFact(log: Decoded): ChainFactBody | undefined {
  const type = log.eventName;
  switch (type) {
    case 'NodeRegistered': {
      const { node, number, roles, key, stakeWei, metadataUri } = log.args;
      return { type, node: toAddress(node), number, roles: rolesIn(roles), key, stakeWei: wei(stakeWei), metadataUri };
    }
    case 'NodeActiveSet':
      return { type, node: toAddress(log.args.node), active: log.args.active };
    case 'StakeSlashed': {
      const { node, ref, amountWei, reason } = log.args;
      return { type, node: toAddress(node), ref, amountWei: wei(amountWei), reason: at(slashReasons, reason) };
    }
    case 'StakeAdded':
    case 'StakeWithdrawn':
      return { type, node: toAddress(log.args.node), amountWei: wei(log.args.amountWei) };
    case 'UnstakeRequested':
      return { type, node: toAddress(log.args.node), unbondsAt: milliseconds(log.args.unbondsAt) };
    case 'EarningsWithdrawn':
      return { type, account: toAddress(log.args.account), amountWei: wei(log.args.amountWei) };
    default:
      return undefined;
  }
}

function sessionFact(log: Decoded, session: SessionOf): ChainFactBody | undefined {
  const type = log.eventName;
  switch (type) {
    case 'SessionOpened': {
      const { sessionId: number, client, terms, routers, dedicatedMiners } = log.args;
      const lists = { routers: routers.map(toAddress), dedicatedMiners: dedicatedMiners.map(toAddress) };
      return { type, session: session(number), client: toAddress(client), terms: { ...toRules(terms), ...lists } };
    }
    case 'SessionDeposited': {
      const { sessionId: number, from, amountWei } = log.args;
      return { type, session: session(number), from: toAddress(from), amountWei: wei(amountWei) };
    }
    case 'SessionDraining':
      return { type, session: session(log.args.sessionId) };
    case 'SessionClosed':
      return { type, session: session(log.args.sessionId), refundedWei: wei(log.args.refundedWei) };
    case 'LogAnchored': {
      const { epoch, by, root, manifestDigest, commits } = log.args;
      return { type, epoch: Number(epoch), by: toAddress(by), root, manifestDigest, commits: Number(commits) };
    }
    default:
      return undefined;
  }
}

function taskStartFact(log: Decoded, session: SessionOf): ChainFactBody | undefined {
  const type = log.eventName;
  switch (type) {
    case 'TaskSubmitted': {
      const { sessionId: number, taskId, requestId, by, promptDigest, maxTokens, maxPriceWei } = log.args;
      const price = { maxTokens, maxPriceWei: wei(maxPriceWei) };
      return {
        type,
        session: session(number),
        task: task(taskId),
        requestId,
        by: toAddress(by),
        promptDigest,
        ...price,
      };
    }
    case 'StepSubmitted': {
      const { sessionId: number, taskId, requestId, by, templateDigest, maxTokens, maxPriceWei, step } = log.args;
      const asked = { requestId, by: toAddress(by), promptDigest: templateDigest, maxTokens };
      const place = { maxPriceWei: wei(maxPriceWei), step, after: log.args.parents.map(task) };
      return { type: 'TaskSubmitted', session: session(number), task: task(taskId), ...asked, ...place };
    }
    case 'MinersAssigned': {
      const { sessionId: number, taskId, miners, validators, beaconBlock, beacon, selectionDigest, ackBy } = log.args;
      const nodes = { miners: miners.map(toAddress), validators: validators.map(toAddress) };
      const selection = { beaconBlock: Number(beaconBlock), beacon, selectionDigest };
      return { type, session: session(number), task: task(taskId), ...nodes, ...selection, ackBy: milliseconds(ackBy) };
    }
    case 'TaskAcked': {
      const { sessionId: number, taskId, miner, precommitBy } = log.args;
      const by = { precommitBy: milliseconds(precommitBy) };
      return { type, session: session(number), task: task(taskId), miner: toAddress(miner), ...by };
    }
    case 'TaskPrecommitted': {
      const { sessionId: number, taskId, miner, hash } = log.args;
      return { type, session: session(number), task: task(taskId), miner: toAddress(miner), hash };
    }
    case 'AllPrecommitted': {
      const { sessionId: number, taskId, revealBy } = log.args;
      return { type, session: session(number), task: task(taskId), revealBy: milliseconds(revealBy) };
    }
    case 'TaskRevealed': {
      const { sessionId: number, taskId, miner, resultRoot, resultDigest } = log.args;
      return { type, session: session(number), task: task(taskId), miner: toAddress(miner), resultRoot, resultDigest };
    }
    case 'AllRevealed': {
      const { sessionId: number, taskId, attestBy } = log.args;
      return { type, session: session(number), task: task(taskId), attestBy: milliseconds(attestBy) };
    }
    default:
      return undefined;
  }
}

function taskEndFact(log: Decoded, session: SessionOf): ChainFactBody | undefined {
  const type = log.eventName;
  switch (type) {
    case 'MinerReassigned': {
      const { sessionId: number, taskId, miner, replacement, attempt, oracle, ackBy } = log.args;
      const next = /^0x0+$/.test(replacement) ? null : toAddress(replacement);
      const slot = { miner: toAddress(miner), replacement: next, attempt, oracle: toAddress(oracle) };
      return { type, session: session(number), task: task(taskId), ...slot, ackBy: milliseconds(ackBy) };
    }
    case 'ResultAttested': {
      const { sessionId: number, taskId, validator, reportDigest } = log.args;
      return { type, session: session(number), task: task(taskId), validator: toAddress(validator), reportDigest };
    }
    case 'ResultValidated': {
      const { sessionId: number, taskId, winner, honest, promptTokens, outputTokens, reportDigest } = log.args;
      const verdict = { winner: toAddress(winner), honest: honest.map(toAddress), promptTokens, outputTokens };
      return { type, session: session(number), task: task(taskId), ...verdict, reportDigest };
    }
    case 'TaskSettled': {
      const { sessionId: number, taskId, priceWei, returnedWei, payments, manifestDigest } = log.args;
      const money = { priceWei: wei(priceWei), returnedWei: wei(returnedWei), payments: payments.map(toPayment) };
      return { type, session: session(number), task: task(taskId), ...money, manifestDigest };
    }
    case 'TaskRefunded': {
      const { sessionId: number, taskId, returnedWei, reason } = log.args;
      const refund = { returnedWei: wei(returnedWei), reason: at(refundReasons, reason) };
      return { type, session: session(number), task: task(taskId), ...refund };
    }
    default:
      return undefined;
  }
}

// In the order of the contracts' enums.
const slashReasons = ['outlier', 'unrevealed', 'contradicted', 'fraudulent', 'withheld', 'absent'] as const;
const refundReasons = ['cancelled', 'expired', 'exhausted', 'parent_failed'] as const;
const shares = ['miner', 'validator', 'router', 'oracle', 'treasury'] as const satisfies readonly Payment['role'][];

function task(id: Hex): TaskId {
  return id.toLowerCase() as TaskId;
}

function milliseconds(seconds: number): number {
  return seconds * 1_000;
}

function toPayment(payment: { to: Address | Hex; role: number; amountWei: bigint }): Payment {
  return { to: toAddress(payment.to), role: at(shares, payment.role), amountWei: wei(payment.amountWei) };
}

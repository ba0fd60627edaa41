import { type Address, roles, toAddress } from '../../core/ids.ts';
import { type PoolRole, roundFailures, type RoundFact, roundStates } from '../../core/round-fact.ts';
import { at, type Decoded } from './fact-events.ts';

/** What an event says about idle rounds; undefined for the others. */
export function roundFact(log: Decoded): RoundFact | undefined {
  const type = log.eventName;
  switch (type) {
    case 'PoolJoined':
    case 'PoolLeft':
      return { type, role: at(roles, log.args.role - 1) as PoolRole, node: toAddress(log.args.node) };
    case 'RoundRequested': {
      const { round, by, beaconBlock, drawBy } = log.args;
      return { type, round: Number(round), by: toAddress(by), ...drawAt(beaconBlock, drawBy) };
    }
    case 'CrewDrawn': {
      const { round, beacon, creator, preparer, standbys, createBy } = log.args;
      const crew = { creator: toAddress(creator), preparer: toAddress(preparer), standbys: standbys.map(toAddress) };
      return { type, round: Number(round), beacon, ...crew, createBy: milliseconds(createBy) };
    }
    case 'RoundCreated': {
      const { round, creator, topicDigest, prepareBy } = log.args;
      return {
        type,
        round: Number(round),
        creator: toAddress(creator),
        topicDigest,
        prepareBy: milliseconds(prepareBy),
      };
    }
    case 'RoundPrepared': {
      const { round, preparer, questionsDigest, beaconBlock, drawBy } = log.args;
      const made = { preparer: toAddress(preparer), questionsDigest };
      return { type, round: Number(round), ...made, ...drawAt(beaconBlock, drawBy) };
    }
    case 'RoundStarted': {
      const { round, beacon, miners, validators, precommitBy } = log.args;
      const nodes = { miners: miners.map(toAddress), validators: validators.map(toAddress) };
      return { type, round: Number(round), beacon, ...nodes, precommitBy: milliseconds(precommitBy) };
    }
    default:
      return answersFact(log) ?? endFact(log);
  }
}

function answersFact(log: Decoded): RoundFact | undefined {
  const type = log.eventName;
  switch (type) {
    case 'AnswerPrecommitted':
      return { type, round: Number(log.args.round), miner: toAddress(log.args.miner), hash: log.args.hash };
    case 'AnswersPrecommitted':
      return { type, round: Number(log.args.round), revealBy: milliseconds(log.args.revealBy) };
    case 'AnswerRevealed': {
      const { round, miner, resultRoot, resultDigest } = log.args;
      return { type, round: Number(round), miner: toAddress(miner), resultRoot, resultDigest };
    }
    case 'AnswersRevealed':
      return { type, round: Number(log.args.round), validateBy: milliseconds(log.args.validateBy) };
    default:
      return undefined;
  }
}

function endFact(log: Decoded): RoundFact | undefined {
  const type = log.eventName;
  switch (type) {
    case 'NodeMissed': {
      const { round, node, phase, replacement } = log.args;
      const missed = { node: toAddress(node), phase: at(roundStates, phase), replacement: somebody(replacement) };
      return { type, round: Number(round), ...missed };
    }
    case 'RoundEnded': {
      const { round, datasetDigest, honest, validators } = log.args;
      return { type, round: Number(round), datasetDigest, honest, validators: validators.map(toAddress) };
    }
    case 'RoundFailed':
      return { type, round: Number(log.args.round), reason: at(roundFailures, log.args.reason) };
    case 'IdleWorkCredited': {
      const { epoch, round, node, credits } = log.args;
      return { type, epoch: Number(epoch), round: Number(round), node: toAddress(node), credits: Number(credits) };
    }
    default:
      return undefined;
  }
}

function drawAt(beaconBlock: bigint, drawBy: number): { readonly beaconBlock: number; readonly drawBy: number } {
  return { beaconBlock: Number(beaconBlock), drawBy: milliseconds(drawBy) };
}

function milliseconds(seconds: number): number {
  return seconds * 1_000;
}

/** Nobody where the contract has the zero address. */
function somebody(address: string): Address | null {
  return /^0x0+$/.test(address) ? null : toAddress(address);
}

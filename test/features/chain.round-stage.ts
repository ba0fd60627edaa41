import { expect } from 'vitest';
import { type Hex, hashJson } from '../../src/core/hash.ts';
import type { Address, TaskId } from '../../src/core/ids.ts';
import { numberedPrecommitHash } from '../../src/core/precommit.ts';
import type { PoolRole } from '../../src/core/round-fact.ts';
import { roundTask } from '../../src/core/round-draw.ts';
import { roundOutcomeDigest, type RoundOutcome } from '../../src/core/round-outcome.ts';
import { signatureBytes } from '../../src/core/signature-bytes.ts';
import type { ChainCall, ChainFact } from '../../src/ports/chain.ts';
import { type ChainHarness, effect } from './chain.harness.ts';

/** A fact of one type. */
export type Fact<Type extends ChainFact['type']> = Extract<ChainFact, { readonly type: Type }>;

/** A prepared chain on which rounds are played. */
export type RoundStageHarness = Pick<ChainHarness, 'chain' | 'cast' | 'passTime'>;

/** 32 bytes that stand for a text. */
export const roundDigest = (text: string): Hex => `0x${hashJson(text)}`;

const salt = roundDigest('salt');

/** The seconds of a slot of the prepared chain. */
export const slotS = 600;

/** The only fact of a type; it must be there. */
export function only<Type extends ChainFact['type']>(facts: readonly ChainFact[], type: Type): Fact<Type> {
  const found = facts.filter((fact): fact is Fact<Type> => fact.type === type);
  expect(found.map((fact) => fact.type)).toEqual([type]);
  return found[0] as Fact<Type>;
}

/** Plays rounds with the calls of the Chain port: the part of everybody in them. */
export class RoundStage {
  readonly #on: RoundStageHarness;
  readonly #joined = new Set<Address>();
  #sent = 0;

  constructor(on: RoundStageHarness) {
    this.#on = on;
  }

  /** The miners that a round may draw. */
  get miners(): Address[] {
    return [...this.#on.cast.miners, this.#on.cast.spareMiner];
  }

  /** Sends a call. @returns its facts. */
  async send(from: Address, call: ChainCall): Promise<readonly ChainFact[]> {
    this.#sent += 1;
    return (await this.#on.chain.send(from, call, effect(`stage-${this.#sent}`))).facts;
  }

  /** Puts everybody into the pools who is in none yet. */
  async join(): Promise<void> {
    for (const miner of this.miners) await this.#joinOne('miner', miner);
    for (const validator of this.#on.cast.validators) await this.#joinOne('validator', validator);
  }

  async #joinOne(role: PoolRole, node: Address): Promise<void> {
    if (this.#joined.has(node)) return;
    await this.send(node, { call: 'joinPool', role });
    this.#joined.add(node);
  }

  /** Asks for the round of this slot. */
  async request() {
    return only(await this.send(this.#on.cast.oracle, { call: 'requestRound' }), 'RoundRequested');
  }

  /** Draws who makes the questions. */
  async draw({ round, beaconBlock }: Fact<'RoundRequested'>) {
    await this.#on.chain.waitForBlock(beaconBlock + 1);
    return only(await this.send(this.#on.cast.oracle, { call: 'drawCrew', round }), 'CrewDrawn');
  }

  async create({ round, creator }: Fact<'CrewDrawn'>) {
    const call = { call: 'createRound', round, topicDigest: roundDigest('topic') } as const;
    return only(await this.send(creator, call), 'RoundCreated');
  }

  async prepare({ round, preparer }: Fact<'CrewDrawn'>) {
    const call = { call: 'prepareRound', round, questionsDigest: roundDigest('questions') } as const;
    return only(await this.send(preparer, call), 'RoundPrepared');
  }

  /** Draws who answers and who judges. */
  async start({ round, beaconBlock }: Fact<'RoundPrepared'>) {
    await this.#on.chain.waitForBlock(beaconBlock + 1);
    return only(await this.send(this.#on.cast.oracle, { call: 'startRound', round }), 'RoundStarted');
  }

  /** Brings the round of this slot to its answers. */
  async begin() {
    const requested = await this.request();
    const crew = await this.draw(requested);
    await this.create(crew);
    const prepared = await this.prepare(crew);
    return { round: requested.round, requested, crew, prepared, begun: await this.start(prepared) };
  }

  /** What a miner is bound to by its precommitment. */
  bound(round: number, miner: Address): Hex {
    const { chainId, network } = this.#on.chain.deployment;
    const task = roundTask(chainId, network, round) as TaskId;
    const of = { chainId, queueContract: network, session: round, task, step: 2, attempt: 0 };
    return numberedPrecommitHash({ ...of, miner, resultRoot: roundDigest(miner), salt });
  }

  precommit(round: number, miner: Address): Promise<readonly ChainFact[]> {
    return this.send(miner, { call: 'precommitAnswers', round, hash: this.bound(round, miner) });
  }

  /** Shows the answers of a miner, as `by`. */
  reveal(round: number, miner: Address, by = miner): Promise<readonly ChainFact[]> {
    const shown = { resultRoot: roundDigest(by), salt, resultDigest: roundDigest(`${by}'s`) };
    return this.send(miner, { call: 'revealAnswers', round, ...shown });
  }

  /** Signs an outcome as validators; in the order of their addresses. */
  async sign(outcome: RoundOutcome): Promise<Hex[]> {
    const { chainId, network } = this.#on.chain.deployment;
    const hash = roundOutcomeDigest(chainId, network, outcome);
    const signatures: Hex[] = [];
    for (const one of this.#on.cast.validators.toSorted())
      signatures.push(signatureBytes(await this.#on.chain.signDigest(one, hash)));
    return signatures;
  }

  /** Ends a round with an outcome. */
  end(outcome: RoundOutcome, signatures: readonly Hex[]): Promise<readonly ChainFact[]> {
    return this.send(this.#on.cast.router, { call: 'endRound', ...outcome, signatures });
  }
}

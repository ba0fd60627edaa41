import type { NetworkContext, PartRole } from '../../../actors/network/context.ts';
import type { NetworkCommand } from '../../../actors/network/decide.ts';
import { networkActor } from '../../../actors/network/definition.ts';
import type {
  CreateRound,
  DriveRound,
  EndRound,
  JoinPool,
  JudgeRound,
  MakeAnswers,
  MakeQuestions,
  MakeTopic,
  PrecommitAnswers,
  PrepareRound,
  QuitPool,
  RequestRound,
  RevealAnswers,
} from '../../../actors/network/effects.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import type { Commit } from '../../core/commit.ts';
import { errorCode } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { type Address, streamId, type StreamId } from '../../core/ids.ts';
import type { RoundsChain } from '../../ports/rounds.ts';
import type { EffectHandler } from '../../runtime/actor.ts';
import { LatestState } from '../carry/latest-state.ts';
import type { NodeBase } from '../node-base.ts';
import type { Comparer } from '../validator/compare.ts';
import { RoundDriver } from './drive.ts';
import type { IdleGate } from './idle-gate.ts';
import { RoundJudge } from './judges.ts';
import { RoundMaker, type RoundModel } from './make.ts';
import { joinPool, quitPool } from './pool.ts';
import type { RoundGround } from './round-ground.ts';

/** What a node's part in idle rounds is made of. */
export interface IdleOptions {
  readonly rounds: RoundsChain;
  readonly gate: IdleGate;
  /** Whether it takes part; one that does not and is in a pool leaves it. */
  readonly takesPart: boolean;
  /** How long a node waits for each that stands before it to act first, in milliseconds. */
  readonly turnMs: number;
}

/** A node's part in idle rounds, beside its paying work: a stream of its own, `network.<address>`, in the node's host. */
export class IdleRounds {
  /** For the node's host. */
  readonly actor = networkActor;
  readonly handlers: Readonly<Record<string, EffectHandler>>;
  readonly #options: IdleOptions;
  readonly #role: PartRole;
  readonly #stream: StreamId;
  readonly #base: () => NodeBase;
  readonly #judge: RoundJudge | undefined;
  readonly #latest: LatestState<NetworkContext>;

  /** @param base the node's, once it is there. */
  constructor(
    role: PartRole,
    address: Address,
    base: () => NodeBase,
    options: IdleOptions,
    parts: { readonly model?: RoundModel; readonly comparer?: Comparer },
  ) {
    this.#options = options;
    this.#role = role;
    this.#base = base;
    this.#stream = streamId('network', address);
    this.#latest = new LatestState<NetworkContext>(networkActor.fold.initial, () =>
      base().host.state(networkActor, this.#stream),
    );
    const ground = this.#ground();
    this.#judge = parts.comparer === undefined ? undefined : new RoundJudge(ground, parts.comparer);
    this.handlers = {
      joinPool: (effect, context) => joinPool(ground, effect as JoinPool, context),
      quitPool: (effect, context) => quitPool(ground, effect as QuitPool, context),
      ...(role === 'oracle' ? drivers(new RoundDriver(ground)) : {}),
      ...(parts.model === undefined ? {} : makers(new RoundMaker(ground, parts.model))),
      ...(this.#judge === undefined ? {} : judges(this.#judge)),
    };
  }

  /** The newest state that this process knows of. */
  get state(): Folded<NetworkContext> {
    return this.#latest.state;
  }

  /** A commit of the node's host was made. */
  see({ stream, version }: Commit, state: Folded<unknown>): void {
    if (stream === this.#stream) this.#latest.see(state as Folded<NetworkContext>, version);
  }

  /** Takes part, or leaves the pool that an earlier start has entered. Nobody who never took part writes anything. */
  async start(): Promise<void> {
    const { takesPart, rounds } = this.#options;
    try {
      await this.#latest.refresh();
    } catch (error) {
      // Servers that were set up before there were idle rounds do not let a node keep this stream, and it has none.
      if (takesPart || errorCode(error) !== 'nats_forbidden') throw error;
      return;
    }
    this.#judge?.listen();
    const { value, context } = this.#latest.state;
    if (!takesPart) {
      if (value !== 'off' && value !== 'leaving') await this.#dispatch({ type: 'LeaveRounds' }, 'start');
      return;
    }
    if (value !== 'off' && value !== 'leaving' && context.node !== null) return;
    const [terms, state] = await Promise.all([rounds.terms(), rounds.state()]);
    const { startsAt, slotS, createS, prepareS } = terms;
    const times = { startsAt, slotMs: slotS * 1_000, createMs: createS * 1_000, prepareMs: prepareS * 1_000 };
    const { newest } = state;
    const isOver = newest === undefined || newest.state === 'ended' || newest.state === 'failed';
    // Rounds that are over are none of a newcomer's; in one that is on it may still have a part, from its request on.
    const from = isOver ? { block: state.block, logIndex: Number.MAX_SAFE_INTEGER } : { block: 0, logIndex: -1 };
    const firstRound = (newest?.round ?? 0) + (isOver ? 1 : 0);
    const node = this.#base().identity.address;
    await this.#dispatch({ type: 'TakePart', node, role: this.#role, times, from, firstRound }, 'start');
  }

  async onFacts(facts: readonly ChainFact[]): Promise<void> {
    if (this.#latest.state.context.node === null) return;
    for (const fact of facts) {
      if (!('round' in fact) && fact.type !== 'PoolJoined' && fact.type !== 'PoolLeft') continue;
      await this.#dispatch({ type: 'SeeFact', fact }, `chain:${fact.place.txHash}:${fact.place.logIndex}`);
    }
  }

  /** What a reorg takes back is told again, or other facts are: they move the round wherever it was. */
  async onRemoved(facts: readonly ChainFact[]): Promise<void> {
    for (const { place } of facts.filter((fact) => 'round' in fact))
      await this.#dispatch({ type: 'ForgetFact', place }, `reorg:${place.txHash}:${place.logIndex}`);
  }

  async #dispatch(command: NetworkCommand, cause: string): Promise<void> {
    await this.#base().dispatch(networkActor, this.#stream, command, cause);
  }

  #ground(): RoundGround {
    const { rounds, gate, turnMs } = this.#options;
    const base = this.#base;
    return {
      get base() {
        return base();
      },
      rounds,
      gate,
      turnMs,
      latest: this.#latest,
      dispatch: (command, cause) => this.#dispatch(command, cause),
    };
  }
}

function drivers(driver: RoundDriver): Readonly<Record<string, EffectHandler>> {
  return {
    requestRound: (effect, context) => driver.requestRound(effect as RequestRound, context),
    driveRound: (effect, context) => driver.driveRound(effect as DriveRound, context),
  };
}

function makers(maker: RoundMaker): Readonly<Record<string, EffectHandler>> {
  return {
    makeTopic: (effect, context) => maker.makeTopic(effect as MakeTopic, context),
    createRound: (effect, context) => maker.createRound(effect as CreateRound, context),
    makeQuestions: (effect, context) => maker.makeQuestions(effect as MakeQuestions, context),
    prepareRound: (effect, context) => maker.prepareRound(effect as PrepareRound, context),
    makeAnswers: (effect, context) => maker.makeAnswers(effect as MakeAnswers, context),
    precommitAnswers: (effect, context) => maker.precommitAnswers(effect as PrecommitAnswers, context),
    revealAnswers: (effect, context) => maker.revealAnswers(effect as RevealAnswers, context),
  };
}

function judges(judge: RoundJudge): Readonly<Record<string, EffectHandler>> {
  return {
    judgeRound: (effect, context) => judge.judgeRound(effect as JudgeRound, context),
    endRound: (effect, context) => judge.endRound(effect as EndRound, context),
  };
}

import type { ValidationContext, ValidatorContext } from '../../../actors/validator/context.ts';
import { validatorActor } from '../../../actors/validator/definition.ts';
import type { ValidatorCommand } from '../../../actors/validator/decide.ts';
import type { AttestOnChain, ScoreResults } from '../../../actors/validator/effects.ts';
import { openValidationCount } from '../../../actors/validator/validations.ts';
import type { AttestOnAppeal, JudgeHearing } from '../../../actors/validator/hearing-machine.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Folded } from '../../core/fold.ts';
import { type Address, streamId, type TaskId } from '../../core/ids.ts';
import { validationBody } from '../../messages/bodies.ts';
import type { Inference } from '../../ports/inference.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import type { FactReader } from '../fact-pump.ts';
import { signedVerdict, tellOwner } from '../batch-parts.ts';
import { LatestState } from '../carry/latest-state.ts';
import { NodeBase } from '../node-base.ts';
import { type IdleOptions, IdleRounds } from '../rounds/idle-rounds.ts';
import { attest } from './attest.ts';
import { attestOnAppeal, type HearingParts, judgeHearing } from './hearings.ts';
import type { NodeIdentity, NodePorts } from '../ports.ts';
import { DrawnTasks } from './drawn-tasks.ts';
import { scoreResults } from './score.ts';

/** How often a validator that drains looks whether it is done, in milliseconds. */
const drainLookMs = 50;

/** What a validator is started with. */
export interface ValidatorOptions {
  readonly identity: NodeIdentity;
  readonly ports: NodePorts;
  readonly inference: Inference;
  /** The embedding model it compares answers with. */
  readonly embedder: string;
  /** Its part in idle rounds; none where this is left out. */
  readonly idle?: IdleOptions | undefined;
}

/** Compares revealed results, pins its report and attests the verdict; where it is drawn for an appeal, once more. */
export class ValidatorNode implements FactReader {
  readonly base: NodeBase;
  /** Its part in idle rounds; undefined where it has none. */
  readonly idle: IdleRounds | undefined;
  readonly #options: ValidatorOptions;
  readonly #stream;
  readonly #drawn: DrawnTasks;
  #isDraining = false;
  #say: () => void = () => undefined;
  readonly #latest = new LatestState<ValidatorContext>(validatorActor.fold.initial, () =>
    this.base.host.state(validatorActor, this.#stream),
  );

  constructor(options: ValidatorOptions) {
    this.#options = options;
    this.#stream = streamId('validator', options.identity.address);
    this.#drawn = new DrawnTasks(options.identity.address);
    const { idle, inference, embedder } = options;
    if (idle !== undefined)
      this.idle = new IdleRounds('validator', options.identity.address, () => this.base, idle, {
        comparer: { inference, embedder },
      });
    this.base = new NodeBase(options.identity, options.ports, {
      actors: this.idle === undefined ? [validatorActor] : [validatorActor, this.idle.actor],
      handlers: {
        scoreResults: (effect, context) => this.#score(effect as ScoreResults, context),
        attestOnChain: (effect, context) => this.#attest(effect as AttestOnChain, context),
        judgeHearing: (effect, context) => judgeHearing(this.#hearings(), effect as JudgeHearing, context),
        attestOnAppeal: (effect, context) => attestOnAppeal(this.#hearings(), effect as AttestOnAppeal, context),
        ...this.idle?.handlers,
      },
      onCommit: (commit, state) => {
        if (commit.stream === this.#stream) this.#latest.see(state as Folded<ValidatorContext>, commit.version);
        this.idle?.see(commit, state);
      },
    });
    idle?.gate.watch(() => openValidationCount(this.#latest.state.context));
  }

  get address(): Address {
    return this.#options.identity.address;
  }

  /** Takes up unfinished validations, then listens for new ones. */
  async start(): Promise<void> {
    await this.#dispatch({ type: 'StartValidator', validator: this.address }, 'start');
    this.base.onCommand('validate', 'router', validationBody, ({ id, from, body }) => {
      const { batch, ...asked } = body;
      const signing = batch === undefined ? {} : { batch: { router: from, ...batch } };
      return this.#dispatch({ type: 'ReceiveValidation', ...asked, ...signing, router: from }, id);
    });
    this.#say = this.base.startHeartbeat(() => {
      return { models: [this.#options.embedder], load: 0, capacity: 1, draining: this.#isDraining };
    });
    await this.#latest.refresh();
    await this.idle?.start();
  }

  async onFacts(facts: readonly ChainFact[]): Promise<void> {
    await this.idle?.onFacts(facts);
    for (const fact of facts) {
      this.#drawn.see(fact);
      if ('task' in fact)
        await this.#dispatch({ type: 'SeeFact', fact }, `chain:${fact.place.txHash}:${fact.place.logIndex}`);
    }
  }

  /** A validator's facts come again with the same transactions; its sender sees to that. */
  async onRemoved(facts: readonly ChainFact[]): Promise<void> {
    await this.idle?.onRemoved(facts);
  }

  /** Says that it takes no new task, and judges those that it was drawn for; whom it leaves the other validators judge. */
  async drain(graceMs: number): Promise<void> {
    this.#isDraining = true;
    this.#say();
    const { clock } = this.base.ports;
    const until = clock.now() + graceMs;
    while (this.#unjudged().length > 0 && clock.now() < until) await clock.sleep(drainLookMs);
  }

  /** What would be left undone should it end now: a line for each task. */
  left(): readonly string[] {
    return this.#unjudged().map((task) => `${task} (not judged: the other validators do)`);
  }

  async stop(graceMs: number): Promise<void> {
    await this.base.stop(graceMs);
  }

  #unjudged(): readonly TaskId[] {
    return this.#drawn.unjudged(this.#latest.state.context);
  }

  #hearings(): HearingParts {
    const { inference, embedder } = this.#options;
    return { base: this.base, inference, embedder, dispatch: (command, cause) => this.#dispatch(command, cause) };
  }

  async #dispatch(command: ValidatorCommand, cause: string): Promise<void> {
    await this.base.dispatch(validatorActor, this.#stream, command, cause);
  }

  async #score(request: ScoreResults, { id, signal }: EffectContext): Promise<void> {
    const { chain, content, clock } = this.base.ports;
    const { inference, embedder } = this.#options;
    const scores = await scoreResults({ chain, content, clock, inference, embedder }, request, signal);
    await this.#dispatch({ type: 'Score', task: request.task, ...scores }, id);
  }

  async #attest(effect: AttestOnChain, context: EffectContext): Promise<void> {
    const { task, report } = effect;
    const { base } = this;
    await base.ports.content.put(report);
    await base.ports.content.flush();
    if (effect.batch !== undefined) {
      await tellOwner(base, effect.batch.router, await signedVerdict(base, effect), context.id);
      await this.#dispatch({ type: 'SeeTaken', task }, context.id);
      return;
    }
    await this.#latest.refresh();
    const validation = (): Folded<ValidationContext> | undefined => this.#latest.state.context.validations[task];
    try {
      await attest({ base, changes: this.#latest.changes, validation }, effect, context);
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      await this.#dispatch(
        { type: 'EffectFailed', effect: 'attestOnChain', task, code: 'chain_reverted', reason: errorMessage(error) },
        context.id,
      );
    }
  }
}

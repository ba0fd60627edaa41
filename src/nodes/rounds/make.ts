import type {
  CreateRound,
  MakeAnswers,
  MakeQuestions,
  MakeTopic,
  PrecommitAnswers,
  PrepareRound,
  RevealAnswers,
} from '../../../actors/network/effects.ts';
import { digestToCid } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Cid } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { limits } from '../../core/limits.ts';
import { numberedPrecommitHash, type ResultContent } from '../../core/precommit.ts';
import { answersRoot, questionsOf, roundSalt, roundSteps, topicPrompt, topicSeed } from '../../core/round-work.ts';
import { type AnswersContent, type QuestionsContent, questionsContent, topicContent } from '../../messages/rounds.ts';
import type { GenerateRequest, Inference, Sampling } from '../../ports/inference.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import { readContent } from './read-content.ts';
import { failStep, type RoundGround, roundIn, sendStep, taskOf } from './round-ground.ts';

/** What a miner makes its part of a round with. */
export interface RoundModel {
  readonly inference: Inference;
  readonly model: string;
}

/** Greedy, so that miners with one model agree. */
const greedy: Sampling = { temperature: 0, topP: 1, topK: 0, seed: `0x${'00'.repeat(32)}` };

/** A miner's part in rounds: real inference while nothing is in hand, and the chain told of it. */
export class RoundMaker {
  readonly #ground: RoundGround;
  readonly #model: RoundModel;

  constructor(ground: RoundGround, model: RoundModel) {
    this.#ground = ground;
    this.#model = model;
  }

  async makeTopic({ round }: MakeTopic, context: EffectContext): Promise<void> {
    const { address: miner } = this.#ground.base.identity;
    const task = taskOf(this.#ground, round);
    const isWanted = (): boolean =>
      roundIn(this.#ground, round, 'creating', ({ creator }) => creator === miner) !== undefined;
    await this.#make(round, 'makeTopic', isWanted, context, async (signal) => {
      const sampling = { temperature: 0.8, topP: 0.95, topK: 0, seed: topicSeed(task, miner) };
      const { text } = await this.#generate(topicPrompt, limits.roundTopicTokensMax, sampling, signal);
      const { model } = this.#model;
      const topic = await this.#store({ kind: 'round-topic', v: 1, round, task, miner, model, text });
      await this.#ground.dispatch({ type: 'TellTopic', round, topic }, context.id);
    });
  }

  async makeQuestions({ round, topicDigest }: MakeQuestions, context: EffectContext): Promise<void> {
    const { address: miner } = this.#ground.base.identity;
    const task = taskOf(this.#ground, round);
    const isWanted = (): boolean =>
      roundIn(this.#ground, round, 'preparing', ({ preparer }) => preparer === miner) !== undefined;
    await this.#make(round, 'makeQuestions', isWanted, context, async (signal) => {
      const topic = digestToCid(topicDigest);
      const { text } = await readContent(this.#ground, topic, topicContent, signal);
      const made = { kind: 'round-questions', v: 1, round, task, miner, topic } as const;
      const content: QuestionsContent = { ...made, questions: questionsOf(text, task) };
      const questions = await this.#store(content);
      await this.#ground.dispatch({ type: 'TellQuestions', round, questions }, context.id);
    });
  }

  async makeAnswers({ round, questionsDigest }: MakeAnswers, context: EffectContext): Promise<void> {
    const { address: miner } = this.#ground.base.identity;
    const task = taskOf(this.#ground, round);
    const isWanted = (): boolean =>
      roundIn(this.#ground, round, 'answering', ({ answers }) => answers === null) !== undefined;
    await this.#make(round, 'makeAnswers', isWanted, context, async (signal) => {
      const questions = digestToCid(questionsDigest);
      const asked = await readContent(this.#ground, questions, questionsContent, signal);
      const answers: AnswersContent['answers'] = [];
      for (const question of asked.questions) {
        const made = await this.#generate(question, limits.roundAnswerTokensMax, greedy, signal);
        answers.push({ ...made, tokens: [...made.tokens] });
      }
      const { model } = this.#model;
      const content = { kind: 'round-answers', v: 1, round, task, miner, model, questions, answers } as const;
      const result = await this.#store(content);
      await this.#ground.dispatch({ type: 'TellAnswers', round, resultRoot: answersRoot(answers), result }, context.id);
    });
  }

  createRound({ round, topicDigest }: CreateRound, context: EffectContext): Promise<void> {
    return sendStep(this.#ground, round, { call: 'createRound', round, topicDigest }, context);
  }

  prepareRound({ round, questionsDigest }: PrepareRound, context: EffectContext): Promise<void> {
    return sendStep(this.#ground, round, { call: 'prepareRound', round, questionsDigest }, context);
  }

  precommitAnswers({ round, resultRoot }: PrecommitAnswers, context: EffectContext): Promise<void> {
    const { base } = this.#ground;
    const { chainId, network } = base.ports.chain.deployment;
    const task = taskOf(this.#ground, round);
    const hash = numberedPrecommitHash({
      chainId,
      queueContract: network,
      session: round,
      task,
      step: roundSteps.answers,
      attempt: 0,
      miner: base.identity.address,
      resultRoot,
      salt: this.#salt(task),
    });
    return sendStep(this.#ground, round, { call: 'precommitAnswers', round, hash }, context);
  }

  revealAnswers({ round, resultRoot, resultDigest }: RevealAnswers, context: EffectContext): Promise<void> {
    const salt = this.#salt(taskOf(this.#ground, round));
    return sendStep(this.#ground, round, { call: 'revealAnswers', round, resultRoot, salt, resultDigest }, context);
  }

  #salt(task: Hex): Hex {
    return roundSalt(this.#ground.base.identity.signer, task);
  }

  /** Works while the process is idle and the round waits for it. What another attempt would only repeat is noted. */
  async #make(
    round: number,
    step: string,
    isWanted: () => boolean,
    { id, signal }: EffectContext,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { base, gate, latest } = this.#ground;
    await latest.refresh();
    if (!isWanted()) return;
    try {
      await gate.run(base.ports.clock, isWanted, work, AbortSignal.any([signal, base.stopping]));
    } catch (error) {
      // What is late may come: it is tried again for as long as the round waits.
      const isFinal = error instanceof PouwError && (error.class === 'invalid' || error.class === 'corrupt');
      if (signal.aborted || !isFinal) throw error;
      await failStep(this.#ground, round, step, error, id);
    }
  }

  async #store(content: Json): Promise<Cid> {
    const store = this.#ground.base.ports.content;
    const cid = await store.put(content);
    await store.flush();
    return cid;
  }

  async #generate(content: string, maxTokens: number, sampling: Sampling, signal: AbortSignal): Promise<ResultContent> {
    const { inference, model } = this.#model;
    const prompt = { messages: [{ role: 'user', content }] } as const;
    const request: GenerateRequest = { model, prompt, maxTokens, sampling, timeoutMs: generationTimeoutMs, signal };
    let streamed = '';
    for await (const event of inference.generate(request)) {
      if (event.type === 'token') streamed += event.text;
      if (event.type !== 'done') continue;
      signal.throwIfAborted();
      const { text, finishReason, promptTokens, outputTokens, tokens } = event;
      return { text: streamed + text, tokens, finishReason, promptTokens, outputTokens };
    }
    throw new PouwError('inference_failed', 'The model ended an answer of a round without a result.');
  }
}

/** Wall-clock bound of one generation; the phase of the round is usually over before. */
const generationTimeoutMs = 120_000;

import type { EndRound, JudgeRound } from '../../../actors/network/effects.ts';
import { cidToDigest } from '../../core/cid.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import { roundOutcomeDigest, type RoundOutcome } from '../../core/round-outcome.ts';
import { signatureBytes } from '../../core/signature-bytes.ts';
import { datasetContent, roundSignature, signRoundBody, type SignRoundBody } from '../../messages/rounds.ts';
import type { CompactSignature } from '../../ports/chain.ts';
import type { EffectContext } from '../../runtime/actor.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import type { Comparer } from '../validator/compare.ts';
import { agree, judgeRound } from './judge.ts';
import { readContent } from './read-content.ts';
import { failStep, type RoundGround, roundIn } from './round-ground.ts';

/** What this process has of the others' signatures: after a restart they are asked again, and sign the same. */
interface Gathered {
  readonly since: number;
  asked: number;
  readonly signatures: Map<Address, CompactSignature>;
}

/** How often the others are asked before a quorum without them is enough. */
const asksForAll = 4;

/** A validator's part in rounds: it judges, signs what others have found too, and brings the outcome to the chain. */
export class RoundJudge {
  readonly #ground: RoundGround;
  readonly #comparer: Comparer;
  readonly #gathered = new Map<EffectId, Gathered>();

  constructor(ground: RoundGround, comparer: Comparer) {
    this.#ground = ground;
    this.#comparer = comparer;
  }

  /** Signs for others from now on. */
  listen(): void {
    this.#ground.base.onCommand('sign-round', 'validator', signRoundBody, async ({ from, body }) => {
      const { r, vs } = await this.#sign(from, body);
      return { signature: { r, vs } };
    });
  }

  async judgeRound(effect: JudgeRound, { id, signal }: EffectContext): Promise<void> {
    const { base, gate, latest } = this.#ground;
    const { round } = effect;
    await latest.refresh();
    const isWanted = (): boolean => roundIn(this.#ground, round, 'validating') !== undefined;
    if (!isWanted()) return;
    const work = (until: AbortSignal) => judgeRound(this.#ground, this.#comparer, effect, until);
    try {
      const made = await gate.run(base.ports.clock, isWanted, work, AbortSignal.any([signal, base.stopping]));
      const dataset = await base.ports.content.put(made);
      await base.ports.content.flush();
      await this.#ground.dispatch({ type: 'TellJudgement', round, honest: made.honest, dataset }, id);
    } catch (error) {
      // What is late may come: it is tried again for as long as the round waits.
      const isFinal = error instanceof PouwError && ['invalid', 'conflict'].includes(error.class);
      if (signal.aborted || !isFinal) throw error;
      await failStep(this.#ground, round, 'judgeRound', error, id);
    }
  }

  /** Asks the others for their signatures, after those drawn before this one had their time for it. */
  async endRound(effect: EndRound, { id }: EffectContext): Promise<void> {
    const { base, latest, turnMs, rounds } = this.#ground;
    const { round, validators } = effect;
    const { clock } = base.ports;
    await latest.refresh();
    if (roundIn(this.#ground, round, 'validating') === undefined) {
      this.#gathered.delete(id);
      return;
    }
    const fresh = { since: clock.now(), asked: 0, signatures: new Map<Address, CompactSignature>() };
    const gathered = this.#gathered.get(id) ?? fresh;
    this.#gathered.set(id, gathered);
    const { signatures } = gathered;
    if (clock.now() >= gathered.since + Math.max(0, validators.indexOf(base.identity.address)) * turnMs) {
      const outcome = { round, datasetDigest: cidToDigest(effect.dataset), honest: effect.honest };
      await Promise.all(validators.map((validator) => this.#gather(validator, effect, outcome, signatures, id)));
      gathered.asked += 1;
      const quorum = await rounds.quorum(validators.length);
      const isWhole = signatures.size === validators.length || gathered.asked >= asksForAll;
      if (signatures.size >= quorum && isWhole) await this.#end(outcome, signatures, `${id}/${gathered.asked}`);
    }
    throw new NotYet('round_not_ended', `Round ${round} waits for its validators.`, { class: 'busy' });
  }

  async #gather(
    validator: Address,
    { round, dataset, honest }: EndRound,
    outcome: RoundOutcome,
    signatures: Map<Address, CompactSignature>,
    id: string,
  ): Promise<void> {
    if (signatures.has(validator)) return;
    const { base } = this.#ground;
    const { chain, log } = base.ports;
    const digest = this.#digestOf(outcome);
    try {
      if (validator === base.identity.address) {
        signatures.set(validator, await chain.signDigest(validator, digest));
        return;
      }
      const body = { round, dataset, honest };
      const { signature } = await base.ask('validator', validator, 'sign-round', id, body, roundSignature);
      if ((await chain.signerOf(digest, signature)) === validator) signatures.set(validator, signature);
      else log.warn('a signature of a round is not of who was asked', { round, validator });
    } catch (error) {
      const fields = { round, validator, code: errorCode(error), error: errorMessage(error) };
      log.debug('a validator has not signed the round', fields);
    }
  }

  async #end(outcome: RoundOutcome, signatures: ReadonlyMap<Address, CompactSignature>, id: string): Promise<void> {
    const { base } = this.#ground;
    // In the order of their addresses, as the contract wants them.
    const signed = [...signatures].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => signatureBytes(one));
    try {
      await base.send({ call: 'endRound', ...outcome, signatures: signed }, id as EffectId);
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      const { round } = outcome;
      base.ports.log.debug('a round was not ended', { round, error: errorMessage(error) });
    }
  }

  /** @throws PouwError `round_not_judged` where this one has no judgement (yet), `round_differs`, `sender_not_allowed`. */
  async #sign(from: Address, { round, dataset, honest }: SignRoundBody): Promise<CompactSignature> {
    const { base } = this.#ground;
    const known = roundIn(this.#ground, round, 'validating');
    if (known === undefined || known.judgement === null) {
      throw new PouwError('round_not_judged', `Round ${round} is not judged here.`, {
        class: 'unavailable',
        hint: 'Ask again: it may be on its way.',
      });
    }
    if (!known.validators.includes(from))
      throw new PouwError('sender_not_allowed', `${from} does not judge round ${round}.`, { class: 'forbidden' });
    const { stopping: signal } = base;
    const [own, other] = await Promise.all([
      readContent(this.#ground, known.judgement.dataset, datasetContent, signal),
      readContent(this.#ground, dataset, datasetContent, signal),
    ]);
    if (other.honest !== honest || !agree(own, other)) {
      throw new PouwError('round_differs', `Round ${round} has another outcome here.`, {
        class: 'conflict',
        why: `Its honest answers are ${own.honest} here, its data set is ${known.judgement.dataset}.`,
      });
    }
    const outcome = { round, datasetDigest: cidToDigest(dataset), honest };
    return base.ports.chain.signDigest(base.identity.address, this.#digestOf(outcome));
  }

  #digestOf(outcome: RoundOutcome): Hex {
    const { chainId, network } = this.#ground.base.ports.chain.deployment;
    return roundOutcomeDigest(chainId, network, outcome);
  }
}

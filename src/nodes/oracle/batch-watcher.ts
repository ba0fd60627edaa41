import { batchData } from '../../core/batch/content.ts';
import type { BatchData, Challenge } from '../../core/batch/challenge.ts';
import { checkBatch } from '../../core/batch/check.ts';
import { type BatchOnChain, batchesIn, isBatchFact } from '../../core/batch/fact.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { digestToCid } from '../../core/cid.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { EffectId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';
import { readBatch } from '../batch-content.ts';
import type { NodeBase } from '../node-base.ts';

type Proof = Exclude<Challenge, { readonly call: 'demand' }>;

/**
 * Checks every batch that is posted, whoever posts it, against its content, and proves its first fault on chain. Where the
 * content cannot be had, or is not what was posted, nothing can be proven with it: that is an error in the log, for whoever
 * then demands leaves.
 */
export class BatchWatcher {
  readonly #base: NodeBase;
  readonly #facts: ChainFact[] = [];
  /** The newest batches with all their leaves. */
  readonly #data = new Recent<number, BatchData>(limits.batchesPostedMax);
  #isComplete = false;

  constructor(base: NodeBase) {
    this.#base = base;
  }

  /** Takes facts in chain order. */
  async onFacts(facts: readonly ChainFact[]): Promise<void> {
    for (const fact of facts) {
      if (!isBatchFact(fact)) continue;
      await this.#know(fact);
      if (fact.type === 'BatchPosted') await this.#check(fact.batch);
    }
  }

  /** What was before the first fact is read from the chain, once. */
  async #know(fact: ChainFact): Promise<void> {
    const { chain } = this.#base.ports;
    if (!this.#isComplete) {
      const before = await chain.facts(chain.deployment.fromBlock, fact.place.block - 1);
      this.#facts.push(...before.filter(isBatchFact));
      this.#isComplete = true;
    }
    const isKnown = this.#facts.some(({ place: { txHash, logIndex } }) => {
      return txHash === fact.place.txHash && logIndex === fact.place.logIndex;
    });
    if (!isKnown) this.#facts.push(fact);
  }

  async #check(id: number): Promise<void> {
    const { log } = this.#base.ports;
    const batches = batchesIn(this.#facts);
    const batch = batches.get(id);
    if (batch === undefined) return;
    try {
      const proof = await this.#faultOf(batch, batches);
      if (proof === undefined) return;
      log.warn('a batch is wrong', { batch: id, poster: batch.poster, fault: proof.call });
      const effect = `batch.challenge:${this.#base.identity.address}:${id}` as EffectId;
      await this.#base.send({ call: 'challenge', batch: id, header: batch.header, challenge: proof }, effect);
    } catch (error) {
      // Somebody else was faster, or what was found is no fault to the contract.
      const details = { batch: id, poster: batch.poster, code: errorCode(error), error: errorMessage(error) };
      log.error('a batch could not be checked', details);
      if (errorCode(error) === 'chain_unreachable') throw error;
    }
  }

  async #faultOf(batch: BatchOnChain, batches: ReadonlyMap<number, BatchOnChain>): Promise<Proof | undefined> {
    const { chain, directory, log } = this.#base.ports;
    const { chainId, batches: contract } = chain.deployment;
    const data = await this.#dataOf(batch);
    const earlier: BatchData[] = [];
    for (const one of batches.values()) {
      const isBefore = one.poster === batch.poster && one.header.place < batch.header.place;
      if (isBefore && (one.state === 'posted' || one.state === 'final')) earlier.push(await this.#dataOf(one));
    }
    const found = checkBatch(data, {
      place: { chainId, contract },
      earlier,
      headerOf: (id) => batches.get(id)?.header,
      isNode: (account, role) => directory.isRegistered(account, role),
    });
    const proof = found.find((one): one is Proof => one.call !== 'demand');
    if (proof === undefined && found.length > 0) {
      log.error('the content of a batch is not what was posted', { batch: batch.batch, poster: batch.poster });
    }
    return proof;
  }

  async #dataOf(batch: BatchOnChain): Promise<BatchData> {
    const known = this.#data.get(batch.batch);
    if (known !== undefined) return known;
    const { content } = this.#base.ports;
    const all = await readBatch(content, digestToCid(batch.manifestDigest), this.#base.stopping);
    const data = batchData(batch.batch, batch.header, all);
    this.#data.set(batch.batch, data);
    return data;
  }
}

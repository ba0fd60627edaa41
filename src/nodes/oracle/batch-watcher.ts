import { type BatchContent, batchData } from '../../core/batch/content.ts';
import type { BatchData, Challenge } from '../../core/batch/challenge.ts';
import { checkBatch, leafPlaces } from '../../core/batch/check.ts';
import { type BatchFact, type BatchOnChain, batchesIn, isBatchFact, postedAt } from '../../core/batch/fact.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import { digestToCid } from '../../core/cid.ts';
import { errorCode, errorMessage, PouwError } from '../../core/errors.ts';
import type { EffectId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';
import { readBatch } from '../batch-content.ts';
import type { NodeBase } from '../node-base.ts';
import { LeafDemands } from './batch-demands.ts';

type Proof = Exclude<Challenge, { readonly call: 'demand' }>;
type Batches = ReadonlyMap<number, BatchOnChain>;
type BatchFactOnChain = Extract<ChainFact, BatchFact>;

/** Facts about batches, where they are, and what they come to. */
interface Known {
  readonly facts: readonly BatchFactOnChain[];
  readonly places: ReadonlySet<string>;
  readonly batches: Batches;
}

/** Faults that only who knows the batches before a batch can find. */
const ofTheLine: ReadonlySet<Challenge['call']> = new Set([
  'provePaidBefore',
  'proveForgottenEarnings',
  'proveInventedStart',
  'proveInventedEarnings',
  'proveWrongOrigin',
]);

/**
 * Checks every batch that is posted, whoever posts it, against its content, and proves its first fault on chain. Where the
 * content cannot be had, or is not what was posted, nothing can be proven with it: then its leaves are demanded. Nothing of
 * it is remembered here: whoever starts again reads the chain and checks all that can still be challenged.
 */
export class BatchWatcher {
  readonly #base: NodeBase;
  readonly #demands: LeafDemands;
  /** Facts about batches that came since the last look. */
  readonly #heard: BatchFactOnChain[] = [];
  /** All others, in the chain's order; those of before the first one are read from the chain once. */
  #known: Known | undefined;
  /** The newest batches with all their leaves. */
  readonly #data = new Recent<number, BatchData>(limits.batchesPostedMax);
  /** Batches that stand as they are, or whose fault was proven, or whose content will never do. */
  readonly #checked = new Set<number>();
  #wake: () => void = () => {};

  constructor(base: NodeBase) {
    this.#base = base;
    this.#demands = new LeafDemands(base);
  }

  /** Takes facts in chain order; nobody waits for what follows from them. */
  onFacts(facts: readonly ChainFact[]): void {
    const about = facts.filter(isBatchFact);
    this.#heard.push(...about);
    if (about.length > 0) this.#wake();
  }

  /** Looks at what there is, whenever there is something new and every `limits.batchLookMs`, until the node stops. */
  async run(): Promise<void> {
    const { clock, log } = this.#base.ports;
    const { stopping } = this.#base;
    while (!stopping.aborted) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await this.look().catch((error: unknown) =>
        log.warn('the batches were not looked at', { code: errorCode(error), error: errorMessage(error) }),
      );
      await clock.sleep(limits.batchLookMs, AbortSignal.any([stopping, woken.signal])).catch(() => undefined);
    }
  }

  /** Checks the posted batches that were not, and does what is to be done about demands. */
  async look(): Promise<void> {
    const { facts, batches } = await this.#read();
    const unchecked = [...batches.values()].filter(({ batch, state }) => {
      return state === 'posted' && !this.#checked.has(batch);
    });
    await Promise.all(unchecked.map((batch) => this.#check(batch, batches)));
    await this.#demands.look(batches, facts);
  }

  /** All that is known of batches by now. */
  async #read(): Promise<Known> {
    const { chain } = this.#base.ports;
    this.#known ??= knownOf(await chain.facts(chain.deployment.fromBlock, (await chain.block()).number));
    const { facts, places } = this.#known;
    const fresh = this.#heard.splice(0).filter((fact) => !places.has(placeOf(fact)));
    if (fresh.length > 0) this.#known = knownOf([...facts, ...fresh]);
    return this.#known;
  }

  async #check(batch: BatchOnChain, batches: Batches): Promise<void> {
    const { log } = this.#base.ports;
    const { batch: id, poster } = batch;
    try {
      const found = await this.#faultsOf(batch, batches);
      const proof = found.find((one): one is Proof => one.call !== 'demand');
      const withheld = found.filter((one) => one.call === 'demand');
      if (proof !== undefined) await this.#prove(batch, proof);
      this.#demands.clear(id);
      this.#checked.add(id);
      if (withheld.length === 0) return;
      log.error('the content of a batch is not what was posted', { batch: id, poster });
      this.#demands.suspect(id, { leaves: withheld, from: 0 });
    } catch (error) {
      const code = errorCode(error);
      if (this.#base.stopping.aborted) return;
      log.error('a batch could not be checked', { batch: id, poster, code, error: errorMessage(error) });
      this.#suspect(batch, code);
    }
  }

  async #prove({ batch, header, poster }: BatchOnChain, challenge: Proof): Promise<void> {
    const { log } = this.#base.ports;
    log.warn('a batch is wrong', { batch, poster, fault: challenge.call });
    const effect = `batch.challenge:${this.#base.identity.address}:${batch}` as EffectId;
    try {
      await this.#base.send({ call: 'challenge', batch, header, challenge }, effect);
    } catch (error) {
      if (errorCode(error) !== 'chain_reverted') throw error;
      // Somebody else was faster, or what was found is no fault to the contract.
      log.warn('a batch was not challenged', { batch, poster, error: errorMessage(error) });
    }
  }

  /** Content that is missing may still come; of other content no batch will ever be made. */
  #suspect({ batch, header }: BatchOnChain, code: string): void {
    const leaves = leafPlaces(header);
    if (code === 'content_not_found')
      this.#demands.suspect(batch, { leaves, from: postedAt(header) + limits.batchContentPatienceMs });
    if (code !== 'batch_malformed') return;
    this.#checked.add(batch);
    this.#demands.suspect(batch, { leaves, from: 0 });
  }

  async #faultsOf(batch: BatchOnChain, batches: Batches): Promise<readonly Challenge[]> {
    const { chain, directory, log } = this.#base.ports;
    const { chainId, batches: contract } = chain.deployment;
    const data = await this.#dataOf(batch);
    const earlier: BatchData[] = [];
    let isWhole = true;
    for (const one of batches.values()) {
      const isBefore = one.poster === batch.poster && one.header.place < batch.header.place;
      if (!isBefore || (one.state !== 'posted' && one.state !== 'final')) continue;
      const known = await this.#dataOf(one).catch((error: unknown) => {
        const details = { batch: batch.batch, earlier: one.batch, code: errorCode(error) };
        log.warn('a batch is checked without one that is before it', details);
        isWhole = false;
      });
      if (known !== undefined) earlier.push(known);
    }
    const found = checkBatch(data, {
      place: { chainId, contract },
      earlier,
      headerOf: (id) => batches.get(id)?.header,
      isNode: (account, role) => directory.isRegistered(account, role),
    });
    return isWhole ? found : found.filter(({ call }) => !ofTheLine.has(call));
  }

  async #dataOf(batch: BatchOnChain): Promise<BatchData> {
    const known = this.#data.get(batch.batch);
    if (known !== undefined) return known;
    const { content } = this.#base.ports;
    const cid = digestToCid(batch.manifestDigest);
    const data = treesOf(batch, await readBatch(content, cid, this.#base.stopping));
    this.#data.set(batch.batch, data);
    return data;
  }
}

function knownOf(all: readonly ChainFact[]): Known {
  const facts = all.filter(isBatchFact);
  return { facts, places: new Set(facts.map(placeOf)), batches: batchesIn(facts) };
}

function placeOf({ place }: ChainFact): string {
  return `${place.txHash}:${place.logIndex}`;
}

/** @throws PouwError `batch_malformed` where the content is of no batch, or of another one. */
function treesOf({ batch, header }: BatchOnChain, content: Required<BatchContent>): BatchData {
  try {
    return batchData(batch, header, content);
  } catch (error) {
    throw new PouwError('batch_malformed', `No batch ${batch} can be made of its content.`, {
      class: 'corrupt',
      why: errorMessage(error),
      cause: error,
    });
  }
}

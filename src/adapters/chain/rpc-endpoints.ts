import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { limits } from '../../core/limits.ts';
import type { BlockRef } from './block-window.ts';
import { noneUsable, seenIn } from './rpc-height.ts';
import { isOutage, isTimeout } from './rpc-outage.ts';
import { type RpcCall, rpcRequest } from './rpc-request.ts';

/** One JSON-RPC endpoint of a chain, or several, the preferred one first. */
export type RpcUrls = string | readonly string[];

/** What tells a chain from all others. */
export interface ChainIdentity {
  readonly chainId: number;
  /** Blocks that every endpoint must have: the first one, and that of the deployment once it is known. */
  readonly blocks: readonly BlockRef[];
}

/** The process went over from one endpoint to another. */
export interface EndpointChange {
  /** Origins: the paths of endpoints often hold keys. */
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** How endpoints are chosen. */
export interface RpcEndpointsOptions {
  /** Time between two looks at the endpoints that are not in use, in milliseconds. Default 5,000. */
  readonly lookEveryMs?: number | undefined;
  /** `limits.chainBehindMsMax` unless told otherwise. */
  readonly behindMs?: number | undefined;
  readonly onChange?: ((change: EndpointChange) => void) | undefined;
  /** Told once of each endpoint that turns out to serve another chain: it is not used. */
  readonly onForeign?: ((error: PouwError) => void) | undefined;
}

/**
 * What is found out about an endpoint before it is used: `behind` lacks blocks that were seen already, `forked` has others
 * in their place.
 */
type Verdict = 'well' | 'forked' | 'behind' | 'foreign' | 'silent';

interface Endpoint {
  readonly url: URL;
  readonly rank: number;
  /** Its newest block when it was asked last. */
  head: number;
  /** How many looks in a row it was far ahead of the one in use. */
  leads: number;
  verdict: Verdict | undefined;
  examining: Promise<Verdict> | undefined;
}

const lookEveryMs = 5_000;
const probeTimeoutMs = 2_000;
/** One look may fall between two blocks. */
const leadsMin = 2;
/** How often an endpoint is asked anew because a newer block was seen while it was asked. */
const examinationsMax = 3;

/**
 * The endpoints of one chain, of which one is in use. Where it fails, the next one that serves the same chain and has
 * every block that was seen takes over, within the same request; the preferred one is gone back to when it is well again
 * and has caught up. So reads are monotonic: nothing is ever answered from an older block than something before it, but
 * for reorgs. With a single endpoint that one is asked whatever it has.
 */
export class RpcEndpoints {
  /** For messages. */
  readonly shown: string;
  readonly #endpoints: readonly Endpoint[];
  readonly #options: RpcEndpointsOptions;
  #active: Endpoint;
  #isActiveWell = true;
  /** The newest block of which anything was answered. */
  #floor = 0;
  /** The newest block whose hash was seen. */
  #tip: BlockRef | undefined;
  #identity: ChainIdentity | undefined;
  #lookAt = 0;
  #isLooking = false;
  /** Since when endpoints answer and all of them are behind. */
  #strandedAt: number | undefined;

  /** @throws PouwError `too_many_endpoints`. */
  constructor(urls: RpcUrls, options: RpcEndpointsOptions = {}) {
    const list = typeof urls === 'string' ? [urls] : urls;
    if (list.length > limits.chainEndpointsMax) throw tooMany(list.length);
    this.#endpoints = list.map((url, rank) => {
      return { url: new URL(url), rank, head: 0, leads: 0, verdict: undefined, examining: undefined };
    });
    this.#active = this.#endpoints[0] as Endpoint;
    this.#options = options;
    this.shown = list.length === 1 ? (list[0] as string) : this.#endpoints.map(({ url }) => url.origin).join(' or ');
  }

  /** Whether there is somewhere to go to. */
  get areSeveral(): boolean {
    return this.#endpoints.length > 1;
  }

  /**
   * Says which chain it is. Endpoints that answer now are checked now, the others before they are used.
   *
   * @throws PouwError `wrong_chain` where one of them serves another.
   */
  async pin(identity: ChainIdentity): Promise<void> {
    this.#identity = identity;
    const others = this.#endpoints.filter((endpoint) => endpoint !== this.#active);
    for (const endpoint of others) {
      // One that was begun before knows less.
      await endpoint.examining;
      if ((await this.#examine(endpoint)) === 'foreign') throw foreign(endpoint);
    }
  }

  /** Says that a block was seen, in an earlier run for one: no endpoint without it is used, if there is another one. */
  saw(block: number): void {
    if (block <= this.#floor) return;
    this.#floor = block;
    if (this.areSeveral) this.#isActiveWell = false;
  }

  /** One call, at the endpoint in use or at the next one that may be. @throws what {@link rpcRequest} throws. */
  async request(call: RpcCall, timeoutMs: number, signal?: AbortSignal): Promise<unknown> {
    if (!this.areSeveral) return rpcRequest({ url: this.#active.url, timeoutMs }, call, signal);
    this.#lookAround();
    const tried = new Set<Endpoint>();
    let failure: Error | undefined;
    for (;;) {
      const endpoint = await this.#choose(tried);
      if (endpoint === undefined) throw failure ?? noneUsable(call, this.#reasons());
      try {
        const result = await rpcRequest({ url: endpoint.url, timeoutMs }, call, signal);
        if (await this.#takes(endpoint, call, result, signal)) return result;
      } catch (error) {
        if (!(error instanceof Error) || !isOutage(error) || signal?.aborted === true) throw error;
        // A question that takes long says nothing of the node, as waiting for a block does.
        if (isTimeout(error) && (await this.#answers(endpoint))) throw error;
        failure = error;
        tried.add(endpoint);
        if (endpoint === this.#active) this.#isActiveWell = false;
      }
    }
  }

  /** Notes the block of an answer. False where it came late, from an endpoint that is in use no more and is behind. */
  async #takes(endpoint: Endpoint, call: RpcCall, result: unknown, signal?: AbortSignal): Promise<boolean> {
    const seen = seenIn(call, result);
    const { number, hash } =
      seen === 'latest' ? { number: await this.#headOf(endpoint, signal), hash: undefined } : seen;
    if (endpoint !== this.#active) return number === 0 || number >= this.#floor;
    if (number > this.#floor) this.#floor = number;
    // Not `>`: a reorg puts another one in its place.
    if (hash !== undefined && number >= (this.#tip?.number ?? 0)) this.#tip = { number, hash };
    return true;
  }

  /** The endpoint to ask: the one in use as long as it is well, else the first that may take over. */
  async #choose(tried: ReadonlySet<Endpoint>): Promise<Endpoint | undefined> {
    if (this.#isActiveWell && !tried.has(this.#active)) return this.#active;
    const [forked, behind]: [Endpoint[], Endpoint[]] = [[], []];
    for (const endpoint of this.#endpoints) {
      if (tried.has(endpoint)) continue;
      const verdict = await this.#examineNow(endpoint);
      // Another request may have found one meanwhile.
      if (this.#isActiveWell && !tried.has(this.#active)) return this.#active;
      if (verdict === 'well') return this.#use(endpoint, 'the one before does not answer');
      if (verdict === 'forked') forked.push(endpoint);
      if (verdict === 'behind') behind.push(endpoint);
    }
    // Where nobody has the block that was seen any more, another one in its place is a reorg like any other.
    if (forked[0] !== undefined) return this.#use(forked[0], 'the one before does not answer');
    return this.#settleFor(behind);
  }

  /** Where what was seen does not come again, the chain has lost it: after a while the newest block there is counts. */
  #settleFor(behind: readonly Endpoint[]): Endpoint | undefined {
    const newest = behind.toSorted((a, b) => b.head - a.head || a.rank - b.rank)[0];
    if (newest === undefined) return undefined;
    this.#strandedAt ??= performance.now();
    if (performance.now() - this.#strandedAt < (this.#options.behindMs ?? limits.chainBehindMsMax)) return undefined;
    const reason = `no endpoint has block ${this.#floor} any more`;
    this.#floor = newest.head;
    this.#tip = undefined;
    return this.#use(newest, reason);
  }

  #use(endpoint: Endpoint, reason: string): Endpoint {
    const before = this.#active;
    this.#active = endpoint;
    this.#isActiveWell = true;
    this.#strandedAt = undefined;
    for (const one of this.#endpoints) one.leads = 0;
    if (before !== endpoint) this.#options.onChange?.({ from: before.url.origin, to: endpoint.url.origin, reason });
    return endpoint;
  }

  /** Looks at the endpoints that are not in use, beside the request that it is time for. */
  #lookAround(): void {
    if (this.#isLooking || performance.now() < this.#lookAt) return;
    this.#lookAt = performance.now() + (this.#options.lookEveryMs ?? lookEveryMs);
    this.#isLooking = true;
    void this.#look().finally(() => (this.#isLooking = false));
  }

  async #look(): Promise<void> {
    const active = this.#active;
    for (const endpoint of this.#endpoints) {
      if (endpoint === active) continue;
      const verdict = await this.#examineNow(endpoint);
      // Where the one in use fails meanwhile, the requests see to that.
      if (!this.#isActiveWell || this.#active !== active) return;
      if (verdict !== 'well') {
        endpoint.leads = 0;
      } else if (endpoint.rank < active.rank) {
        this.#use(endpoint, 'it is well again');
        return;
      } else {
        const head = await this.#headOf(active).catch(() => Number.POSITIVE_INFINITY);
        const lead = endpoint.head - head;
        endpoint.leads = lead > limits.chainLagBlocksMax ? endpoint.leads + 1 : 0;
        if (endpoint.leads < leadsMin || !this.#isActiveWell || this.#active !== active) continue;
        this.#use(endpoint, `the one before is ${lead} blocks behind`);
        return;
      }
    }
  }

  /** What an endpoint is now: what was seen while it was examined may be of a block that it does not have. */
  async #examineNow(endpoint: Endpoint): Promise<Verdict> {
    for (let left = examinationsMax; left > 0; left -= 1) {
      const verdict = await this.#examine(endpoint);
      if (verdict !== 'well' || endpoint.head >= this.#floor) return verdict;
    }
    return 'behind';
  }

  #examine(endpoint: Endpoint): Promise<Verdict> {
    endpoint.examining ??= this.#ask(endpoint).then((verdict) => {
      if (verdict === 'foreign' && endpoint.verdict !== verdict) this.#options.onForeign?.(foreign(endpoint));
      endpoint.verdict = verdict;
      endpoint.examining = undefined;
      return verdict;
    });
    return endpoint.examining;
  }

  async #ask(endpoint: Endpoint): Promise<Verdict> {
    try {
      endpoint.head = await this.#headOf(endpoint);
      const identity = this.#identity;
      if (identity !== undefined) {
        if (Number(await this.#probe(endpoint, 'eth_chainId')) !== identity.chainId) return 'foreign';
        for (const block of identity.blocks) {
          const found = await this.#has(endpoint, block);
          if (found !== 'same') return found === 'other' ? 'foreign' : 'behind';
        }
      }
      if (endpoint.head < this.#floor) return 'behind';
      const tip = this.#tip;
      return tip === undefined || (await this.#has(endpoint, tip)) !== 'other' ? 'well' : 'forked';
    } catch {
      return 'silent';
    }
  }

  async #has(endpoint: Endpoint, { number, hash }: BlockRef): Promise<'same' | 'other' | 'none'> {
    const found = await this.#probe(endpoint, 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false]);
    if (found === null) return 'none';
    return (found as { readonly hash?: Hex }).hash === hash ? 'same' : 'other';
  }

  async #headOf(endpoint: Endpoint, signal?: AbortSignal): Promise<number> {
    return Number(await this.#probe(endpoint, 'eth_blockNumber', [], signal));
  }

  #answers(endpoint: Endpoint): Promise<boolean> {
    return this.#headOf(endpoint).then(
      () => true,
      () => false,
    );
  }

  #probe({ url }: Endpoint, method: string, params: readonly unknown[] = [], signal?: AbortSignal): Promise<unknown> {
    return rpcRequest({ url, timeoutMs: probeTimeoutMs }, { method, params }, signal);
  }

  #reasons(): string {
    return this.#endpoints.map(({ url, verdict }) => `${url.origin} is ${verdict ?? 'silent'}`).join(', ');
  }
}

function foreign({ url }: Endpoint): PouwError {
  return new PouwError('wrong_chain', `The node at ${url.origin} serves another chain than the others.`, {
    class: 'invalid',
    why: 'Its chain id, its first block or the block of the deployment is another one.',
    hint: 'Name endpoints of the same chain with --rpc.',
  });
}

function tooMany(count: number): PouwError {
  return new PouwError('too_many_endpoints', `${count} endpoints of the chain are named.`, {
    class: 'invalid',
    hint: `Name at most ${limits.chainEndpointsMax} with --rpc.`,
    param: 'rpc',
  });
}

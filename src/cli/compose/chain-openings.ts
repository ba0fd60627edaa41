import type { OpeningClaim, OpeningRegistry } from '../../adapters/nats/store/log-trust.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { Recent } from '../../core/recent.ts';
import type { Chain } from '../../ports/chain.ts';
import type { SessionOpening } from '../../ports/chain-openings.ts';
import type { Clock } from '../../ports/clock.ts';

/** What is asked of a chain about openings. */
export type OpeningsChain = Pick<Chain, 'openings' | 'block'>;

/** What {@link ChainOpenings} stand on. */
export interface ChainOpeningsOptions {
  /** Asks the chain until it answers. */
  readonly ask: <T>(question: (chain: OpeningsChain) => Promise<T>) => Promise<T>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly signal: AbortSignal;
}

const lookMs = 100;

/**
 * With which routers sessions were opened, by the chain. It is looked for where a stream's first commit says that it was;
 * where it is not there a reorg may have moved it, and it is looked for everywhere. A commit may be faster than the block
 * that it tells of: that one is waited for, of each author as long as nothing was waited for in vain.
 */
export class ChainOpenings implements OpeningRegistry {
  readonly #options: ChainOpeningsOptions;
  readonly #known = new Recent<SessionId, readonly Address[]>(limits.openingsKept);
  /** Who has told of openings that the chain does not have. */
  readonly #wrong = new Recent<Address, true>(limits.registryNodesMax);

  constructor(options: ChainOpeningsOptions) {
    this.#options = options;
  }

  get(session: SessionId): readonly Address[] | undefined {
    return this.#known.get(session);
  }

  async learn(claims: readonly OpeningClaim[]): Promise<void> {
    const unknown = claims.filter(({ session }) => !this.#known.has(session));
    if (unknown.length === 0) return;
    const head = await this.#untilHead(unknown);
    const blocks = unknown.flatMap(({ block }) => (block === undefined || block > head ? [] : [block]));
    for (const range of rangesOf(blocks)) this.#take(await this.#options.ask((chain) => chain.openings(range)));
    for (const claim of unknown) if (!this.#known.has(claim.session)) await this.#search(claim);
  }

  /** Waits for the blocks that are claimed. @returns the newest block. */
  async #untilHead(claims: readonly OpeningClaim[]): Promise<number> {
    const { ask, clock, signal } = this.#options;
    const newest = Math.max(0, ...claims.map(({ author, block }) => (this.#wrong.has(author) ? 0 : (block ?? 0))));
    const giveUpAt = clock.now() + limits.openingWaitMsMax;
    for (;;) {
      const { number: head } = await ask((chain) => chain.block());
      if (head >= newest || clock.now() >= giveUpAt) return head;
      await clock.sleep(lookMs, signal);
    }
  }

  async #search({ session, author }: OpeningClaim): Promise<void> {
    if (this.#wrong.has(author)) return;
    this.#take(await this.#options.ask((chain) => chain.openings({ session })));
    if (!this.#known.has(session)) this.#wrong.set(author, true);
  }

  #take(openings: readonly SessionOpening[]): void {
    for (const { session, routers } of openings) this.#known.set(session, routers);
  }
}

/** The fewest ranges of bounded length that hold some blocks; blocks that lie far apart are asked for by themselves. */
function rangesOf(blocks: readonly number[]): { readonly fromBlock: number; readonly toBlock: number }[] {
  const ranges: { fromBlock: number; toBlock: number }[] = [];
  for (const block of [...new Set(blocks)].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && block - last.fromBlock < limits.chainLogRangeBlocksMax) last.toBlock = block;
    else ranges.push({ fromBlock: block, toBlock: block });
  }
  return ranges;
}

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
 * where it is not there a reorg may have moved it, and it is looked for everywhere. A commit may be a little faster than the
 * block that it tells of: only for a session that is nowhere, and a block that is near, is that one waited for, and of each
 * author in vain once.
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
    const head = await this.#head();
    const blocks = unknown.flatMap(({ block }) => (block === undefined || block > head ? [] : [block]));
    for (const range of rangesOf(blocks)) this.#take(await this.#options.ask((chain) => chain.openings(range)));
    for (const claim of unknown) if (!this.#known.has(claim.session)) await this.#search(claim, head);
  }

  async #search({ session, author, block = 0 }: OpeningClaim, head: number): Promise<void> {
    if (this.#wrong.has(author)) return;
    const look = async (): Promise<boolean> => {
      this.#take(await this.#options.ask((chain) => chain.openings({ session })));
      return this.#known.has(session);
    };
    if (await look()) return;
    const isNear = block > head && block <= head + limits.openingBlocksAheadMax;
    if (isNear && (await this.#hasCome(block)) && (await look())) return;
    this.#wrong.set(author, true);
  }

  /** Waits for a block, for a time. */
  async #hasCome(block: number): Promise<boolean> {
    const { clock, signal } = this.#options;
    const giveUpAt = clock.now() + limits.openingWaitMsMax;
    for (;;) {
      if ((await this.#head()) >= block) return true;
      if (clock.now() >= giveUpAt) return false;
      await clock.sleep(lookMs, signal);
    }
  }

  async #head(): Promise<number> {
    return (await this.#options.ask((chain) => chain.block())).number;
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

import { ChainOpenings, type OpeningsChain } from './chain-openings.ts';
import type { LogRegistry } from '../../adapters/nats/store/log-trust.ts';
import type { RegisteredKey } from '../../core/author-rules.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { Chain, NodeRecord } from '../../ports/chain.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

/** Pause before the chain is asked again, in milliseconds. */
const askAgainMs = 500;

/** What is asked of a chain. */
export type RegistryChain = Pick<Chain, 'node'> & OpeningsChain;

/** What a {@link ChainRegistry} is made of. */
export interface ChainRegistryOptions {
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Ends the waiting for a chain. */
  readonly signal: AbortSignal;
}

/**
 * Whose keys are whose, for a reader of the log: from the chain, and asked of it again for each author that is not known.
 * What is read before the chain can be asked waits for it, so that no commit is refused for an author not yet heard of.
 */
export class ChainRegistry implements LogRegistry {
  readonly #options: ChainRegistryOptions;
  readonly #nodes = new Map<Address, RegisteredKey>();
  /** Apart, since anybody may register as a client for nothing: clients take no node's place. */
  readonly #clients = new Map<Address, RegisteredKey>();
  readonly #chain = Promise.withResolvers<RegistryChain>();
  readonly openings: ChainOpenings;
  #waiting: PouwError | undefined;

  constructor(options: ChainRegistryOptions) {
    this.#options = options;
    const { clock, signal } = options;
    this.openings = new ChainOpenings({ clock, signal, ask: (question) => this.#ask('sessions', question) });
    this.#chain.promise.catch(() => undefined);
    options.signal.addEventListener('abort', () => this.#chain.reject(options.signal.reason), { once: true });
  }

  /** Takes the nodes that are registered, and asks the chain from now on. */
  open(chain: RegistryChain, nodes: readonly NodeRecord[]): void {
    for (const node of nodes) this.#add(node);
    this.#chain.resolve(chain);
  }

  get(address: Address): RegisteredKey | undefined {
    return this.#nodes.get(address) ?? this.#clients.get(address);
  }

  async learn(authors: readonly Address[]): Promise<void> {
    for (const author of authors) {
      const record = await this.#ask(author, (chain) => chain.node(author));
      if (record !== undefined) this.#add(record);
    }
  }

  /** @throws PouwError `registry_unknown` while the log waits for the chain. */
  requireKnown(): void {
    if (this.#waiting !== undefined) throw this.#waiting;
  }

  async #ask<T>(what: string, question: (chain: RegistryChain) => Promise<T>): Promise<T> {
    const { clock, log, signal } = this.#options;
    const chain = await this.#chain.promise;
    for (;;) {
      signal.throwIfAborted();
      try {
        const answer = await question(chain);
        if (this.#waiting !== undefined) log.info('the registry is there again: the log is read on', {});
        this.#waiting = undefined;
        return answer;
      } catch (error) {
        if (this.#waiting === undefined) {
          log.warn('the log waits for the registry', { code: 'registry_unknown', what, error: errorMessage(error) });
        }
        this.#waiting = unknown(what, error);
      }
      await clock.sleep(askAgainMs, signal);
    }
  }

  #add({ node, roles, key }: NodeRecord): void {
    const known = roles.every((role) => role === 'client') ? this.#clients : this.#nodes;
    if (known.size < limits.registryNodesMax) known.set(node, { roles, key });
  }
}

function unknown(what: string, cause: unknown): PouwError {
  return new PouwError(
    'registry_unknown',
    `The log cannot be read on: the chain was asked for ${what} and says nothing.`,
    {
      class: 'unavailable',
      why: errorMessage(cause),
      hint: 'Check the RPC endpoint; the log is read on as soon as it answers.',
      cause,
    },
  );
}

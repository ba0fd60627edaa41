import { reputationScore } from '../../actors/router/reputation.ts';
import type { RouterContext } from '../../actors/router/context.ts';
import type { SessionContext } from '../../actors/session/context.ts';
import { taskStates } from '../../actors/task/context.ts';
import type { Folded } from '../core/fold.ts';
import { type Address, parseStreamId, type SessionId } from '../core/ids.ts';
import type { Scheduling } from '../core/scheduling.ts';
import type { NodeWatch, NodeWatcher } from '../nodes/node-watch.ts';
import type { Metrics } from '../ports/metrics.ts';

/** A router as its gauges read it. */
export interface GaugedRouter {
  readonly address: Address;
  owns(session: SessionId): boolean;
  session(id: SessionId): Promise<Folded<SessionContext>>;
  book(): Promise<RouterContext>;
  readonly scheduling: Scheduling;
  /** Tasks that wait for their miners, by model. */
  waitingTasks(): ReadonlyMap<string, number>;
  /** Offers in the queue of a model; 0 where the router makes none. */
  queuedOffers(model: string): Promise<number>;
}

/** The routers of a process. */
export interface GaugedRouters {
  readonly routers: readonly GaugedRouter[];
  /** The sessions that a router here may own. */
  readonly sessions: () => readonly SessionId[];
}

/** One session in a few numbers. */
interface Summary {
  readonly money: SessionContext['money'];
  /** Unfinished tasks by state. */
  readonly open: Readonly<Record<string, number>>;
}

const ended: ReadonlySet<string> = new Set(['new', 'settled', 'refunded']);
const openStates = taskStates.filter((state) => !ended.has(state));
const moneyKinds = ['deposited', 'balance', 'escrowed', 'paid', 'refunded'] as const;

/**
 * Gauges over what the routers of this process own: sessions, their tasks and money, and the reputation of miners. A
 * session is looked at again only after it has changed.
 */
export class RouterGauges {
  /** To be told of commits, beside the other watches. */
  readonly watch: NodeWatch = { begin: () => this.#watcher() };
  readonly #metrics: Metrics;
  readonly #summaries = new Map<SessionId, Summary>();
  /** Sessions that have changed since they were looked at. */
  readonly #changed = new Set<SessionId>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Reads these routers whenever the metrics are read; the disposer ends that. */
  read(of: GaugedRouters): () => void {
    return this.#metrics.onCollect(async () => {
      await this.#readSessions(of);
      await this.#readReputations(of.routers);
      await this.#readQueues(of.routers);
    });
  }

  async #readSessions({ routers, sessions }: GaugedRouters): Promise<void> {
    const owned = new Set<SessionId>();
    for (const session of sessions()) {
      const router = routers.find((one) => one.owns(session));
      if (router === undefined) continue;
      owned.add(session);
      if (this.#summaries.has(session) && !this.#changed.has(session)) continue;
      this.#changed.delete(session);
      this.#summaries.set(session, summarise((await router.session(session)).context));
    }
    for (const session of this.#summaries.keys()) if (!owned.has(session)) this.#summaries.delete(session);
    const all = [...this.#summaries.values()];
    this.#metrics.set('pouw_sessions_owned', {}, all.length);
    for (const state of openStates) {
      this.#metrics.set(
        'pouw_tasks_open',
        { state },
        sum(all, ({ open }) => open[state] ?? 0),
      );
    }
    for (const kind of moneyKinds) {
      this.#metrics.set(
        'pouw_sessions_money_cor',
        { kind },
        sum(all, ({ money }) => inCor(money[`${kind}Wei`])),
      );
    }
  }

  async #readReputations(routers: readonly GaugedRouter[]): Promise<void> {
    const books = await Promise.all(routers.map((router) => router.book()));
    this.#metrics.clear('pouw_miner_reputation_ratio');
    books.forEach(({ nodes }, index) => {
      const router = routers[index]?.address ?? '';
      for (const [miner, { roles, reputation }] of Object.entries(nodes)) {
        if (!roles.includes('miner')) continue;
        this.#metrics.set('pouw_miner_reputation_ratio', { router, miner }, reputationScore(reputation));
      }
    });
  }

  async #readQueues(routers: readonly GaugedRouter[]): Promise<void> {
    const waiting = new Map<string, number>();
    for (const router of routers) {
      this.#metrics.set('pouw_router_scheduling', { router: router.address, scheduling: router.scheduling }, 1);
      for (const [model, count] of router.waitingTasks()) waiting.set(model, (waiting.get(model) ?? 0) + count);
    }
    const queued = await Promise.all(
      [...waiting.keys()].map(async (model) => {
        const sizes = await Promise.all(routers.map((router) => router.queuedOffers(model)));
        return [model, Math.max(...sizes)] as const;
      }),
    );
    this.#metrics.clear('pouw_tasks_waiting');
    this.#metrics.clear('pouw_offers_queued');
    for (const [model, count] of waiting) this.#metrics.set('pouw_tasks_waiting', { model }, count);
    for (const [model, count] of queued) this.#metrics.set('pouw_offers_queued', { model }, count);
  }

  #watcher(): NodeWatcher {
    const nothing = (): void => {};
    return {
      command: (_stream, _command, _cause, run) => run(),
      effect: (_effect, _context, run) => run(),
      committed: ({ stream }) => {
        const { kind, key } = parseStreamId(stream);
        if (kind === 'session') this.#changed.add(key as SessionId);
      },
      failed: nothing,
      dropped: nothing,
      end: async () => {},
    };
  }
}

function summarise({ money, tasks }: SessionContext): Summary {
  const open: Record<string, number> = {};
  for (const { value } of Object.values(tasks)) if (!ended.has(value)) open[value] = (open[value] ?? 0) + 1;
  return { money, open };
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

/** Wei as $COR, cut to nine decimals: for a gauge, not for a bill. */
function inCor(amount: string): number {
  return Number(BigInt(amount) / 10n ** 9n) / 1e9;
}

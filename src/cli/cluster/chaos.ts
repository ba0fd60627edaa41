import type { Clock } from '../../ports/clock.ts';
import type { Role } from '../../core/ids.ts';
import type { Cluster } from './cluster-network.ts';
import { chaosPlan, type Fault, type FaultTarget } from './chaos-plan.ts';

/** A fault as it was done. */
export interface DoneFault {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: Fault['kind'];
  /** `router-1`, `nats-2`, `rpc`. */
  readonly name: string;
  readonly target: FaultTarget;
  /** How long the process was dead or stood still, in milliseconds; a dead one then starts again. */
  readonly forMs: number;
}

/** Something that can be broken and mended. */
export interface Victim {
  readonly name: string;
  readonly target: FaultTarget;
  kill(): Promise<void>;
  pause(isPaused: boolean): void;
  /** Brings it back after a kill. */
  restart(): Promise<void>;
}

/** How to break things. */
export interface ChaosOptions {
  readonly victims: readonly Victim[];
  readonly seed: string;
  /** The mean time between two faults, in milliseconds. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly onFault: (fault: DoneFault) => void;
}

/** How often a killed process is started until it is ready; a run in which one never is fails. */
const startsMax = 3;

/** Breaks processes at random times until it is stopped. */
export class Chaos {
  readonly done: DoneFault[] = [];
  readonly #options: ChaosOptions;
  readonly #stop = new AbortController();
  readonly #abandon = new AbortController();
  /** The victims that are down now. At most one of each kind is: two of three NATS servers would be an outage of all. */
  readonly #down = new Map<Victim, Promise<void>>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Breaks nothing more and waits until everything is back. @throws what a restart threw. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#down.values());
  }

  /** Breaks nothing more and mends nothing more, but for processes that stand still: those go on, so that they can end. */
  async abandon(): Promise<void> {
    this.#stop.abort();
    this.#abandon.abort();
    await this.#running;
    await Promise.allSettled(this.#down.values());
  }

  async #run(): Promise<void> {
    const { victims, seed, everyMs, clock } = this.#options;
    for (const fault of chaosPlan(seed, everyMs)) {
      await clock.sleep(fault.afterMs, this.#stop.signal).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      const victim = this.#choose(victims, fault);
      if (victim !== undefined) this.#break(victim, fault);
    }
  }

  #choose(victims: readonly Victim[], { target, pick }: Fault): Victim | undefined {
    if ([...this.#down.keys()].some((victim) => victim.target === target)) return undefined;
    const of = victims.filter((victim) => victim.target === target);
    return of[Math.floor(pick * of.length)];
  }

  #break(victim: Victim, { kind, target, forMs }: Fault): void {
    const { clock, onFault } = this.#options;
    const fault: DoneFault = { at: clock.now(), kind, name: victim.name, target, forMs };
    this.done.push(fault);
    onFault(fault);
    const away = async (): Promise<void> => {
      if (kind === 'kill') await victim.kill();
      else victim.pause(true);
      await clock.sleep(forMs, this.#abandon.signal).catch(() => undefined);
      if (kind === 'pause') victim.pause(false);
      else await this.#bringBack(victim);
    };
    // One that does not come back stays down, so that `stop` says so.
    const back = away().then(() => void this.#down.delete(victim));
    this.#down.set(victim, back);
    back.catch(() => undefined);
  }

  /** On a busy machine, with its servers and its chain killed too, a process may not get ready in time: it is started anew. */
  async #bringBack(victim: Victim): Promise<void> {
    for (let left = startsMax; !this.#abandon.signal.aborted; left -= 1) {
      try {
        return await victim.restart();
      } catch (error) {
        if (left === 1) throw error;
      }
    }
  }
}

/** All that can be broken of a cluster. */
export function victimsOf({ nodes, natsServers, relay }: Cluster): Victim[] {
  const hit = new Set<Role>(['router', 'miner', 'validator', 'oracle']);
  const processes = nodes
    .filter(({ options: { role } }) => hit.has(role))
    .map((node): Victim => ({
      name: node.options.name,
      target: node.options.role as FaultTarget,
      kill: () => node.kill(),
      pause: (isPaused) => node.pause(isPaused),
      restart: async () => void (await node.start()),
    }));
  // A single server is not hit: without it there is no log to write to, and nothing to see but waiting.
  const servers = natsServers.length < 3 ? [] : natsServers;
  const nats = servers.map((server, index): Victim => ({
    name: `nats-${index + 1}`,
    target: 'nats',
    kill: () => server.kill(),
    pause: (isPaused) => {
      if (server.pid !== undefined) process.kill(server.pid, isPaused ? 'SIGSTOP' : 'SIGCONT');
    },
    restart: async () => {
      await server.restart();
      await server.untilReady();
    },
  }));
  const rpc: Victim = {
    name: 'rpc',
    target: 'rpc',
    kill: () => relay.kill(),
    pause: (isPaused) => relay.pause(isPaused),
    restart: () => relay.restart(),
  };
  return [...processes, ...nats, rpc];
}

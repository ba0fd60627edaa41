import { createPromMetrics } from '../../adapters/metrics/prom-metrics.ts';
import { startLoopMonitor } from '../../adapters/ops/loop-monitor.ts';
import { openOpsServer, type OpsServer } from '../../adapters/ops/ops-server.ts';
import { openPinoLog } from '../../adapters/pino/pino-log.ts';
import { errorMessage, PouwError } from '../../core/errors.ts';
import type { Address, Role } from '../../core/ids.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import { watchTogether } from '../../nodes/node-watch.ts';
import { meterBus } from '../../operations/metered-bus.ts';
import { meterChain } from '../../operations/metered-chain.ts';
import { meterContent } from '../../operations/metered-content.ts';
import { meterInference } from '../../operations/metered-inference.ts';
import { meterLeases } from '../../operations/metered-leases.ts';
import { meterNodes } from '../../operations/metered-nodes.ts';
import { meterStore, type MeteredStoreOptions } from '../../operations/metered-store.ts';
import { ReadinessChecks } from '../../operations/readiness.ts';
import { type GaugedRouters, RouterGauges } from '../../operations/router-gauges.ts';
import { traceBus } from '../../operations/traced-bus.ts';
import { traceChain } from '../../operations/traced-chain.ts';
import { traceInference } from '../../operations/traced-inference.ts';
import { traceNodes } from '../../operations/traced-nodes.ts';
import { watchChain } from '../../operations/watched-chain.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Inference } from '../../ports/inference.ts';
import type { Log, LogLevel } from '../../ports/log.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { Probes } from '../../ports/probes.ts';
import type { Tracer } from '../../ports/tracer.ts';
import { version } from '../version.ts';
import { openTracer } from './open-tracer.ts';

/** What a process is, and where its operator wants to hear of it. */
export interface OperationsOptions {
  /** The role of the process; `network` for one that has them all. */
  readonly role: Role | 'gateway' | 'network';
  /** The address of its one node, where it has one. */
  readonly node?: Address | undefined;
  readonly clock: Clock;
  readonly log: {
    /** `stdout`, `stderr` or the path of a file. */
    readonly to: string;
    readonly level: LogLevel;
  };
  /** Port of the operations server; 0 for a free one, none without it. */
  readonly opsPort?: number | undefined;
  /** Default 127.0.0.1. */
  readonly opsHost?: string | undefined;
  /** Where traces go; default what OpenTelemetry's environment variables say. */
  readonly otlpEndpoint?: string | undefined;
}

/** The operations side of one process. */
export interface Operations {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  /** What the process needs; a composition adds what it alone knows of, by name. */
  readonly readiness: ReadinessChecks;
  /** `/metrics`, `/healthz` and `/readyz`, for a server that is there already. */
  readonly probes: Probes;
  /** The operations server; undefined without a port. */
  readonly server: OpsServer | undefined;
  /** The same ports, measured, traced and checked. Once per process: every node gets what is returned. */
  wrapPorts(ports: NodePorts, options?: MeteredStoreOptions): NodePorts;
  /** The same engine, measured and traced. */
  wrapInference(inference: Inference): Inference;
  /** Has the sessions, tasks and money of these routers in the metrics, and the reputations in their books. */
  watchRouters(routers: GaugedRouters): void;
  /** The process is up: from now on it is ready where what it needs is there. */
  started(): void;
  /** The process goes down: it is not ready any more. */
  stopping(): void;
  /** Exports the last spans, closes the server and, last, the log. */
  close(): Promise<void>;
}

/** The name of the check that fails while the process starts and stops. */
const startCheck = 'start';

/**
 * Opens the operations side of a process: its log, metrics, traces, probes and the server for them. The one place to
 * look at for whoever composes a process.
 *
 * @example
 * const operations = await openOperations({ role: 'miner', node, clock, log: { to: 'stderr', level: 'info' }, opsPort });
 * const ports = operations.wrapPorts({ bus, store, …, log: operations.log });
 * const miner = new MinerNode({ identity, ports, inference: operations.wrapInference(inference), models, capacity });
 * await miner.start();
 * operations.started();
 * …
 * await operations.close();
 * @throws PouwError `port_in_use`, `address_unavailable`.
 */
export async function openOperations(options: OperationsOptions): Promise<Operations> {
  const { role, node, clock, opsPort, opsHost, otlpEndpoint } = options;
  const fields = { role, ...(node === undefined ? {} : { node }) };
  const log = openPinoLog({ ...options.log, clock, fields: role === 'network' ? {} : fields });
  const metrics = createPromMetrics({
    onError: (error) => log.warn('a metric was not read or not recorded', { error: errorMessage(error) }),
  });
  metrics.set('pouw_process_info', { version, role, node: node ?? '' }, 1);
  const tracer = await openTracer({ endpoint: otlpEndpoint, log });
  const loop = startLoopMonitor();
  const readiness = new ReadinessChecks(clock, log);
  readiness.add(startCheck, notUp);
  const probes: Probes = { metrics, liveness: () => loop.liveness(), readiness: () => readiness.report() };
  const parts = { log, metrics, tracer, readiness, clock };
  const closeOthers = async (): Promise<void> => {
    loop.stop();
    await tracer.close();
    await log.close();
  };
  let server: OpsServer | undefined;
  try {
    if (opsPort !== undefined) server = await openServer(probes, opsPort, opsHost, log);
  } catch (error) {
    await closeOthers();
    throw error;
  }
  const gauges = new RouterGauges(metrics);
  return {
    log,
    metrics,
    tracer,
    readiness,
    probes,
    server,
    wrapPorts: (ports, more) => wrapPorts(parts, gauges, ports, more),
    wrapInference: (inference) => {
      const metered = meterInference(inference, metrics);
      return tracer.enabled ? traceInference(metered, tracer, clock) : metered;
    },
    watchRouters: (routers) => void gauges.read(routers),
    started: () => readiness.remove(startCheck),
    stopping: () => readiness.add(startCheck, notUp),
    close: async () => {
      await server?.close();
      await closeOthers();
    },
  };
}

function notUp(): never {
  throw new PouwError('not_started', 'The process is starting or stopping.', { class: 'unavailable' });
}

function openServer(probes: Probes, port: number, host: string | undefined, log: Log): Promise<OpsServer> {
  return openOpsServer({
    probes,
    port,
    ...(host === undefined ? {} : { host }),
    onError: (error) => log.error('the operations server failed to answer', { error: errorMessage(error) }),
  });
}

type Parts = Pick<Operations, 'log' | 'metrics' | 'tracer' | 'readiness'> & { readonly clock: Clock };

function wrapPorts(
  { log, metrics, tracer, readiness, clock }: Parts,
  gauges: RouterGauges,
  ports: NodePorts,
  options: MeteredStoreOptions = {},
): NodePorts {
  const { chain: reached, check } = watchChain(ports.chain);
  readiness.add('chain', check);
  const chain = meterChain(reached, metrics);
  const bus = meterBus(ports.bus, metrics);
  const store = meterStore(ports.store, metrics, options);
  const watches = [meterNodes(metrics), gauges.watch];
  if (tracer.enabled) watches.push(traceNodes({ tracer, clock, log, store: ports.store }));
  return {
    ...ports,
    store,
    bus: tracer.enabled ? traceBus(bus, tracer) : bus,
    chain: tracer.enabled ? traceChain(chain, tracer, clock) : chain,
    content: meterContent(ports.content, metrics),
    leases: meterLeases(ports.leases, metrics, clock),
    watch: watchTogether(watches),
  };
}

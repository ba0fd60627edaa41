import type { MetricsPage } from './metrics.ts';

/** Whether a process lives. */
export interface Liveness {
  /** False where the event loop is so late that restarting helps more than waiting. */
  readonly alive: boolean;
  readonly uptimeS: number;
  /** How late the event loop was on the median since it was last asked, in milliseconds. */
  readonly eventLoopLateMs: number;
}

/** Whether a process has what it needs to do its work. */
export interface Readiness {
  readonly ready: boolean;
  /** What it needs, by name: `ok`, or the code that says why it is not there. Never an address, never a key. */
  readonly checks: Readonly<Record<string, string>>;
}

/** What an operator's tools ask of a process. */
export interface Probes {
  readonly metrics: MetricsPage;
  liveness(): Liveness;
  /** Resolves within `limits.readinessCheckMsMax`. */
  readiness(): Promise<Readiness>;
}

/** An answer to a probe: status and JSON body. */
export interface ProbeAnswer {
  readonly status: 200 | 503;
  readonly body: object;
}

/** `/healthz`: 503 where the process should be restarted. */
export function livenessAnswer({ alive, uptimeS, eventLoopLateMs }: Liveness): ProbeAnswer {
  const body = { status: alive ? 'ok' : 'stuck', uptimeS, eventLoopLateMs };
  return { status: alive ? 200 : 503, body };
}

/** `/readyz`: 503 where the process should get no work, with the names of what is missing. */
export function readinessAnswer({ ready, checks }: Readiness): ProbeAnswer {
  if (ready) return { status: 200, body: { status: 'ready', checks } };
  const missing = Object.keys(checks).filter((name) => checks[name] !== 'ok');
  return { status: 503, body: { status: 'unavailable', missing, checks } };
}

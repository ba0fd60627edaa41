import { monitorEventLoopDelay } from 'node:perf_hooks';
import { limits } from '../../core/limits.ts';
import type { Liveness } from '../../ports/probes.ts';

/** Watches the event loop of this process. */
export interface LoopMonitor {
  /** How the loop was since it was last asked. */
  liveness(): Liveness;
  stop(): void;
}

/** How often the loop is measured, in milliseconds. */
const resolutionMs = 20;

/**
 * Watches how late the event loop is. One long pause says nothing; a loop that is late on the median is stuck. That it
 * can be asked at all says that it is not dead.
 *
 * @param lateMsMax from which lateness on the process counts as stuck; default `limits.eventLoopLateMsMax`.
 */
export function startLoopMonitor(lateMsMax: number = limits.eventLoopLateMsMax): LoopMonitor {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  return {
    liveness() {
      // What is measured is the time between two wakings, which the resolution is a part of.
      const median = delays.count === 0 ? 0 : delays.percentile(50) / 1e6 - resolutionMs;
      delays.reset();
      const eventLoopLateMs = Math.max(0, Math.round(median));
      return { alive: eventLoopLateMs <= lateMsMax, uptimeS: Math.floor(process.uptime()), eventLoopLateMs };
    },
    stop: () => void delays.disable(),
  };
}

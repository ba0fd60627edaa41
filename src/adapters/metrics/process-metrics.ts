import { collectDefaultMetrics, Registry } from 'prom-client';

let registry: Registry | undefined;

/**
 * The metrics of Node itself: memory, event loop, garbage collection, handles. One registry per process, since its
 * observers cannot be taken back: however many networks a process composes, they are measured once.
 */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}

import type { PassGate } from './pass-gate.ts';

/** Milliseconds `process.exit` may be held up by passes under way. */
const exitGraceMs = 3_000;

const gates = new Set<PassGate>();

/** Keeps the process from ending, for a short while, as long as somebody is inside the gate. */
export function guardExit(gate: PassGate): void {
  if (gates.size === 0) process.on('exit', holdExit);
  gates.add(gate);
}

/** Forgets a gate whose thread has ended. */
export function releaseExit(gate: PassGate): void {
  gates.delete(gate);
  if (gates.size === 0) process.off('exit', holdExit);
}

/** No event loop runs any more when Node calls this, so it blocks: all gates are shut before the first is waited for. */
function holdExit(): void {
  const untilMs = performance.now() + exitGraceMs;
  for (const gate of gates) gate.shut();
  for (const gate of gates) gate.waitUntilEmpty(untilMs - performance.now());
}

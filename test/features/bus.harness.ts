import type { Bus } from '../../src/ports/bus.ts';
import type { Disposable } from './feature.ts';

/** A fresh bus, and what a feature needs beside it. */
export interface BusHarness extends Disposable {
  readonly bus: Bus;
  /** What handlers threw, as far as the adapter has reported it. */
  readonly errors: unknown[];
  /** How long a feature waits for what must come, in milliseconds. */
  readonly patienceMs: number;
}

/** Text as a message. */
export function bytes(content: string | number): Uint8Array {
  return new TextEncoder().encode(String(content));
}

/** A message as text. */
export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

/** Subscribes and keeps what comes, as `subject=text`. */
export function listen(bus: Bus, pattern: string, queue?: string): string[] {
  const heard: string[] = [];
  bus.subscribe(
    pattern,
    ({ subject, data }) => void heard.push(`${subject}=${text(data)}`),
    queue === undefined ? {} : { queue },
  );
  return heard;
}

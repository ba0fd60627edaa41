import type { JsonObject } from './json.ts';

/**
 * Something to be done in the world once the commit that asks for it is stored: a message to send, a
 * transaction, an inference, a pin. It is data; the effect runner carries it out, at least once, under
 * the id `<stream>:<version>:<n>`.
 */
export interface Effect extends JsonObject {
  /** Names the handler. */
  readonly kind: string;
}

/** A timer a state is waiting for: when it is due, the host sends the actor a `FireTimer` command. */
export interface Timer {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

import type { NatsConnection } from 'nats';
import { limits } from '../../../core/limits.ts';

/**
 * Bounds what waits to be sent: the vendor's client and the socket buffer without bound when the server is slower
 * than we are. What the server has taken is known by its answer to a ping.
 */
export class OutboundWindow {
  readonly #connection: Pick<NatsConnection, 'flush'>;
  /** Bytes that the server has not said it has taken. */
  #open = 0;
  /** Bytes since the last ping. */
  #sincePing = 0;

  constructor(connection: Pick<NatsConnection, 'flush'>) {
    this.#connection = connection;
  }

  /** Takes room for a message; false where there is none. */
  take(bytes: number): boolean {
    if (this.#open + bytes > limits.natsOutboundBytesMax) return false;
    this.#open += bytes;
    this.#sincePing += bytes;
    if (this.#sincePing >= limits.natsOutboundBytesMax / 16) this.#ping();
    return true;
  }

  #ping(): void {
    const bytes = this.#sincePing;
    this.#sincePing = 0;
    const taken = (): void => void (this.#open -= bytes);
    // A ping fails when the connection is lost, and with it all that was on its way.
    this.#connection.flush().then(taken, taken);
  }
}

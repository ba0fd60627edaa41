/** What the subject for acknowledging a consumer's message says of it. */
export interface Delivery {
  /** How often it was delivered, this time included. */
  readonly attempt: number;
  /** Its JetStream sequence, as it stands there. */
  readonly sequence: string;
}

/** `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.…`; newer servers put domain and account before the stream. */
export function deliveryIn(reply: string): Delivery {
  const tokens = reply.split('.');
  const at = tokens.length === 9 ? 4 : 6;
  return { attempt: Number(tokens[at]), sequence: tokens[at + 1] ?? '' };
}

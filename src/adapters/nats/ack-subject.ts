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

/**
 * Whether this message ends what a server sends to a request for many, between accounts: it takes a message of nothing for
 * the end, and the rest of what it has handed out goes nowhere. Who may write to a stream may put such a one there.
 */
export function endsAnswers({ data, headers }: { readonly data: Uint8Array; readonly headers?: unknown }): boolean {
  return data.length === 0 && headers === undefined;
}

/**
 * Whether an answer to who asked a consumer for messages is one of the stream's: those can be acknowledged. What has
 * nothing to acknowledge is the server's own word, such as that there is no more. Nothing else tells the two apart: who may
 * write to the stream may leave its message empty, and give it the headers of a server.
 */
export function isOfStream({ reply }: { readonly reply?: string | undefined }): boolean {
  return reply?.startsWith('$JS.ACK.') === true;
}

import { createInbox, type Msg, type NatsConnection } from 'nats';

/** How the inboxes of connections begin that were made with a prefix of their own. */
const prefixes = new WeakMap<NatsConnection, string>();

/** Says how the inboxes of a connection begin; its client keeps that to itself. */
export function setInboxPrefix(connection: NatsConnection, prefix: string): void {
  prefixes.set(connection, prefix);
}

/**
 * Asks, and gives whatever comes to an inbox of its own until the time is over or nobody looks any more. The vendor's own
 * `requestMany` takes a message of nothing with the status of a server for "nobody answers", whoever wrote it.
 */
export async function* asked(
  connection: NatsConnection,
  subject: string,
  body: string,
  maxWaitMs: number,
): AsyncGenerator<Msg> {
  const inbox = createInbox(prefixes.get(connection) ?? '_INBOX');
  const answers = connection.subscribe(inbox);
  const timer = setTimeout(() => answers.unsubscribe(), maxWaitMs);
  try {
    connection.publish(subject, body, { reply: inbox });
    yield* answers;
  } finally {
    clearTimeout(timer);
    answers.unsubscribe();
  }
}

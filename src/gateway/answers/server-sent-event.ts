/** The last event of an OpenAI stream. */
export const doneEvent = 'data: [DONE]\n\n';

/** A comment: no event, but a sign of life for clients and the proxies between. */
export const keepAliveComment = ': keep-alive\n\n';

/** A server-sent event that carries a JSON value. JSON has no line breaks, so it is one `data` line. */
export function dataEvent(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** A server-sent event with a name. */
export function namedEvent(name: string, value: unknown): string {
  return `event: ${name}\n${dataEvent(value)}`;
}

/** An event with an id where a client may go on after it. */
export function withId(event: string, id: number | undefined): string {
  return id === undefined || event === '' ? event : `id: ${id}\n${event}`;
}

import type { FastifyRequest } from 'fastify';
import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';

/**
 * The index of the last token that a client has of an answer, from `?after=` or from the `Last-Event-ID` that browsers
 * send of themselves when they connect again; of both the later one, since a browser repeats the address it began with.
 *
 * @throws PouwError `invalid_request`.
 */
export function readAfter(request: Pick<FastifyRequest, 'query' | 'headers'>): number | undefined {
  const { after } = request.query as { readonly after?: unknown };
  const given = [readIndex(after, 'after'), readIndex(request.headers['last-event-id'], 'Last-Event-ID')].filter(
    (index) => index !== undefined,
  );
  return given.length === 0 ? undefined : Math.max(...given);
}

function readIndex(value: unknown, param: string): number | undefined {
  // An event source that has seen no id yet sends an empty one.
  if (value === undefined || (value === '' && param === 'Last-Event-ID')) return undefined;
  const index = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
  if (index !== undefined) return index;
  throw new PouwError('invalid_request', `\`${param}\` is not valid: it is the index of a token, from 0.`, {
    class: 'invalid',
    param,
    hint: `Give the index of the last token you have; an answer has at most ${limits.outputTokensMax}.`,
  });
}

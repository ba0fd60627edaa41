import type { FastifyRequest } from 'fastify';
import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import type { WatchFrom } from '../../ports/gateway-network.ts';

type Asked = Pick<FastifyRequest, 'query' | 'headers'>;

/**
 * Where a client's view of a task begins, and what it waits for: `?after=` and `?delivery=`.
 *
 * @throws PouwError `invalid_request`.
 */
export function readWatchFrom(request: Asked): WatchFrom {
  const after = readAfter(request);
  const delivery = readDelivery(request);
  return { ...(after === undefined ? {} : { after }), ...(delivery === undefined ? {} : { delivery }) };
}

/**
 * The index of the last token that a client has of an answer, from `?after=` or from the `Last-Event-ID` that browsers
 * send of themselves when they connect again; of both the later one, since a browser repeats the address it began with.
 */
function readAfter(request: Asked): number | undefined {
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

function readDelivery(request: Asked): WatchFrom['delivery'] {
  const { delivery } = request.query as { readonly delivery?: unknown };
  if (delivery === undefined || delivery === 'fast' || delivery === 'verified') return delivery;
  throw new PouwError('invalid_request', '`delivery` is neither `fast` nor `verified`.', {
    class: 'invalid',
    param: 'delivery',
    hint: 'Leave it out for words as they come, or give `verified` for the winning answer once it is known.',
  });
}

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from '@fastify/websocket';
import type { Json } from '../../core/json.ts';
import { updateBody } from '../answers/update-body.ts';
import { type Edge, exchangeOf, ownTask } from '../edge.ts';
import { errorBody, errorStatus, shownError } from '../error-status.ts';
import { type Exchange, readerTooSlow } from '../exchange.ts';
import { readWatchFrom } from '../requests/watch-from.ts';
import { followAsEvents } from './task-routes.ts';

/** WebSocket close codes, RFC 6455 section 7.4.1. */
const closeCodes = { complete: 1_000, goingAway: 1_001, failed: 1_011 } as const;

/**
 * `GET /v1/tasks/{id}/stream`: the task's updates, as a WebSocket with one JSON message each, and as server-sent events
 * for who asks without an upgrade.
 */
export function taskSocket(app: FastifyInstance, edge: Edge): void {
  app.route({
    method: 'GET',
    url: '/v1/tasks/:task/stream',
    // Before the upgrade, where a refusal is still an HTTP answer.
    preValidation: async (request) => {
      readWatchFrom(request);
      await ownTask(request, edge);
    },
    handler: (request, reply) => followAsEvents(edge, request, reply),
    wsHandler: (socket, request) => followTask(edge, socket, request),
  });
}

async function followTask(edge: Edge, socket: WebSocket, request: FastifyRequest): Promise<void> {
  const exchange = exchangeOf(request);
  const stopPinging = keepAlive(edge, socket);
  const closed = edge.watch.stream('websocket');
  try {
    const { task } = await ownTask(request, edge);
    for await (const update of edge.network.watch(task, exchange.signal, readWatchFrom(request))) {
      await send(edge, socket, exchange, updateBody(update));
    }
    socket.close(closeCodes.complete);
  } catch (error) {
    const shown = shownError(error);
    if (errorStatus(shown) >= 500 && !exchange.clientIsGone) edge.log.failed(request, error);
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ type: 'error', ...errorBody(shown) }));
    socket.close(shown.code === 'gateway_closing' ? closeCodes.goingAway : closeCodes.failed);
  } finally {
    stopPinging();
    closed();
  }
}

/** Sends a message; waits for the reader where the socket holds too much for it already. */
async function send({ clock, limits }: Edge, socket: WebSocket, exchange: Exchange, message: Json): Promise<void> {
  const sent = Promise.withResolvers<unknown>();
  socket.send(JSON.stringify(message), () => sent.resolve(undefined));
  if (socket.bufferedAmount <= limits.socketPendingBytesMax) return;
  const forgetTimer = clock.at(clock.now() + limits.httpStallMsMax, () => {
    exchange.abort(readerTooSlow(limits.httpStallMsMax));
    socket.terminate();
  });
  await sent.promise;
  forgetTimer();
}

/** Pings, so that proxies keep the connection; a reader that has not answered by the next ping is gone. */
function keepAlive({ clock, limits }: Edge, socket: WebSocket): () => void {
  let alive = true;
  let forgetTimer: () => void;
  const ping = (): void => {
    if (!alive) {
      socket.terminate();
      return;
    }
    alive = false;
    socket.ping();
    forgetTimer = clock.at(clock.now() + limits.httpKeepAliveMs, ping);
  };
  socket.on('pong', () => {
    alive = true;
  });
  forgetTimer = clock.at(clock.now() + limits.httpKeepAliveMs, ping);
  return () => forgetTimer();
}

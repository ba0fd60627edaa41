import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { PouwError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { errorReply } from './error-status.ts';

/** The one route that is a WebSocket. */
const socketRoute = '/v1/tasks/:task/stream';

/** Whether a client asks for a WebSocket. Any other upgrade it asks for is left out: its request is answered as it is. */
export function asksForWebSocket({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && /\bupgrade\b/i.test(headers.connection ?? '');
}

/**
 * Refuses what Node's server would refuse with an empty body, or not at all.
 *
 * @throws PouwError `malformed_request`, `expectation_failed`, `not_a_websocket`.
 */
export function refuseOddRequest(request: FastifyRequest): void {
  const { headers, httpVersion } = request.raw;
  if (headers.host === undefined && httpVersion === '1.1') {
    throw malformed('It has no Host header.');
  }
  const { expect } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new PouwError('expectation_failed', 'Only `Expect: 100-continue` is understood here.', {
      class: 'invalid',
      hint: 'Leave the header out.',
      param: 'Expect',
    });
  }
  if (asksForWebSocket(request.raw) && !request.is404 && request.routeOptions.url !== socketRoute) {
    throw new PouwError('not_a_websocket', `${request.url.split('?', 1)[0]} is no WebSocket.`, {
      class: 'invalid',
      hint: 'GET /v1/tasks/{id}/stream is the only one.',
    });
  }
}

/** What arrived on a connection and is no request that can be read: the reason as Node gives it. */
interface WireFault extends Error {
  readonly code?: string;
  /** The parser's own words. */
  readonly reason?: string;
}

/** Answers, in the shape of all errors, what never became a request; the connection ends with it. */
export class WireErrors {
  readonly #newRequestId: () => string;
  readonly #answers = new WeakMap<object, ServerResponse>();

  constructor(newRequestId: () => string) {
    this.#newRequestId = newRequestId;
  }

  /** A request has come on this connection and will be answered there. */
  answering(request: IncomingMessage, response: ServerResponse): void {
    this.#answers.set(request.socket, response);
  }

  /** What a connection brought cannot be read on. */
  answer(fault: WireFault, socket: Socket): void {
    if (fault.code === 'ECONNRESET' || socket.destroyed) return;
    // In the middle of an answer another one would be taken for a part of it.
    const isAnswering = this.#answers.get(socket)?.headersSent === true;
    if (socket.writable && !isAnswering && !this.#isAnswered(socket)) socket.write(this.#text(wireError(fault)));
    socket.destroySoon();
  }

  #isAnswered(socket: Socket): boolean {
    return this.#answers.get(socket)?.writableEnded === true;
  }

  #text(error: PouwError): string {
    const { status, headers, body } = errorReply(error);
    const text = JSON.stringify(body);
    const lines = Object.entries({
      ...headers,
      'x-request-id': this.#newRequestId(),
      'access-control-allow-origin': '*',
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(text)),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${text}`;
  }
}

function wireError(fault: WireFault): PouwError {
  if (fault.code === 'HPE_HEADER_OVERFLOW') {
    return new PouwError(
      'headers_too_large',
      `The request's headers have more than ${limits.httpHeaderBytesMax} bytes.`,
      {
        class: 'too-large',
        hint: 'Send fewer or shorter headers.',
      },
    );
  }
  if (fault.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new PouwError('request_incomplete', 'The request did not arrive whole in time.', {
      class: 'timeout',
      hint: 'Send it again.',
    });
  }
  return malformed(`${fault.reason ?? fault.message}.`);
}

function malformed(why: string): PouwError {
  return new PouwError('malformed_request', 'This is not an HTTP/1.1 request that can be read.', {
    class: 'invalid',
    why,
  });
}

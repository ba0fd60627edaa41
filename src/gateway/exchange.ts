import { PouwError } from '../core/errors.ts';
import type { SessionId } from '../core/ids.ts';

/** A request of a known key from its admission to the end of its answer. */
export class Exchange {
  /** The answer's `x-request-id`. */
  readonly id: string;
  /** The session the key is bound to. */
  readonly session: SessionId;
  readonly #controller = new AbortController();

  constructor(id: string, session: SessionId) {
    this.id = id;
    this.session = session;
  }

  /** Aborted with a `PouwError` when nobody waits for the answer any more, or nobody may. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the exchange before its answer; the first reason stands. */
  abort(reason: PouwError): void {
    this.#controller.abort(reason);
  }

  /** Whether nobody is there any more to answer to. */
  get clientIsGone(): boolean {
    const { reason } = this.signal as { readonly reason: unknown };
    return reason instanceof PouwError && (reason.code === 'client_gone' || reason.code === 'reader_too_slow');
  }
}

/** The reader has closed its connection. */
export function clientGone(): PouwError {
  return new PouwError('client_gone', 'The client closed the connection before the answer was complete.', {
    class: 'invalid',
  });
}

/** The reader leaves what was sent unread. */
export function readerTooSlow(stallMs: number): PouwError {
  return new PouwError('reader_too_slow', `The client left a full socket unread for ${stallMs} ms.`, {
    class: 'timeout',
  });
}

/** The request has used up its time. */
export function requestTimeout(timeoutMs: number): PouwError {
  return new PouwError('request_timeout', `The request took longer than ${timeoutMs} ms.`, {
    class: 'timeout',
    hint: 'Ask for fewer tokens, or submit the task through POST /v1/sessions/{id}/tasks and follow its events.',
  });
}

/** The gateway takes no more requests. */
export function gatewayClosing(): PouwError {
  return new PouwError('gateway_closing', 'The gateway is shutting down.', {
    class: 'unavailable',
    hint: 'Send the request again, to another gateway or once this one is back.',
  });
}

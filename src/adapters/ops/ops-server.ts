import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { livenessAnswer, type ProbeAnswer, type Probes, readinessAnswer } from '../../ports/probes.ts';

/** Where the operations server listens. */
export interface OpsServerOptions {
  readonly probes: Probes;
  /** 0 for a free one. */
  readonly port: number;
  /** Default 127.0.0.1: whoever should see it from elsewhere says so. */
  readonly host?: string;
  /** Milliseconds a request may take to arrive; default `limits.opsReceiveMsMax`. */
  readonly receiveMsMax?: number;
  /** Told of answers that failed. */
  readonly onError?: (error: unknown) => void;
}

/** A running operations server. */
export interface OpsServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/metrics`, `/healthz` and `/readyz` of a process, apart from its users' doors, without a key and without
 * anything secret.
 *
 * @throws PouwError `port_in_use`, `address_unavailable`.
 */
export async function openOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const { probes, port, host = '127.0.0.1', onError = () => {} } = options;
  const receiveMsMax = options.receiveMsMax ?? limits.opsReceiveMsMax;
  const bounds = {
    requestTimeout: receiveMsMax,
    headersTimeout: receiveMsMax,
    connectionsCheckingInterval: Math.ceil(receiveMsMax / 4),
  };
  const server = createServer(bounds, (request, response) => {
    answer(probes, request, response).catch((error: unknown) => {
      onError(error);
      if (response.headersSent) response.destroy();
      else sendJson(request, response, { status: 503, body: { status: 'failed' } });
    });
  });
  server.maxConnections = limits.opsConnectionsMax;
  const bound = await listen(server, host, port);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(probes: Probes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  const path = (request.url ?? '').split('?', 1)[0];
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (path === '/metrics' && isRead) {
    const { contentType } = probes.metrics;
    return send(request, response, 200, contentType, await probes.metrics.text());
  }
  if (path === '/healthz' && isRead) return sendJson(request, response, livenessAnswer(probes.liveness()));
  if (path === '/readyz' && isRead) return sendJson(request, response, readinessAnswer(await probes.readiness()));
  response.setHeader('allow', 'GET, HEAD');
  const isKnown = ['/metrics', '/healthz', '/readyz'].includes(path ?? '');
  return send(request, response, isKnown ? 405 : 404, 'text/plain; charset=utf-8', '/metrics\n/healthz\n/readyz\n');
}

function sendJson(request: IncomingMessage, response: ServerResponse, { status, body }: ProbeAnswer): void {
  send(request, response, status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`);
}

function send(request: IncomingMessage, response: ServerResponse, status: number, type: string, body: string): void {
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' };
  response.writeHead(status, headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): PouwError {
  if (error.code === 'EADDRINUSE') {
    return new PouwError('port_in_use', `Port ${port} of ${host} is taken.`, {
      class: 'unavailable',
      why: 'Another program listens there, perhaps another pouw.',
      hint: 'Stop it, or choose another port with --ops-port.',
      cause: error,
    });
  }
  return new PouwError('address_unavailable', `Cannot listen on port ${port} of ${host}.`, {
    class: 'invalid',
    why: `${error.message}.`,
    hint:
      error.code === 'EACCES'
        ? 'Choose a port above 1023 with --ops-port.'
        : 'Name an address of this machine with --ops-host.',
    cause: error,
  });
}

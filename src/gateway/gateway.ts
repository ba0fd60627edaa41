import fastifyCors from '@fastify/cors';
import fastifyWebsocket from '@fastify/websocket';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import { PouwError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { GatewayNetwork } from '../ports/gateway-network.ts';
import type { AllowanceNetwork } from '../ports/allowance-network.ts';
import type { PlanNetwork } from '../ports/plan-network.ts';
import type { WalletNetwork } from '../ports/wallet-network.ts';
import { type Metrics, silentMetrics } from '../ports/metrics.ts';
import type { Probes } from '../ports/probes.ts';
import { silentTracer, type Tracer } from '../ports/tracer.ts';
import { authenticate, socketProtocol } from './api-key.ts';
import type { Edge } from './edge.ts';
import { errorReply, shownError } from './error-status.ts';
import { Exchanges } from './exchanges.ts';
import { gatewayLimits, type GatewayLimits } from './gateway-limits.ts';
import { readBodiesAsJson } from './json-body.ts';
import { answerRequestId } from './request-id.ts';
import { type GatewayRecord, RequestLog } from './request-log.ts';
import { RequestWatch } from './request-watch.ts';
import { allowanceRoutes } from './routes/allowance-routes.ts';
import { embeddingRoute } from './routes/embedding-route.ts';
import { generationRoutes } from './routes/generation-routes.ts';
import { modelRoutes } from './routes/model-routes.ts';
import { planRoutes } from './routes/plan-routes.ts';
import { probeRoutes } from './routes/probe-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { taskRoutes } from './routes/task-routes.ts';
import { taskSocket } from './routes/task-socket.ts';
import { keyRoute, promptRoute } from './routes/wallet-routes.ts';
import { asksForWebSocket, refuseOddRequest, WireErrors } from './wire-errors.ts';

/** What a gateway is made of. */
export interface GatewayOptions {
  readonly network: GatewayNetwork;
  /** Takes plans of several steps; without it there are no such routes. */
  readonly plans?: PlanNetwork;
  /** Takes allowances that owners of sessions have signed; without it there are no such routes. */
  readonly allowances?: AllowanceNetwork;
  /** Takes keys and prompts of those whose wallet is elsewhere; without it there are no such routes. */
  readonly wallets?: WalletNetwork;
  readonly clock: Clock;
  readonly random: Random;
  /** An operator's own bounds, by their names in `limits`. */
  readonly limits?: Partial<GatewayLimits>;
  /** Told of every answer, and of every failure that is ours. */
  readonly log?: (record: GatewayRecord) => void;
  /** Counts and measures requests; nobody by default. */
  readonly metrics?: Metrics;
  /** Records requests that are about tasks; nobody by default. */
  readonly tracer?: Tracer;
  /** Served as `/metrics` and `/readyz` where it is given. */
  readonly probes?: Probes;
}

/** A front door for HTTP clients. */
export interface Gateway {
  /**
   * Starts to listen; port 0 takes a free one.
   *
   * @throws PouwError `port_in_use`, `address_unavailable`.
   */
  listen(host: string, port: number): Promise<{ readonly url: string; readonly port: number }>;
  /**
   * Takes no more requests, lets those under way finish, ends the rest and stops listening.
   *
   * @param drainMs how long they may take; default `httpDrainMsMax`.
   */
  close(drainMs?: number): Promise<void>;
}

/** Characters of a path parameter: session, task and encoded model ids. */
const pathParamCharsMax = 512;

/** Seconds a browser may remember what CORS allows. */
const corsMaxAgeS = 86_400;

/**
 * Makes the gateway: OpenAI-compatible HTTP, native REST and WebSocket in front of a network. `docs/api.md` says
 * what it answers.
 *
 * @example
 * const gateway = createGateway({ network, clock: systemClock, random: systemRandom });
 * const { url } = await gateway.listen('127.0.0.1', 8080);
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { network, clock, random, plans, allowances, wallets } = options;
  const bounds = gatewayLimits(options.limits);
  const { metrics = silentMetrics, tracer = silentTracer, probes } = options;
  const edge: Edge = {
    ...(plans === undefined ? {} : { plans }),
    ...(allowances === undefined ? {} : { allowances }),
    ...(wallets === undefined ? {} : { wallets }),
    network,
    clock,
    limits: bounds,
    exchanges: new Exchanges(clock, bounds),
    log: new RequestLog(clock, options.log ?? (() => {})),
    watch: new RequestWatch(clock, metrics, tracer),
    startedS: Math.floor(clock.now() / 1_000),
  };
  const wire = new WireErrors(() => answerRequestId({}, random));
  const app = fastify({
    logger: false,
    // What Node's server would answer by itself, without a word, comes to us instead.
    http: {
      maxHeaderSize: limits.httpHeaderBytesMax,
      headersTimeout: bounds.httpReceiveMsMax,
      connectionsCheckingInterval: Math.ceil(bounds.httpReceiveMsMax / 4),
      requireHostHeader: false,
      shouldUpgradeCallback: asksForWebSocket,
    },
    clientErrorHandler: (fault, socket) => wire.answer(fault, socket),
    bodyLimit: bounds.httpBodyBytesMax,
    requestTimeout: bounds.httpReceiveMsMax,
    routerOptions: { maxParamLength: pathParamCharsMax },
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    requestIdHeader: false,
    genReqId: ({ headers }) => answerRequestId(headers, random),
    // What is wrong with a request before any route is found: an address that cannot be decoded, for one.
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      sendError(reply, shownError(edgeError(error, bounds)));
    },
  });
  app.server.on('checkExpectation', (request, response) => app.routing(request, response));
  setUp(app, edge, wire);
  if (probes !== undefined) probeRoutes(app, probes);
  const forgetGauge = metrics.onCollect(() => metrics.set('pouw_http_requests_open', {}, edge.exchanges.size));
  return {
    listen: (host, port) => listen(app, host, port),
    close: async (drainMs) => {
      await edge.exchanges.drain(drainMs);
      await app.close();
      forgetGauge();
    },
  };
}

function setUp(app: FastifyInstance, edge: Edge, wire: WireErrors): void {
  app.decorateRequest('exchange', null);
  app.decorateRequest('startedAt', 0);
  app.decorateRequest('watched', null);
  app.addHook('onRequest', async (request, reply) => {
    request.startedAt = edge.clock.now();
    edge.watch.begin(request);
    reply.header('x-request-id', request.id);
    wire.answering(request.raw, reply.raw);
    reply.raw.once('close', () => {
      const status = edge.log.answered(request, reply.raw.statusCode, reply.raw.writableFinished);
      edge.watch.answered(request, status);
    });
  });
  void app.register(fastifyCors, {
    origin: '*',
    methods: ['GET', 'POST', 'DELETE', 'OPTIONS'],
    exposedHeaders: ['x-request-id', 'retry-after', 'retry-after-ms', 'x-should-retry'],
    maxAge: corsMaxAgeS,
    // Who only asks what there is gets an answer, where the plugin would refuse in plain text.
    strictPreflight: false,
  });
  void app.register(fastifyWebsocket, {
    options: {
      maxPayload: limits.socketMessageBytesMax,
      handleProtocols: (protocols) => (protocols.has(socketProtocol) ? socketProtocol : false),
    },
  });
  // After the plugin's own hook, which has the connection of a refused upgrade closed.
  app.addHook('onRequest', async (request) => refuseOddRequest(request));
  readBodiesAsJson(app);
  answerErrors(app, edge);
  app.get('/healthz', async (_request, reply) => {
    const health = edge.network.health();
    return reply.code(health.ready ? 200 : 503).send({ status: health.ready ? 'ok' : 'unavailable', ...health });
  });
  if (edge.wallets !== undefined) keyRoute(app, edge, edge.wallets);
  void app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      const { hash, session } = authenticate(request.headers, edge.network);
      request.exchange = edge.exchanges.admit(request.id, hash, session, reply.raw);
    });
    for (const routes of [generationRoutes, embeddingRoute, modelRoutes, sessionRoutes, taskRoutes, taskSocket]) {
      routes(scope, edge);
    }
    if (edge.plans !== undefined) planRoutes(scope, edge, edge.plans);
    if (edge.allowances !== undefined) allowanceRoutes(scope, edge.allowances);
    if (edge.wallets !== undefined) promptRoute(scope, edge, edge.wallets);
  });
}

function answerErrors(app: FastifyInstance, edge: Edge): void {
  app.setErrorHandler((error, request, reply) => {
    const shown = shownError(edgeError(error, edge.limits));
    if (shown.class === 'internal' || shown.class === 'corrupt') edge.log.failed(request, error);
    return sendError(reply, shown);
  });
  app.setNotFoundHandler((request) => {
    throw new PouwError('unknown_endpoint', `There is no ${request.method} ${request.url.split('?', 1)[0]}.`, {
      class: 'not-found',
      hint: 'See docs/api.md for what there is.',
    });
  });
}

function sendError(reply: FastifyReply, error: PouwError): FastifyReply {
  const { status, headers, body } = errorReply(error);
  return reply.code(status).headers(headers).send(body);
}

/** Fastify's own refusals as ours. */
function edgeError(error: unknown, bounds: GatewayLimits): unknown {
  const { code, statusCode } = error as { readonly code?: unknown; readonly statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new PouwError('body_too_large', `A request's body has at most ${bounds.httpBodyBytesMax} bytes.`, {
      class: 'too-large',
      hint: 'Shorten the prompt, or split the inputs over several requests.',
    });
  }
  if (error instanceof PouwError || typeof statusCode !== 'number' || statusCode >= 500) return error;
  return new PouwError('invalid_request', (error as Error).message, { class: 'invalid', cause: error });
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<{ url: string; port: number }> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw listenError(error, host, port);
  }
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${shownHost}:${bound}`, port: bound };
}

function listenError(error: unknown, host: string, port: number): unknown {
  const { code } = error as { readonly code?: unknown };
  if (code === 'EADDRINUSE') {
    return new PouwError('port_in_use', `Port ${port} of ${host} is taken.`, {
      class: 'unavailable',
      why: 'Another program listens there, perhaps another pouw.',
      hint: 'Stop it, or choose another port with --port.',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new PouwError('address_unavailable', `Cannot listen on port ${port} of ${host}.`, {
      class: 'invalid',
      why: `${(error as Error).message}.`,
      hint: 'Choose a port above 1023 with --port, and an address of this machine.',
      cause: error,
    });
  }
  return error;
}

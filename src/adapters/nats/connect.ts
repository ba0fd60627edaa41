import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Authenticator,
  AuthorizationError,
  connect,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  type NodeConnectionOptions,
  UserAuthenticationExpiredError,
} from 'nats';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { type Log, silentLog } from '../../ports/log.ts';
import { setInboxPrefix } from './asked.ts';
import { createBackOff } from './back-off.ts';
import { answeringFirst } from './first-contact.ts';
import { guardHeaders } from './headers-guard.ts';
import { type NatsLink, watchConnection } from './link.ts';
import { tlsFailed, unauthorised, unreachable } from './nats-errors.ts';
import { readServerInfo } from './server-info.ts';
import { streamsApi } from './streams-api.ts';
import { requireTlsFiles } from './tls-files.ts';
import { requireNatsVersion } from './server/server-version.ts';

/** How to connect to NATS. */
export interface NatsConnectOptions {
  /** One server or several of a cluster: `nats://host:port`, `tls://host:port`; commas separate them too. */
  readonly servers: string | readonly string[];
  /** What the server's operator sees of us, such as `miner 0x…`. */
  readonly name: string;
  /** The seed of our nkey, `SU…`. */
  readonly nkeySeed?: string;
  /** The path of a credentials file (a token and its seed), as an operator of accounts hands it out. */
  readonly credentialsFile?: string;
  /** Demands encryption; the paths are of PEM files. Without `caFile` the system's authorities count. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** Where answers come in; a node of its own needs one of its own, `_INBOX_<address>`. */
  readonly inboxPrefix?: string;
  /** Where losses and returns of the connection are written. Default nowhere. */
  readonly log?: Log;
  /** How long a server that does not answer is tried at first, in milliseconds. Default 10 s. */
  readonly firstConnectMs?: number;
  /** How often the server must show that it lives, in milliseconds. Default 20 s; twice without is a loss. */
  readonly pingMs?: number;
  /** Ends the wait for a server. */
  readonly signal?: AbortSignal;
}

const defaultFirstConnectMs = 10_000;
const defaultPingMs = 20_000;
/** How long one try to connect may take. */
const dialMs = 5_000;
const firstRetryMs = 100;
/** How long one try to hear who a server is may take, at most and at least. */
const greetingMs = 2_000;
const greetingMsMin = 250;

/**
 * Connects to NATS. A connection that is lost later comes back by itself: it is tried for ever, with waits that grow
 * and differ from node to node.
 *
 * @throws PouwError `invalid_nats_url`, `invalid_nats_key`, `file_unreadable`, `nats_unreachable` after `firstConnectMs`,
 *   `nats_unauthorised`, `nats_tls_failed`, `nats_too_old`, `nats_payload_too_small`; the signal's reason.
 */
export async function connectNats(options: NatsConnectOptions): Promise<NatsLink> {
  guardHeaders();
  const servers = parseNatsUrls(options.servers);
  const backOff = createBackOff();
  const firstConnectMs = options.firstConnectMs ?? defaultFirstConnectMs;
  await requireTlsFiles(options.tls);
  const settings: NodeConnectionOptions = {
    servers,
    name: options.name,
    timeout: Math.min(dialMs, firstConnectMs),
    maxReconnectAttempts: -1,
    // A server whose configuration is being changed refuses keys for a moment.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => backOff.waitMs(),
    pingInterval: options.pingMs ?? defaultPingMs,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(await identity(options)),
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    ...(options.tls === undefined && !servers.some((url) => url.startsWith('tls:')) ? {} : { tls: { ...options.tls } }),
  };
  const connection = await firstConnect(settings, servers, firstConnectMs, options.signal);
  const log = options.log ?? silentLog;
  try {
    checkServer(connection, log);
    // Asked while the server is known: what is sent while it is away must go where it will look for it.
    streamsApi(connection);
    if (options.inboxPrefix !== undefined) setInboxPrefix(connection, options.inboxPrefix);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return watchConnection(connection, options.inboxPrefix ?? '_INBOX', log, {
    attempt: () => backOff.grow(),
    connected: () => backOff.reset(),
  });
}

async function firstConnect(
  settings: NodeConnectionOptions,
  servers: readonly string[],
  forMs: number,
  signal: AbortSignal | undefined,
): Promise<NatsConnection> {
  const giveUpAt = performance.now() + forMs;
  for (;;) {
    let isGreeted = false;
    try {
      const timeoutMs = Math.min(greetingMs, Math.max(greetingMsMin, giveUpAt - performance.now()));
      const inOrder = await answeringFirst(servers, { timeoutMs, signal });
      isGreeted = true;
      const reachable = { ...settings, servers: inOrder, noRandomize: true };
      await tryOnce(reachable);
      signal?.throwIfAborted();
      return await connect(reachable);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof PouwError) throw error;
      if (isAuthorizationError(error)) throw unauthorised(servers, error);
      if (isTlsError(error)) throw tlsFailed(servers, error);
      if (performance.now() + firstRetryMs > giveUpAt)
        throw isGreeted ? await whyNot(servers, error) : unreachable(servers, error);
      await sleep(firstRetryMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/**
 * Connects to the named servers only, and closes again: where none of them takes us, this says so. The client itself
 * would go round the servers that a cluster tells it of for ever, each of which it forgets and is told of again.
 */
async function tryOnce(settings: NodeConnectionOptions): Promise<void> {
  const connection = await connect({ ...settings, ignoreClusterUpdates: true, reconnect: false });
  await connection.close();
}

/** A server that does not accept a client's certificate, or misses it, hangs up without a word. */
async function whyNot(servers: readonly string[], error: unknown): Promise<PouwError> {
  for (const url of servers) {
    const info = await readServerInfo(url);
    if (info?.tls_verify === true)
      return tlsFailed(servers, new Error('It asks for a certificate, and takes none or not the one given.'));
  }
  return unreachable(servers, error);
}

async function identity({ nkeySeed, credentialsFile }: NatsConnectOptions): Promise<{ authenticator?: Authenticator }> {
  const encoder = new TextEncoder();
  try {
    if (nkeySeed !== undefined) {
      const authenticator = nkeyAuthenticator(encoder.encode(nkeySeed.trim()));
      // A seed that cannot sign is found out now and not by a server's refusal.
      authenticator('nonce');
      return { authenticator };
    }
    if (credentialsFile !== undefined) {
      const authenticator = credsAuthenticator(await readFile(credentialsFile));
      authenticator('nonce');
      return { authenticator };
    }
    return {};
  } catch (cause) {
    throw new PouwError('invalid_nats_key', 'The key for NATS cannot be used.', {
      class: 'invalid',
      // The cause's own message is not shown: it may quote the seed.
      why:
        credentialsFile === undefined
          ? 'It is not the seed of a user.'
          : `${credentialsFile} cannot be read, or holds no credentials.`,
      hint: 'A seed starts with SU and has 58 characters.',
      cause,
    });
  }
}

/** Splits and checks server addresses. @throws PouwError `invalid_nats_url`. */
export function parseNatsUrls(servers: string | readonly string[]): string[] {
  const urls = [servers]
    .flat()
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (urls.length === 0) throw invalidUrl('', 'No server is named.');
  for (const url of urls) {
    const parsed = URL.parse(url.includes('://') ? url : `nats://${url}`);
    if (parsed === null || !['nats:', 'tls:'].includes(parsed.protocol) || parsed.hostname === '')
      throw invalidUrl(url, 'It is not of the form nats://host:port or tls://host:port.');
    if (parsed.username !== '' || parsed.password !== '')
      throw invalidUrl(parsed.host, 'It has a name or password in it; nodes prove themselves with nkeys.');
  }
  return urls;
}

function invalidUrl(url: string, why: string): PouwError {
  return new PouwError('invalid_nats_url', `${url === '' ? 'The address' : url} is no address of a NATS server.`, {
    class: 'invalid',
    why,
    hint: 'Name servers as nats://127.0.0.1:4222, several with commas between them.',
    param: 'nats',
  });
}

/** The floor is the vendor's own default, so that a server that nobody configured works. */
function checkServer({ info }: NatsConnection, log: Log): void {
  if (info === undefined) return;
  const where = `${info.server_name} (${info.host}:${info.port})`;
  requireNatsVersion(info.version, where);
  const { max_payload: maxPayload } = info;
  if (maxPayload < limits.busMessageBytesMax) {
    throw new PouwError('nats_payload_too_small', `The NATS server ${where} takes messages of ${maxPayload} bytes.`, {
      class: 'unavailable',
      why: `pouw sends messages of ${limits.busMessageBytesMax} bytes, and headers.`,
      hint: `Set max_payload: ${limits.natsPayloadBytesMax} in the server's configuration.`,
      details: { maxPayload, needed: limits.natsPayloadBytesMax },
    });
  }
  if (maxPayload < limits.natsPayloadBytesMax)
    log.warn('the largest messages will not fit with their headers', {
      maxPayload,
      wanted: limits.natsPayloadBytesMax,
    });
}

function isAuthorizationError(error: unknown): boolean {
  return error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;
}

function isTlsError(error: unknown): boolean {
  const codes = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (
    /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(codes) ||
    /\btls\b|certificate/i.test(errorMessage(error))
  );
}

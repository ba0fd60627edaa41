import type { IncomingHttpHeaders } from 'node:http';
import { PouwError } from '../core/errors.ts';
import { sha256 } from '../core/hash.ts';
import type { SessionId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { GatewayNetwork } from '../ports/gateway-network.ts';

/** The WebSocket subprotocol of a task's updates; the server answers with it. */
export const socketProtocol = 'pouw.v1';

/** What a subprotocol that carries a key begins with: browsers can set no header on a WebSocket, but protocols. */
const keyProtocolPrefix = 'key.';

/** A key that is good, by its hash, and the session it is bound to. */
export interface KnownKey {
  readonly hash: string;
  readonly session: SessionId;
}

/**
 * The key of a request: `Authorization: Bearer KEY`, or on a WebSocket `Sec-WebSocket-Protocol: pouw.v1, key.KEY`.
 *
 * @throws PouwError `missing_api_key`, `invalid_api_key`.
 */
export function authenticate(headers: IncomingHttpHeaders, network: Pick<GatewayNetwork, 'authenticate'>): KnownKey {
  const key = bearerKey(headers.authorization) ?? protocolKey(headers['sec-websocket-protocol']);
  if (key === undefined) {
    throw new PouwError('missing_api_key', 'The request carries no API key.', {
      class: 'unauthorised',
      hint: 'Send it as "Authorization: Bearer KEY".',
    });
  }
  const hash = sha256(key);
  const session = key.length <= limits.apiKeyCharsMax ? network.authenticate(hash) : undefined;
  if (session === undefined) {
    throw new PouwError('invalid_api_key', 'This API key is bound to no session here.', {
      class: 'unauthorised',
      hint: 'Check the key, or bind it to a session first.',
    });
  }
  return { hash, session };
}

function bearerKey(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}

function protocolKey(header: string | undefined): string | undefined {
  const protocols = (header ?? '').split(',').map((protocol) => protocol.trim());
  return protocols.find((protocol) => protocol.startsWith(keyProtocolPrefix))?.slice(keyProtocolPrefix.length);
}

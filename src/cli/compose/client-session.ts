import { keccak256 } from '../../core/hash.ts';
import type { SessionId } from '../../core/ids.ts';
import { apiKeyHash, type KeyRing } from '../../core/key-ring.ts';
import type { ClientNode } from '../../nodes/client/client-node.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import { defaultTerms, demoDepositWei, type TermsOverrides } from './settings.ts';
import { waitFor } from './wait-for.ts';

/** A session of a client process and the key to use it with. */
export interface ClientSession {
  readonly session: SessionId;
  readonly apiKey: string;
}

/** What a client's session is opened with. */
export interface ClientSessionOptions {
  readonly client: ClientNode;
  readonly ports: NodePorts;
  readonly keys: KeyRing;
  readonly model: string;
  /** Which of its sessions for the model, from 0. */
  readonly number: number;
  readonly terms?: TermsOverrides;
  readonly onWait: (what: string, reason: string) => void;
}

/** Opens the client's session for a model, or finds the one it opened before, and has its routers take its key. */
export async function openClientSession(options: ClientSessionOptions): Promise<ClientSession> {
  const { client, ports, keys, model, number, terms, onWait } = options;
  const { clock, directory } = ports;
  const routers = directory.active('router').map(({ node }) => node);
  const request = keccak256(`pouw/client/${client.address}/${model}/${client.endedSessions(model)}/${number}`);
  const session = await client.openSession(request, defaultTerms(model, routers, terms), demoDepositWei);
  const apiKey = keys.apiKey(`client/${session}`);
  await waitFor('a router that owns the session', { clock, signal: client.base.stopping, onWait }, () =>
    client.bindKey(session, apiKeyHash(apiKey)),
  );
  return { session, apiKey };
}

import { PouwError } from '../../core/errors.ts';
import { keccak256 } from '../../core/hash.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { apiKeyHash, type KeyRing } from '../../core/key-ring.ts';
import { lessWei } from '../../core/wei.ts';
import type { ClientNode } from '../../nodes/client/client-node.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import { defaultTerms, demoDepositWei, type TermsOverrides } from './settings.ts';
import { waitFor, type WaitOptions } from './wait-for.ts';

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
  const wait: WaitOptions = { clock, signal: client.base.stopping, onWait };
  const request = keccak256(`pouw/client/${client.address}/${model}/${client.endedSessions(model)}/${number}`);
  if (!client.hasAsked(request)) {
    // A session keeps the routers it was opened with, and the contract refuses one whose deposit is not there.
    await waitFor('a router in the registry', wait, async () => requireRouter(ports));
    await waitFor('the money for its deposit', wait, () => requireDeposit(ports, client.address));
  }
  const routers = directory.active('router').map(({ node }) => node);
  const session = await client.openSession(request, defaultTerms(model, routers, terms), demoDepositWei);
  const apiKey = keys.apiKey(`client/${session}`);
  await waitFor('a router that owns the session', wait, () => client.bindKey(session, apiKeyHash(apiKey)));
  return { session, apiKey };
}

function requireRouter({ directory }: NodePorts): void {
  if (directory.active('router').length > 0) return;
  throw new PouwError('no_routers', 'No router is registered yet.', {
    class: 'unavailable',
    hint: 'Start the routers first, all of them: a session keeps those it was opened with.',
  });
}

async function requireDeposit({ chain }: NodePorts, wallet: Address): Promise<void> {
  if (!lessWei(await chain.corBalance(wallet), demoDepositWei)) return;
  const cor = (BigInt(demoDepositWei) / 10n ** 18n).toString();
  throw new PouwError('deposit_missing', `${wallet} does not hold the ${cor} $COR that it deposits.`, {
    class: 'unavailable',
    hint: `Send it ${cor} $COR; it opens its session then.`,
  });
}

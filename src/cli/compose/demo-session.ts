import { keccak256 } from '../../core/hash.ts';
import type { SessionId } from '../../core/ids.ts';
import { apiKeyHash } from '../../core/key-ring.ts';
import type { Wei } from '../../core/wei.ts';
import type { LocalNetwork } from './local-network.ts';
import { addressesOf } from './members.ts';
import { defaultTerms, demoDepositWei, type TermsOverrides } from './settings.ts';

/** An open session and the HTTP key that may use it. */
export interface DemoSession {
  readonly session: SessionId;
  readonly apiKey: string;
}

/**
 * Opens the demo client's session for a model, or finds the one it opened before, and binds its key. The
 * request id follows from the label, so that a restart opens no second one.
 */
export async function openDemoSession(
  network: LocalNetwork,
  model: string,
  label: string,
  overrides: TermsOverrides = {},
  depositWei: Wei = demoDepositWei,
): Promise<DemoSession> {
  const terms = defaultTerms(model, addressesOf(network.members, 'router'), overrides);
  const number = network.client.endedSessions(model);
  const session = await network.client.openSession(
    keccak256(`pouw/session/${label}/${model}/${number}`),
    terms,
    depositWei,
  );
  const apiKey = network.keys.apiKey(`${label}/${session}`);
  const { clock } = network.ports;
  // The chain's word reaches the router a moment after the wallet.
  const giveUpAt = clock.now() + 10_000;
  while (!network.index.sessions().includes(session) && clock.now() < giveUpAt) await clock.sleep(10);
  await network
    .leader(session)
    .dispatch(session, { type: 'BindApiKey', keyHash: apiKeyHash(apiKey) }, `key:${session}`);
  return { session, apiKey };
}

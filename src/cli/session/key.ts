import { systemClock, systemRandom } from '../../adapters/local/system-clock.ts';
import { apiKeyHash, apiKeyOf } from '../../core/key-ring.ts';
import { hexToBytes } from '../../core/hash.ts';
import type { SessionId } from '../../core/ids.ts';
import { sessionKeyDigest } from '../../core/session-key.ts';
import { sessionKeyBody } from '../../gateway/requests/wallet-request.ts';
import { openKeylessDoor } from '../plan/door.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { report } from '../wallet/report.ts';
import { withWallet } from '../wallet/wallet.ts';
import { poolUserOf } from './pool.ts';
import { notOwner, requireSession } from './require-session.ts';

/** How `pouw session key` is done. */
export interface KeyOptions extends PlaceOptions, AccountOptions {
  readonly url: string;
  readonly json?: boolean;
}

/** How long a signature may be handed to a router, in milliseconds: a key that is bound stays so. */
const goodMs = 600_000;

/** Makes an API key for a session and has a router take it. */
export async function makeSessionKey(session: SessionId, options: KeyOptions): Promise<void> {
  const place = await findPlace(options);
  await withWallet(place, accountOf(options, 'client'), async (wallet) => {
    const found = await requireSession(wallet.ledger, session, undefined);
    const owner = (await poolUserOf(wallet.ledger, found)) ?? found.client;
    if (owner !== wallet.address) throw notOwner(wallet.address, session);
    const apiKey = apiKeyOf(hexToBytes(systemRandom.bytes32()));
    const key = { session, keyHash: apiKeyHash(apiKey), goodUntil: systemClock.now() + goodMs };
    const whole = { ...key, goodUntil: Math.floor(key.goodUntil / 1_000) * 1_000 };
    const digest = sessionKeyDigest(wallet.ledger.deployment, whole);
    const signature = await wallet.chain.signDigest(wallet.address, digest);
    wallet.step(0, 1, 'key');
    const body = sessionKeyBody({ ...whole, signature });
    await openKeylessDoor(options).ask('POST', `/sessions/${session}/keys`, body);
    const sentence = 'Whoever has this key may use the session. It is shown this once.';
    await report(options.json, { session, apiKey, keyHash: key.keyHash }, sentence, { session, 'API key': apiKey });
  });
}

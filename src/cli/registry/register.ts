import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Role } from '../../core/ids.ts';
import type { Wei } from '../../core/wei.ts';
import { ensureRegistered } from '../compose/register.ts';
import { stakeWei as usualStakeWei } from '../compose/settings.ts';
import { accountOf, type AccountOptions } from '../wallet/account.ts';
import { findPlace, type PlaceOptions } from '../wallet/place.ts';
import { report } from '../wallet/report.ts';
import { withWallet } from '../wallet/wallet.ts';
import { requireNode } from './node-account.ts';
import { nodeFacts } from './show.ts';

/** What `pouw node register` was asked for. */
export interface RegisterOptions extends PlaceOptions, AccountOptions {
  readonly stake?: Wei;
  readonly signingKey?: Hex;
  readonly json?: boolean;
}

/** Registers a node. */
export async function registerNode(options: RegisterOptions): Promise<void> {
  const { role, stake, json } = options;
  if (role === undefined || role === 'deployer') throw roleMissing();
  const place = await findPlace(options);
  // The private key in the environment is one account, whatever its role will be.
  const { role: _, ...whose } = options;
  const isPrivateKey = options.key === undefined && Boolean(process.env['POUW_ACCOUNT_KEY']);
  const account = accountOf(isPrivateKey ? whose : options, role);
  const publicKey = options.signingKey ?? account.signingKey;
  if (publicKey === undefined) throw signingKeyMissing();
  await withWallet(place, account, async (wallet) => {
    const before = (await wallet.ledger.node(wallet.address)) !== undefined;
    wallet.step(0, 1, 'register');
    const member = { address: wallet.address, role, signer: { publicKey } };
    await ensureRegistered(wallet.chain, member, stake ?? usualStakeWei[role]);
    const record = await requireNode(wallet.ledger, wallet.address);
    const sentence = before
      ? `It was registered as a ${role} before; nothing was staked.`
      : `It is registered as a ${role}.`;
    await report(json, { ...record, before }, sentence, nodeFacts(record));
  });
}

/** The roles a node can have are all but the deployer's, who is none. */
function roleMissing(): PouwError {
  const roles: readonly Role[] = ['router', 'miner', 'validator', 'oracle', 'client'];
  return new PouwError('role_missing', 'The role to register in is not said.', {
    class: 'invalid',
    hint: `Name it with --role: one of ${roles.join(', ')}.`,
    param: 'role',
  });
}

function signingKeyMissing(): PouwError {
  return new PouwError('signing_key_missing', 'A node needs a signing key, and POUW_ACCOUNT_KEY has none.', {
    class: 'invalid',
    hint: 'Give its Ed25519 public key with --signing-key, or a key file with --key; `pouw keys` makes both.',
    param: 'signing-key',
  });
}

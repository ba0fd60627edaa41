import { join } from 'node:path';
import { makeDataFolder } from '../adapters/local/data-dir.ts';
import { keyFileName, openKeyFile } from '../adapters/local/key-file.ts';
import { systemRandom } from '../adapters/local/system-clock.ts';
import { addressOfNkey, nkeyFileName, openNkeyFile } from '../adapters/nats/nkey-file.ts';
import type { NatsRole } from '../adapters/nats/permissions.ts';
import type { Address } from '../core/ids.ts';
import { defaultEmbedder, defaultModel } from './compose/defaults.ts';
import { member } from './compose/members.ts';

/** The keys of a node, or of somebody else on NATS, as others may see them. */
export interface PublicKeys {
  readonly role: NatsRole;
  /** The account: pays and signs transactions. For an observer or operator only the name of its inbox. */
  readonly address: Address;
  /** The Ed25519 key that signs commits and messages; nodes have one. */
  readonly key?: string;
  /** The key it proves itself to NATS with. */
  readonly nkey: string;
  /** The models from whose queues a miner takes jobs. */
  readonly models?: readonly string[];
}

/** Whose keys, and where they are. */
export interface KeysOptions {
  readonly role: NatsRole;
  readonly data: string;
  readonly model?: readonly string[];
}

/** The public keys of the node whose data folder this is; makes folder and files where there are none. */
export function publicKeys({ role, data, model = [defaultModel, defaultEmbedder] }: KeysOptions): PublicKeys {
  makeDataFolder(data);
  const nkey = openNkeyFile(join(data, nkeyFileName));
  if (role === 'observer' || role === 'operator') return { role, address: addressOfNkey(nkey), nkey };
  const { address, signer } = member(openKeyFile(join(data, keyFileName), systemRandom), role, 0);
  return { role, address, key: signer.publicKey, nkey, ...(role === 'miner' ? { models: model } : {}) };
}

/** Prints them. */
export function showKeys({ json, ...options }: KeysOptions & { readonly json?: boolean }): void {
  const { role, address, key, nkey, models } = publicKeys(options);
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ role, address, key, nkey, models })}\n`);
    return;
  }
  const lines = Object.entries({
    role,
    account: key === undefined ? undefined : address,
    'signing key': key,
    nkey,
    models: models?.join(' '),
  });
  const shown = lines.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(13)}${value}`]));
  process.stdout.write(`${shown.join('\n')}\n`);
}

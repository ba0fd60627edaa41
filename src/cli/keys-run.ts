import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyFileName, openKeyFile } from '../adapters/local/key-file.ts';
import { systemRandom } from '../adapters/local/system-clock.ts';
import { nkeyFileName, openNkeyFile } from '../adapters/nats/nkey-file.ts';
import type { Address, Role } from '../core/ids.ts';
import { member } from './compose/members.ts';

/** A node's keys as others may see them. */
export interface PublicKeys {
  readonly role: Role;
  /** The account: pays and signs transactions. */
  readonly address: Address;
  /** The Ed25519 key that signs commits and messages. */
  readonly key: string;
  /** The key it proves itself to NATS with. */
  readonly nkey: string;
}

/** The public keys of the node whose data folder this is; makes folder and files where there are none. */
export function publicKeys(role: Role, folder: string): PublicKeys {
  mkdirSync(folder, { recursive: true });
  const { address, signer } = member(openKeyFile(join(folder, keyFileName), systemRandom), role, 0);
  return { role, address, key: signer.publicKey, nkey: openNkeyFile(join(folder, nkeyFileName)) };
}

/** Prints them. */
export function showKeys({ role, data, json }: { role: Role; data: string; json?: boolean }): void {
  const keys = publicKeys(role, data);
  if (json === true) process.stdout.write(`${JSON.stringify(keys)}\n`);
  else
    process.stdout.write(
      `  role         ${keys.role}\n  account      ${keys.address}\n  signing key  ${keys.key}\n  nkey         ${keys.nkey}\n`,
    );
}

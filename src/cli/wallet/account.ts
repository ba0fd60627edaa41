import { join } from 'node:path';
import { addressOfKey } from '../../adapters/chain/accounts.ts';
import { keyFileName, readKeyFile } from '../../adapters/local/key-file.ts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address, Role } from '../../core/ids.ts';
import { privateKey } from '../deployer-key.ts';
import { dataFolder } from './place.ts';

/** Whose account, as the command line says. */
export interface AccountOptions {
  readonly data?: string;
  readonly key?: string;
  readonly role?: AccountRole;
  readonly index?: number;
}

/** Who has accounts in a key file. */
export type AccountRole = Role | 'deployer';

/** An account and its key, which goes to the chain adapter and nowhere else. */
export interface Account {
  readonly address: Address;
  readonly accountKey: Hex;
  /** The public half of its Ed25519 key; only what comes from a key file has one. */
  readonly signingKey?: Hex;
}

/**
 * The account of a command: of the file of `--key`; else the private key in `POUW_ACCOUNT_KEY`; else of the file in
 * `POUW_KEY`; else of the keys in the data folder. A file has an account for each role and number.
 *
 * @throws PouwError `key_file_missing`, `key_file_malformed`, `invalid_key`.
 */
export function accountOf(options: AccountOptions, role: AccountRole, environment = process.env): Account {
  const own = environment['POUW_ACCOUNT_KEY'];
  if (options.key === undefined && own !== undefined && own !== '') {
    if (options.role !== undefined || options.index !== undefined) throw oneAccount();
    const accountKey = privateKey(own, 'POUW_ACCOUNT_KEY');
    return { address: addressOfKey(accountKey), accountKey };
  }
  const keys = readKeyFile(options.key ?? keyFileIn(environment) ?? join(dataFolder(options), keyFileName));
  const [of, index] = [options.role ?? role, options.index ?? 0];
  const accountKey = keys.account(of, index);
  const signing = of === 'deployer' ? {} : { signingKey: keys.signer(of, index).publicKey };
  return { address: addressOfKey(accountKey), accountKey, ...signing };
}

/** Applications keep an API key in a variable of the same name: that is no file. */
function keyFileIn(environment: NodeJS.ProcessEnv): string | undefined {
  const file = environment['POUW_KEY'];
  return file === undefined || file === '' || file.startsWith('pouw_') ? undefined : file;
}

function oneAccount(): PouwError {
  return new PouwError(
    'account_ambiguous',
    'POUW_ACCOUNT_KEY is one account; --role and --index choose one of a file.',
    {
      class: 'invalid',
      hint: 'Leave them out, or name a key file with --key.',
      param: 'role',
    },
  );
}

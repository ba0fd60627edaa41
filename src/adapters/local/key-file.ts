import { closeSync, existsSync, fchmodSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { KeyRing } from '../../core/key-ring.ts';
import type { Random } from '../../ports/clock.ts';

/** The name of the key file inside a data directory. */
export const keyFileName = 'keys.json';

/**
 * Opens the key file, or makes one that only its owner may read. The secret never leaves the key ring.
 *
 * @param signed files that only its secret can have made: where one of them is there, a missing key file is a lost one,
 *   and new keys would be strangers to the log and the chain.
 * @throws PouwError `key_file_missing`, `key_file_malformed`, `data_dir_unwritable`.
 */
export function openKeyFile(path: string, random: Random, signed: readonly string[] = []): KeyRing {
  const secret = readSecret(path);
  if (secret !== undefined) return new KeyRing(secret);
  const witness = signed.find((file) => existsSync(file));
  if (witness !== undefined) throw keyFileMissing(path, witness);
  return new KeyRing(makeSecret(path, random));
}

/**
 * Opens a key file that must be there.
 *
 * @throws PouwError `key_file_missing`, `key_file_malformed`, `data_dir_unwritable`.
 */
export function readKeyFile(path: string): KeyRing {
  const secret = readSecret(path);
  if (secret !== undefined) return new KeyRing(secret);
  throw new PouwError('key_file_missing', `There is no key file ${path}.`, {
    class: 'not-found',
    hint: 'Name the keys.json of the account with --key or its folder with --data, or put a private key into POUW_ACCOUNT_KEY. `pouw keys` makes a file.',
    param: 'key',
  });
}

function keyFileMissing(path: string, witness: string): PouwError {
  return new PouwError('key_file_missing', `The key file ${path} is missing.`, {
    class: 'corrupt',
    why: `${witness} was made with its keys, and new ones own none of the accounts, stakes and sessions.`,
    hint: 'Restore it from a copy, or use another --data directory: without it this network’s accounts are lost. `pouw sim` keeps no keys: its directory is for `pouw log` and `pouw replay`.',
  });
}

function readSecret(path: string): Hex | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unusable(path, error);
  }
  try {
    const value = JSON.parse(text) as { v?: unknown; secret?: unknown };
    if (value.v === 1 && typeof value.secret === 'string' && /^0x[0-9a-f]{64}$/.test(value.secret))
      return value.secret as Hex;
  } catch {
    // Falls through: what is not JSON is no key file either.
  }
  throw new PouwError('key_file_malformed', `${path} is not a key file of pouw.`, {
    class: 'corrupt',
    hint: 'Restore it from a copy, or use another --data directory: without it this network’s accounts are lost.',
  });
}

function makeSecret(path: string, random: Random): Hex {
  const secret = random.bytes32();
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      fchmodSync(file, 0o600);
      writeSync(file, `${JSON.stringify({ v: 1, secret })}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unusable(path, error);
  }
  return secret;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unusable(path: string, cause: unknown): PouwError {
  return new PouwError('data_dir_unwritable', `The key file ${path} cannot be used.`, {
    class: 'unavailable',
    cause,
    hint: 'Check who may write there, or use another --data directory.',
  });
}

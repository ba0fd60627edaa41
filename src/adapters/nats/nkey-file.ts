import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createUser, fromSeed, type KeyPair } from '@nats-io/nkeys';
import { errorMessage, PouwError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { type Address, toAddress } from '../../core/ids.ts';

/** The name of the file with a node's nkey inside its data folder. */
export const nkeyFileName = 'nats.nk';

/**
 * The public nkey of a seed file; the file is made, for its owner's eyes only, where there is none. The key is a node's
 * own for NATS alone: a server chooses what it has signed, so it must not be the key that signs commits.
 *
 * @throws PouwError `invalid_nats_key` for a file that holds no seed or cannot be used.
 */
export function openNkeyFile(path: string): string {
  try {
    return publicOf(readFileSync(path));
  } catch (error) {
    if (!isMissing(error)) throw unusable(path, error);
  }
  const pair = createUser();
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      writeSync(file, Buffer.concat([pair.getSeed(), Buffer.from('\n')]));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return pair.getPublicKey();
  } catch (error) {
    throw unusable(path, error);
  } finally {
    pair.clear();
  }
}

/**
 * The seed in a file and the public key it belongs to.
 *
 * @throws PouwError `invalid_nats_key` for a file that holds no seed or cannot be read.
 */
export function readNkeyFile(path: string): { readonly seed: string; readonly nkey: string } {
  try {
    const text = readFileSync(path);
    return { seed: text.toString('utf8').trim(), nkey: publicOf(text) };
  } catch (error) {
    throw unusable(path, error);
  }
}

/**
 * The address by which somebody goes on NATS who is no node and so has no account, such as an operator: 20 bytes of the
 * hash of its public nkey. Its answers go to an inbox of that name.
 */
export function addressOfNkey(nkey: string): Address {
  return toAddress(`0x${sha256(nkey).slice(0, 40)}`);
}

function publicOf(text: Uint8Array): string {
  const pair: KeyPair = fromSeed(Buffer.from(Buffer.from(text).toString('utf8').trim()));
  const key = pair.getPublicKey();
  pair.clear();
  if (!key.startsWith('U')) throw new Error('it is not the seed of a user');
  return key;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unusable(path: string, cause: unknown): PouwError {
  return new PouwError('invalid_nats_key', `The file ${path} with the key for NATS cannot be used.`, {
    class: 'invalid',
    // What the file holds is not quoted: it may be most of a seed.
    why:
      isMissing(cause) || (cause instanceof Error && 'code' in cause)
        ? errorMessage(cause)
        : 'It holds no seed of a user.',
    hint: 'Restore it, or move it away to have another one made; the servers must then be told the new public key.',
  });
}

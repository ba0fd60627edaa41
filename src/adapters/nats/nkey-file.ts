import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createUser, fromSeed, type KeyPair } from '@nats-io/nkeys';
import { errorMessage, PouwError } from '../../core/errors.ts';

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

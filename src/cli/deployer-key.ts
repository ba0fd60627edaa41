import { PouwError } from '../core/errors.ts';
import type { Hex } from '../core/hash.ts';

/** The private key in POUW_DEPLOYER_KEY; undefined where it is not set. @throws PouwError `invalid_key`. */
export function deployerKey(text: string | undefined): Hex | undefined {
  return text === undefined || text === '' ? undefined : privateKey(text, 'POUW_DEPLOYER_KEY');
}

/** A private key in a variable of the environment. @throws PouwError `invalid_key`, which never shows it. */
export function privateKey(text: string, variable: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase() as Hex;
  throw new PouwError('invalid_key', `${variable} is not a private key.`, {
    class: 'invalid',
    hint: 'It is 0x and 64 hex digits.',
  });
}

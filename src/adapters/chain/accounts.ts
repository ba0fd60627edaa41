import type { LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { PouwError } from '../../core/errors.ts';
import type { Hex } from '../../core/hash.ts';
import { type Address, toAddress } from '../../core/ids.ts';

/** The address of a secp256k1 private key, 32 bytes. @throws PouwError `invalid_key`, which never shows the key. */
export function addressOfKey(key: Hex): Address {
  return toAddress(accountOfKey(key).address);
}

/** The account of a private key; signs here, the key goes nowhere. @throws PouwError `invalid_key`. */
export function accountOfKey(key: Hex): LocalAccount {
  try {
    return privateKeyToAccount(key);
  } catch {
    // The cause is left out on purpose: its message may hold the key.
    throw new PouwError('invalid_key', 'That is not a private key of an account.', {
      class: 'invalid',
      why: 'A private key is 0x and 64 hexadecimal digits, and not zero.',
    });
  }
}

import { addressOfKey } from '../../adapters/chain/accounts.ts';
import type { Signer } from '../../core/ed25519.ts';
import type { Hex } from '../../core/hash.ts';
import type { Address, Role } from '../../core/ids.ts';
import type { KeyRing } from '../../core/key-ring.ts';
import type { NodeCounts } from './settings.ts';

/** Somebody with an account and a signing key. */
export interface Member {
  readonly role: Role;
  readonly index: number;
  readonly address: Address;
  /** The private key of the account; goes to the chain adapter and nowhere else. */
  readonly accountKey: Hex;
  readonly signer: Signer;
}

/** The nodes of a local network and its demo client. */
export function membersOf(keys: KeyRing, counts: NodeCounts): Member[] {
  const wanted: readonly (readonly [Role, number])[] = [
    ['client', 1],
    ['router', counts.routers],
    ['miner', counts.miners],
    ['validator', counts.validators],
    ['oracle', counts.oracles],
  ];
  return wanted.flatMap(([role, count]) => Array.from({ length: count }, (_, index) => member(keys, role, index)));
}

/** One member by its role and number. A key file of one node makes it number 0. */
export function member(keys: KeyRing, role: Role, index: number): Member {
  const accountKey = keys.account(role, index);
  return { role, index, address: addressOfKey(accountKey), accountKey, signer: keys.signer(role, index) };
}

/** The address of a member, for reports. */
export function addressesOf(members: readonly Member[], role: Member['role']): Address[] {
  return members.filter((one) => one.role === role).map((one) => one.address);
}

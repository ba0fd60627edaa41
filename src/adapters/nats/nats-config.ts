import { fromPublic } from '@nats-io/nkeys';
import { PouwError } from '../../core/errors.ts';
import { natsPermissions, type NatsPeer, streamsForMembers } from './permissions.ts';
import { type NatsServerSettings, type NatsUser, renderServerConfig } from './server/server-config.ts';

/** A peer and the key it proves itself with. */
export interface NatsMember extends NatsPeer {
  /** The public nkey, `U` and 55 more characters. */
  readonly nkey: string;
}

/**
 * The whole configuration of a server for a network: each member may connect with its key and use the subjects of its
 * role and address, and nobody else may connect. Every server of a cluster needs the same members. The same input gives
 * the same text, in the order of the members' keys.
 *
 * @throws PouwError `invalid_nats_member` for no members, for what is no key, and for a key or an inbox that two members share.
 */
export function renderNatsConfig(
  members: readonly NatsMember[],
  settings: Omit<NatsServerSettings, 'users' | 'accounts'>,
): string {
  // To a server, a list without users means that anybody may come.
  if (members.length === 0) throw nobody();
  members.forEach((member, index) => checkMember(member, members.slice(0, index)));
  const sorted = members.toSorted((a, b) => (a.nkey < b.nkey ? -1 : 1));
  const users = (isKeeper: boolean): NatsUser[] =>
    sorted
      .filter(({ role }) => (role === 'operator') === isKeeper)
      .map(({ nkey, ...peer }) => ({ nkey, ...natsPermissions(peer) }));
  return renderServerConfig({
    ...settings,
    accounts: { keepers: users(true), members: users(false), ...streamsForMembers },
  });
}

function checkMember({ nkey, role, address }: NatsMember, others: readonly NatsMember[]): void {
  // What was given is not quoted: it may be the secret seed.
  if (!isUserKey(nkey)) throw invalid(address, 'What it has is not the public key of a user, which begins with U.');
  if (others.some((other) => other.nkey === nkey)) throw invalid(address, 'Another member has the same key.');
  // Two members with one inbox would read each other's answers.
  if (others.some((other) => other.address === address))
    throw invalid(address, `Another member, beside this ${role}, has the same address.`);
}

function isUserKey(nkey: string): boolean {
  if (!nkey.startsWith('U')) return false;
  try {
    fromPublic(nkey);
    return true;
  } catch {
    return false;
  }
}

function invalid(address: string, why: string): PouwError {
  return new PouwError('invalid_nats_member', `${address} cannot be a member of the NATS network.`, {
    class: 'invalid',
    why,
    hint: 'Give every node an address and an nkey of its own.',
    details: { address },
  });
}

function nobody(): PouwError {
  return new PouwError('invalid_nats_member', 'A NATS network has members.', {
    class: 'invalid',
    hint: 'Name at least an operator, who makes the streams, and a router.',
  });
}

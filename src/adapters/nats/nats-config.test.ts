import { createAccount, createUser } from '@nats-io/nkeys';
import { expect, test } from 'vitest';
import { pouwError } from '../../../test/features/pouw-error.ts';
import { toAddress } from '../../core/ids.ts';
import { type NatsMember, renderNatsConfig } from './nats-config.ts';

const settings = { name: 'pouw', host: '0.0.0.0', port: 4222, jetStream: { directory: '/store' } };

function member(digit: string, change: Partial<NatsMember> = {}): NatsMember {
  return { role: 'miner', address: toAddress(`0x${digit.repeat(40)}`), nkey: createUser().getPublicKey(), ...change };
}

test('a configuration has one user for each member, and is the same in whatever order they are given', () => {
  const members = [member('1'), member('2', { role: 'router' }), member('3', { role: 'operator' })];
  const text = renderNatsConfig(members, settings);
  for (const { nkey, address } of members) {
    expect(text).toContain(`nkey: "${nkey}"`);
    expect(text).toContain(`"_INBOX_${address}.>"`);
  }
  expect(text.match(/nkey: /g)).toHaveLength(3);
  expect(text).toContain('listen: "0.0.0.0:4222"');
  expect(renderNatsConfig(members.toReversed(), settings)).toBe(text);
});

test('a network without members, which to a server would be one for everybody, is refused', () => {
  expect(() => renderNatsConfig([], settings)).toThrow(pouwError('invalid_nats_member'));
});

test('a member without a key of a user is refused, and what it has instead is not shown', () => {
  const seed = new TextDecoder().decode(createUser().getSeed());
  for (const nkey of ['', 'U', seed, createAccount().getPublicKey(), `${createUser().getPublicKey().slice(0, -1)}!`]) {
    let thrown: unknown;
    try {
      renderNatsConfig([member('1', { nkey })], settings);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(pouwError('invalid_nats_member'));
    expect(JSON.stringify(thrown)).not.toContain(seed.slice(2, 20));
  }
});

test('members that share a key or an address are refused', () => {
  const one = member('1');
  const refused = pouwError('invalid_nats_member');
  expect(() => renderNatsConfig([one, member('2', { nkey: one.nkey })], settings)).toThrow(refused);
  expect(() => renderNatsConfig([one, member('1', { role: 'router' })], settings)).toThrow(refused);
});

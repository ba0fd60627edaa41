import { afterEach, expect, test } from 'vitest';
import { limits } from '../core/limits.ts';
import { type Role, toAddress } from '../core/ids.ts';
import type { RegisteredNode } from '../ports/chain.ts';
import { NodeDirectory } from './directory.ts';

// The real bound takes long to reach; what happens at it does not depend on its size.
const bounds = limits as { registryNodesMax: number };
const real = { ...bounds };
afterEach(() => void Object.assign(bounds, real));

const address = (number: number) => toAddress(`0x${number.toString(16).padStart(40, '0')}`);
const record = (number: number, role: Role): RegisteredNode => ({
  node: address(number),
  roles: [role],
  key: `0x${number.toString(16).padStart(64, '0')}`,
  stakeWei: '0' as RegisteredNode['stakeWei'],
  active: true,
});

test('it knows nodes up to a bound, and clients up to the same, apart', () => {
  bounds.registryNodesMax = 2;
  const directory = new NodeDirectory();
  directory.load([1, 2, 3].map((number) => record(number, 'client')));
  directory.load([4, 5, 6].map((number) => record(number, 'miner')));
  const known = [1, 2, 3, 4, 5, 6].filter((number) => directory.keyOf(address(number)) !== undefined);
  expect(known).toEqual([1, 2, 4, 5]);
  expect(directory.isActive(address(5), 'miner')).toBe(true);
  directory.apply({ type: 'NodeActiveSet', node: address(5), active: false, place: {} as never });
  expect(directory.isActive(address(5), 'miner')).toBe(false);
  expect(directory.active('miner').map(({ node }) => node)).toEqual([address(4)]);
});

import { describe, expect, it } from 'vitest';
import { nodes } from '../../../test/fixtures/signed-log.ts';
import { keccak256 } from '../../core/hash.ts';
import { oneCor, timesWei, zeroWei } from '../../core/wei.ts';
import type { Chain, ChainCall, NodeRecord } from '../../ports/chain.ts';
import { ensureModels, ensureRegistered } from './register.ts';

const { address, signer } = nodes.miner;
const member = { address, role: 'miner', signer } as const;
const stakeWei = timesWei(oneCor, 100);

/** A chain on which an account is registered so, or not at all and holds something. */
function chainWith(record: Partial<NodeRecord> | undefined, holdsWei = zeroWei): Chain {
  return { node: async () => record, corBalance: async () => holdsWei } as unknown as Chain;
}

describe('a node whose account is not as it should be', () => {
  it('is told which stake is missing', async () => {
    const refused = ensureRegistered(chainWith(undefined, timesWei(oneCor, 99)), member, stakeWei);
    await expect(refused).rejects.toMatchObject({ code: 'stake_missing', class: 'unavailable' });
    await expect(refused).rejects.toThrow(`${address} is not registered and does not hold its stake of 100 $COR.`);
  });

  it('does not start in another role, nor with another signing key', async () => {
    const registered = { roles: ['oracle'], key: signer.publicKey } as const;
    await expect(ensureRegistered(chainWith(registered), member, stakeWei)).rejects.toMatchObject({
      code: 'wrong_role',
    });
    const otherKey = { roles: ['miner'], key: nodes.router.signer.publicKey } as const;
    await expect(ensureRegistered(chainWith(otherKey), member, stakeWei)).rejects.toMatchObject({
      code: 'wrong_signing_key',
    });
  });

  it('starts where all is as it was registered', async () => {
    const registered = { roles: ['miner'], key: signer.publicKey } as const;
    await expect(ensureRegistered(chainWith(registered), member, stakeWei)).resolves.toBeUndefined();
  });
});

describe('the models of a miner', () => {
  async function callsFor(listed: readonly string[], models: readonly string[]): Promise<ChainCall[]> {
    const calls: ChainCall[] = [];
    const chain = {
      servedModels: async () => listed.map((model) => keccak256(model)),
      block: async () => ({ number: 7 }),
      send: async (_: unknown, call: ChainCall) => void calls.push(call),
    } as unknown as Chain;
    await ensureModels(chain, address, models);
    return calls;
  }

  it('are listed where they are missing, and what it serves no more is taken off first', async () => {
    expect(await callsFor(['old', 'chat'], ['chat', 'embed'])).toEqual([
      { call: 'dropModels', modelHashes: [keccak256('old')] },
      { call: 'serveModels', models: ['embed'] },
    ]);
  });

  it('cost nothing where they are as they were', async () => {
    expect(await callsFor(['embed', 'chat'], ['chat', 'embed'])).toEqual([]);
  });
});

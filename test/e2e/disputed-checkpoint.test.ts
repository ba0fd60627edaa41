import { afterAll, describe, expect, it } from 'vitest';
import { incentives } from '../../src/adapters/chain/economy.ts';
import { type Standing, standingsTree } from '../../src/core/checkpoint.ts';
import { digestToCid } from '../../src/core/cid.ts';
import { hashJson } from '../../src/core/hash.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Chain, ChainCall } from '../../src/ports/chain.ts';
import type { PostedCheckpoint } from '../../src/ports/reputation.ts';
import { ask, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';

/** An epoch that ends within the test, and time enough to see each state of a checkpoint on a busy machine. */
const quick = { epochS: 60, disputeS: 30, rulingS: 30 };
const counts = { routers: 1, miners: 3, validators: 2, oracles: 3 };

type Post = Extract<ChainCall, { readonly call: 'postCheckpoint' }>;

describe('oracles that run', () => {
  const folder = scratch('disputed');
  let on: TestNetwork;
  /** What the first oracle to lead would have posted, had it not been replaced. */
  let replaced: Post['checkpoint'] | undefined;

  /** The same checkpoint, with another level for each node, signed by the keys of a quorum: stolen, or in league. */
  async function falsified({ checkpoint }: Post): Promise<Post> {
    const { reputation, ports, oracles } = on.network;
    const read = await ports.content.get(digestToCid(checkpoint.manifestDigest), { timeoutMs: 5_000 });
    const { standings, ...rest } = read as unknown as JsonObject & { readonly standings: readonly Standing[] };
    const lifted = standings.map((standing) => ({ ...standing, level: 10 }));
    const manifest = { ...rest, standings: lifted };
    await ports.content.put(manifest);
    const root = standingsTree(lifted).root;
    const lie = { ...checkpoint, root, manifestDigest: `0x${hashJson(manifest)}` as const };
    const signers = oracles.map(({ address }) => address).toSorted();
    const signatures = await Promise.all(signers.slice(0, 2).map((oracle) => reputation.sign(oracle, lie)));
    return { call: 'postCheckpoint', checkpoint: lie, signatures };
  }

  const wrapChain = (chain: Chain): Chain => ({
    ...chain,
    send: async (from, call, effect) => {
      if (call.call !== 'postCheckpoint' || replaced !== undefined) return chain.send(from, call, effect);
      replaced = call.checkpoint;
      return chain.send(from, await falsified(call), effect);
    },
  });

  afterAll(async () => {
    await on?.network.stop(5_000);
    folder.remove();
  });

  it('bring a false checkpoint down, get the bond back, and post the right one, which counts', async () => {
    const options = { counts, incentives: { ...incentives, ...quick }, checkpointEveryMs: 500, wrapChain };
    on = await startTestNetwork(folder.path, options);
    const { reputation, ports, oracles, miners } = on.network;
    const { chain } = ports;
    const asked = ['dog', 'cat', 'horse', 'tree'].map((word) => ask(on, `What is a ${word}?`, { maxTokens: 8 }));
    for (const { view } of await Promise.all(asked)) expect(view.state).toBe('settled');
    const held = (account: (typeof oracles)[number]['address']): Promise<string> => chain.corBalance(account);
    const before = await Promise.all(oracles.map(({ address }) => held(address)));
    const seen: PostedCheckpoint[] = [];
    const counted = async (): Promise<boolean> => {
      const { newest } = await reputation.state();
      const last = seen.at(-1);
      const isNew = last?.checkpoint.root !== newest?.checkpoint.root || last?.state !== newest?.state;
      if (newest !== undefined && isNew) seen.push(newest);
      return newest?.state === 'final';
    };
    await expect.poll(counted, { timeout: 200_000, interval: 50 }).toBe(true);
    const right = { ...replaced!, revision: 1 };
    const [first] = seen;
    expect(first?.checkpoint).toMatchObject({ epoch: 1, revision: 0 });
    expect(first?.checkpoint.root).not.toBe(right.root);
    expect(seen.at(-1)).toMatchObject({ state: 'final', disputer: undefined, checkpoint: right });
    const disputes = seen.filter(({ state }) => state === 'disputed');
    expect(disputes.map(({ disputer }) => oracles.some(({ address }) => address === disputer))).toEqual([true]);

    // Each oracle has all that it had beside its stake, and the contract nothing.
    expect(await Promise.all(oracles.map(({ address }) => held(address)))).toEqual(before);
    expect(await held(chain.deployment.reputation)).toBe('0');

    // Nobody got the levels of the lie; all three miners were honest four times.
    const levels = async (): Promise<unknown[]> =>
      Promise.all(miners.map(async ({ address }) => (await chain.node(address))?.level));
    const manifest = await ports.content.get(digestToCid(right.manifestDigest), { timeoutMs: 5_000 });
    const { standings } = manifest as unknown as { readonly standings: readonly Standing[] };
    const wanted = miners.map(({ address }) => standings.find(({ node }) => node === address)?.level);
    expect(wanted).toEqual([1, 1, 1]);
    await expect.poll(levels, { timeout: 20_000, interval: 200 }).toEqual(wanted);
  }, 280_000);
});

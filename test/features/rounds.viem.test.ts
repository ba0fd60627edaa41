import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRoundsChain } from '../../src/adapters/chain/rounds.ts';
import { type LocalChain, startLocalChain } from './chain.local-chain.ts';
import { RoundStage, slotS } from './chain.round-stage.ts';
import { roundsFeatures } from './rounds.features.ts';
import { startRpcProxy } from './rpc-proxy.ts';

// One for all: it takes longer to start than what is read of it.
let local: LocalChain;
let stage: RoundStage;

beforeAll(async () => {
  local = await startLocalChain();
  stage = new RoundStage(local);
}, 120_000);
afterAll(() => local.close());

roundsFeatures('viem on anvil', async () => {
  const { anvil, deployment, chain, cast } = local;
  return {
    rounds: await openRoundsChain({ rpcUrl: anvil.url, deployment }),
    stage,
    chain,
    cast,
    passTime: (seconds) => local.passTime(seconds),
    lost: async () => {
      const proxy = await startRpcProxy(anvil.url);
      const rounds = await openRoundsChain({ rpcUrl: proxy.url, deployment, retryMs: 1 });
      await proxy.close();
      return rounds;
    },
    close: () => Promise.resolve(),
  };
});

test('the terms of rounds are those that were deployed', async () => {
  const rounds = await openRoundsChain({ rpcUrl: local.anvil.url, deployment: local.deployment });
  expect(await rounds.terms()).toMatchObject({ slotS, createS: 60, prepareS: 60, graceS: 30 });
});

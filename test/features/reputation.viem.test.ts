import { afterAll, beforeAll } from 'vitest';
import { openReputationChain } from '../../src/adapters/chain/reputation.ts';
import { castKeys, type LocalChain, startLocalChain } from './chain.local-chain.ts';
import { RoundStage } from './chain.round-stage.ts';
import { reputationFeatures } from './reputation.features.ts';
import { startRpcProxy } from './rpc-proxy.ts';

// One for all: it takes longer to start than what is read of it.
let local: LocalChain;
let stage: RoundStage;

beforeAll(async () => {
  local = await startLocalChain();
  stage = new RoundStage(local);
}, 120_000);
afterAll(() => local.close());

reputationFeatures('viem on anvil', async () => {
  const { anvil, deployment, chain, cast } = local;
  const options = { deployment, accounts: castKeys };
  return {
    reputation: await openReputationChain({ ...options, rpcUrl: anvil.url }),
    stage,
    chain,
    cast,
    passTime: (seconds) => local.passTime(seconds),
    lost: async () => {
      const proxy = await startRpcProxy(anvil.url);
      const reputation = await openReputationChain({ ...options, rpcUrl: proxy.url, retryMs: 1 });
      await proxy.close();
      return reputation;
    },
    close: () => Promise.resolve(),
  };
});

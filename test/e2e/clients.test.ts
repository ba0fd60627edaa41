import { afterAll, beforeAll } from 'vitest';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { wei } from '../../src/core/wei.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { openaiClientChecks } from './client-checks.ts';
import type { ClientTarget } from './client-target.ts';

const place = scratch('clients');
let on: TestNetwork | undefined;
let gateway: Gateway | undefined;
let target: ClientTarget | undefined;

beforeAll(async () => {
  on = await startTestNetwork(place.path);
  const { network, demo } = on;
  const poor = await openDemoSession(network, network.engine.model, 'poor', {}, wei(1));
  gateway = createGateway({ network: network.front, clock: systemClock, random: systemRandom });
  const { url } = await gateway.listen('127.0.0.1', 0);
  const { model, embedder } = network.engine;
  target = {
    url,
    apiKey: demo.apiKey,
    poorApiKey: poor.apiKey,
    model,
    longQuestion: 'Tell me a story about the sea.',
    embeddingModel: embedder,
    dimensions: 384,
    tokenIds: { ids: [87, 262, 506, 68], text: 'the sea' },
  };
});
afterAll(async () => {
  await gateway?.close();
  await on?.network.stop(5_000);
  place.remove();
});

openaiClientChecks(() => {
  if (target === undefined) throw new Error('the network is not up');
  return target;
});

import { afterAll, beforeAll } from 'vitest';
import { systemClock, systemRandom } from '../../src/adapters/local/system-clock.ts';
import {
  createTransformersInference,
  type TransformersInference,
} from '../../src/adapters/transformers/transformers-inference.ts';
import { oneCor, wei } from '../../src/core/wei.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { openaiClientChecks } from '../e2e/client-checks.ts';
import type { ClientTarget } from '../e2e/client-target.ts';
import { InferenceNetwork } from './inference-network.ts';

let inference: TransformersInference;
let gateway: Gateway;
let target: ClientTarget;

beforeAll(async () => {
  inference = await createTransformersInference({ device: 'cpu', workers: 1, offline: true });
  await inference.load('pebble-chat');
  await inference.load('pebble-embed');
  const network = new InferenceNetwork({
    inference,
    chatModel: 'pebble-chat',
    balances: { 'rich-key': oneCor, 'poor-key': wei(5) },
  });
  gateway = createGateway({ network, clock: systemClock, random: systemRandom });
  const { url } = await gateway.listen('127.0.0.1', 0);
  target = {
    url,
    apiKey: 'rich-key',
    poorApiKey: 'poor-key',
    model: 'pebble-chat',
    longQuestion: 'Tell me a story about the sea.',
    embeddingModel: 'pebble-embed',
    dimensions: 384,
    tokenIds: { ids: [87, 262, 506, 68], text: 'the sea' },
  };
});

afterAll(async () => {
  await gateway.close();
  await inference.close();
});

openaiClientChecks(() => target);

import { expect, test } from 'vitest';
import { nodes } from '../../../test/fixtures/signed-log.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { emptyRouter } from '../../../actors/router/context.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import { buildNodes, type LocalNodes, untilReady } from './local-nodes.ts';

test('a network without a client is not built', () => {
  const build = () => buildNodes({}, [], {} as never, {} as never, {} as never, {} as never);
  expect(build).toThrow(expect.objectContaining({ code: 'no_client' }));
});

test('nodes that do not hear of each other are given up', async () => {
  const clock = new VirtualClock({ startMs: 0, settle: async () => undefined });
  const router = { book: async () => emptyRouter, presence: { isAlive: () => false } };
  const network = { routers: [router], miners: [{ address: nodes.miner.address }], validators: [] };
  const waiting = untilReady(network as unknown as LocalNodes, { clock } as unknown as NodePorts);
  const outcome = waiting.catch((error: unknown) => error);
  await clock.advance(60_000);
  expect(await outcome).toMatchObject({ code: 'network_not_ready', class: 'timeout' });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { minerActor } from '../../actors/miner/definition.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { streamId } from '../../src/core/ids.ts';
import { ask, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';

const place = scratch('pressure');
let on: TestNetwork;

beforeAll(async () => {
  const counts = { routers: 1, miners: 3, validators: 1, oracles: 1 };
  on = await startTestNetwork(place.path, { counts, minerCapacity: 2 }, { validators: 1 });
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

it('tasks beyond what the miners take wait for their turn; nobody is accused', async () => {
  const asked = Array.from({ length: 9 }, (_, index) => ask(on, `What is a ${['dog', 'river', 'horse'][index % 3]}?`));
  const views = (await Promise.all(asked)).map(({ view }) => view);
  expect(views.map((view) => view.state)).toEqual(views.map(() => 'settled'));
  expect(views.flatMap((view) => view.miners).filter((miner) => miner.phase === 'timed-out')).toEqual([]);
  const miners = on.network.miners.map(({ base, address }) => base.host.state(minerActor, streamId('miner', address)));
  for (const { state } of await Promise.all(miners)) expect(state.context.counts).toMatchObject({ done: 9, failed: 0 });
});

it('of requests under one id at the same moment one is answered, the same ones with it, others refused', async () => {
  const requestId = keccak256('at once');
  const asked = Array.from({ length: 8 }, (_, index) =>
    ask(on, index % 2 === 0 ? 'What is a dog?' : 'Hello', { requestId }),
  );
  const ended = await Promise.allSettled(asked);
  const answered = ended.filter((one) => one.status === 'fulfilled');
  const refused = ended.filter((one) => one.status === 'rejected');
  expect(answered).toHaveLength(4);
  expect(new Set(answered.map(({ value }) => value.view.task)).size).toBe(1);
  expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(
    refused.map(() => 'request_id_reused'),
  );
});

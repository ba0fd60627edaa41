import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { headers } from 'nats';
import { expect, test } from 'vitest';
import { ownConsumerName } from '../../src/adapters/nats/store/names.ts';
import { streamsClient } from '../../src/adapters/nats/streams-api.ts';
import { eventSubject, heartbeatSubject } from '../../src/messages/subjects.ts';
import { aMoment, eventually } from './feature.ts';
import { names, natsNetwork, patienceMs, peers, streamOf } from './nats-network.ts';

// What a member may ask of JetStream, so that the server does to others what the member itself may not.
const network = natsNetwork();
const rival = peers.rival.address;

test.each(['snap', 'done', 'node'] as const)(
  'a miner does not have the server forget what others have in the bucket %s',
  async (name) => {
    const [key, own] = [streamOf('rival'), streamOf('miner')].map((stream) => `$KV.${names.bucket(name)}.${stream}`);
    await streamsClient(network.rival.link.connection).publish(key!, 'mine');
    for (const rollup of ['all', 'sub']) {
      const wish = headers();
      wish.set('Nats-Rollup', rollup);
      const wished = streamsClient(network.miner.link.connection).publish(own!, 'all', { headers: wish });
      await expect(wished).rejects.toThrow('rollup not permitted');
    }
    const wanted = `$JS.nodes.API.DIRECT.GET.KV_${names.bucket(name)}.${key}`;
    const answer = await network.rival.link.connection.request(wanted, '', { timeout: patienceMs });
    expect(answer.string()).toBe('mine');
  },
);

test('what a miner has the server say under the name of a rival is not taken, and not held against the rival', async () => {
  const { miner, router } = network;
  const own = eventSubject(streamOf('miner'));
  const reply = heartbeatSubject('miner', rival);
  await streamsClient(miner.link.connection).publish(own, 'a letter to myself');
  const create = `$JS.nodes.API.CONSUMER.CREATE.${names.log}.${ownConsumerName(peers.miner.address)}.${own}`;
  const config = { name: ownConsumerName(peers.miner.address), filter_subject: own, ack_policy: AckPolicy.None };
  const made = JSON.stringify({ stream_name: names.log, config: { deliver_policy: DeliverPolicy.All, ...config } });
  await miner.link.connection.request(create, made, { timeout: patienceMs });

  const taken: string[] = [];
  const beyond: string[] = [];
  const onExcess = (sender: string): void => void beyond.push(sender);
  const perSender = { perS: 1, atOnce: 2, onExcess, known: () => [rival] };
  const subscription = router.bus.subscribe(
    'pouw.v1.hb.*.*',
    ({ data }) => void taken.push(Buffer.from(data).toString()),
    { perSender },
  );
  await router.link.connection.flush();
  for (let time = 0; time < 20; time += 1) {
    miner.link.connection.publish(`$JS.nodes.API.DIRECT.GET.${names.log}.${own}`, '', { reply });
    miner.link.connection.publish(`$JS.nodes.API.STREAM.INFO.${names.log}`, '', { reply });
    miner.link.connection.publish(own, 'stored, and said to be', { reply });
    const pull = `$JS.nodes.API.CONSUMER.MSG.NEXT.${names.log}.${ownConsumerName(peers.miner.address)}`;
    miner.link.connection.publish(pull, '{"batch":2,"no_wait":true}', { reply });
  }
  await miner.link.connection.flush();
  await aMoment(300);
  network.rival.bus.publish(reply, Buffer.from('alive'));
  await eventually('the heartbeat of the rival', () => taken.length > 0, patienceMs);
  await subscription.close();
  expect({ taken, beyond }).toEqual({
    taken: ['alive'],
    beyond: [],
  });
});

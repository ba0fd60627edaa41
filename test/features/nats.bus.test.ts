import { headers } from 'nats';
import { createUser } from '@nats-io/nkeys';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { createNatsBus } from '../../src/adapters/nats/bus/nats-bus.ts';
import { connectNats, type NatsConnectOptions } from '../../src/adapters/nats/connect.ts';
import type { NatsLink } from '../../src/adapters/nats/link.ts';
import type { NatsServer } from '../../src/adapters/nats/server/server-process.ts';
import { limits } from '../../src/core/limits.ts';
import type { Bus } from '../../src/ports/bus.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { bytes, listen, text } from './bus.harness.ts';
import { aMoment, eventually } from './feature.ts';
import { pouwError } from './pouw-error.ts';

const patienceMs = 20_000;
const user = createUser();
const seed = new TextDecoder().decode(user.getSeed());

const nats = sharedNatsServer();
const small = sharedNatsServer({ settings: { maxPayloadBytes: limits.busMessageBytesMax } });
const guarded = sharedNatsServer({
  settings: {
    users: [
      {
        nkey: user.getPublicKey(),
        publish: ['allowed.>', '_ANSWER.*.*.*'],
        subscribe: ['allowed.>', '_INBOX_a.>', '_ANSWER.a.>'],
      },
    ],
  },
});

/** A node: a bus, its link, and what it has reported. */
interface Node {
  readonly bus: Bus;
  readonly link: NatsLink;
  readonly errors: unknown[];
}

const nodes: Node[] = [];
afterEach(async () => {
  for (const { bus, link } of nodes.splice(0)) {
    await bus.drain();
    await link.close();
  }
});

async function node(
  server: NatsServer,
  options: Partial<NatsConnectOptions> & { readonly clock?: Clock } = {},
): Promise<Node> {
  const { clock = systemClock, ...more } = options;
  const link = await connectNats({ servers: server.url, name: 'test', ...more });
  const errors: unknown[] = [];
  const bus = createNatsBus({ link, clock, onError: (error) => void errors.push(error) });
  const made = { bus, link, errors };
  nodes.push(made);
  return made;
}

/** Waits until the server knows of everything that a node has subscribed to. */
async function settled({ link }: Node): Promise<void> {
  await link.connection.flush();
}

describe('nodes in different processes', () => {
  test('hear, ask and answer each other, with headers', async () => {
    const [one, two] = [await node(await nats()), await node(await nats())];
    const heard = listen(one.bus, 'hb.*');
    one.bus.subscribe('cmd', ({ data, headers: sent, respond }) => respond(bytes(`${text(data)} ${sent?.['trace']}`)));
    await settled(one);
    two.bus.publish('hb.two', bytes('up'));
    const answer = await two.bus.request('cmd', bytes('hello'), { timeoutMs: patienceMs, headers: { trace: 't' } });
    expect(text(answer)).toBe('hello t');
    await eventually('the heartbeat', () => heard.length === 1, patienceMs);
    expect(heard).toEqual(['hb.two=up']);
  });

  test('share the work of a queue group', async () => {
    const members = [await node(await nats()), await node(await nats())];
    const heard = members.map(({ bus }) => listen(bus, 'job.*', 'q'));
    for (const member of members) await settled(member);
    const { bus } = await node(await nats());
    for (let index = 0; index < 100; index++) bus.publish(`job.${index}`, bytes(''));
    await eventually('all', () => heard.flat().length === 100, patienceMs);
    for (const some of heard) expect(some.length).toBeGreaterThan(20);
  });

  test('see neither answers to others nor what servers say, however wide they listen', async () => {
    const [wide, one] = [await node(await nats()), await node(await nats())];
    const heard = ['>', '*.>', '*.*.*'].map((pattern) => listen(wide.bus, pattern));
    one.bus.subscribe('cmd', ({ respond }) => respond(bytes('secret')));
    await settled(wide);
    await one.bus.request('cmd', bytes('a'), { timeoutMs: patienceMs });
    one.link.connection.publish('$KV.x.y', 'b');
    await eventually('the request', () => heard[0]?.length === 1, patienceMs);
    await aMoment();
    expect(heard).toEqual([['cmd=a'], [], []]);
  });

  test('do not answer where an asker wants a message in their name', async () => {
    const [one, two] = [await node(await nats()), await node(await nats())];
    one.bus.subscribe('cmd', ({ data, respond }) => respond(data));
    const forged = listen(one.bus, 'pouw.evt.>');
    await settled(one);
    two.link.connection.publish('cmd', 'forged', { reply: 'pouw.evt.session.1' });
    expect(text(await two.bus.request('cmd', bytes('real'), { timeoutMs: patienceMs }))).toBe('real');
    await aMoment();
    expect([forged, one.errors]).toEqual([[], []]);
  });

  test('see of foreign headers those that pouw could have sent', async () => {
    const [one, two] = [await node(await nats()), await node(await nats())];
    const heard: unknown[] = [];
    one.bus.subscribe('a', (message) => void heard.push(message.headers));
    await settled(one);
    const sent = headers();
    for (const [name, value] of [
      ['trace', 'yes'],
      ['Nats-Msg-Id', 'no'],
      ['other', 'ä'],
    ] as const)
      sent.set(name, value);
    two.link.connection.publish('a', 'x', { headers: sent });
    sent.delete('trace');
    two.link.connection.publish('a', 'x', { headers: sent });
    await eventually('both', () => heard.length === 2, patienceMs);
    expect(heard).toEqual([{ trace: 'yes' }, undefined]);
  });
});

describe('a server that goes away', () => {
  test('fails requests at once, loses and counts messages, and hears nothing of it when it is back', async () => {
    const server = await nats();
    const { bus, link, errors } = await node(server);
    const heard = listen(bus, 'a');
    bus.subscribe('cmd', () => undefined);
    const asked = bus.request('cmd', bytes(''), { timeoutMs: 600_000 }).catch((error: unknown) => error);
    await link.connection.flush();
    await server.kill();
    expect(await asked).toEqual(pouwError('bus_disconnected'));
    await eventually('the loss', () => !link.isUp(), patienceMs);
    for (let index = 0; index < 3; index++) bus.publish('a', bytes('lost'));
    await expect(bus.request('cmd', bytes(''), { timeoutMs: 600_000 })).rejects.toEqual(pouwError('bus_disconnected'));
    expect(errors).toEqual([]);
    await server.restart();
    await eventually('the return', () => link.isUp(), patienceMs);
    bus.publish('a', bytes('heard'));
    await eventually('a message', () => heard.length === 1, patienceMs);
    expect(heard).toEqual(['a=heard']);
    expect(errors).toEqual([pouwError('bus_messages_lost', { details: { messages: 3 } })]);
  });

  test('closes the bus when its link is closed', async () => {
    const { bus, link } = await node(await nats());
    bus.subscribe('cmd', () => undefined);
    const asked = bus.request('cmd', bytes(''), { timeoutMs: 600_000 }).catch((error: unknown) => error);
    await link.connection.flush();
    await link.close();
    expect(await asked).toEqual(pouwError('bus_closed'));
    expect(() => bus.publish('a', bytes(''))).toThrow(pouwError('bus_closed'));
    expect(() => bus.subscribe('a', () => undefined)).toThrow(pouwError('bus_closed'));
    await expect(bus.request('a', bytes(''), { timeoutMs: 1 })).rejects.toEqual(pouwError('bus_closed'));
  });
});

describe('bounds', () => {
  test('what a server does not take is lost beyond the bound, and counted', async () => {
    const server = await nats();
    const [sender, receiver] = [await node(server), await node(server)];
    let heard = 0;
    receiver.bus.subscribe('a', () => void (heard += 1));
    await settled(receiver);
    const message = new Uint8Array(limits.busMessageBytesMax);
    const fits = Math.floor(limits.natsOutboundBytesMax / (message.length + 1));
    server.pause();
    for (let index = 0; index < fits + 5; index++) sender.bus.publish('a', message);
    server.resume();
    await eventually('what fits', () => heard === fits, patienceMs);
    await settled(sender);
    sender.bus.publish('a', bytes('again'));
    await eventually('another one', () => heard === fits + 1, patienceMs);
    expect(sender.errors).toEqual([pouwError('bus_messages_lost', { details: { messages: 5 } })]);
  });

  test('a message that fits here and not on the server, with its headers, is refused', async () => {
    const { bus } = await node(await small());
    const heard = listen(bus, 'a');
    const largest = new Uint8Array(limits.busMessageBytesMax);
    bus.publish('a', largest);
    await eventually('the largest', () => heard.length === 1, patienceMs);
    expect(() => bus.publish('a', largest, { headers: { a: 'b' } })).toThrow(pouwError('message_too_large'));
  });

  test('a drain closes over a handler that hangs, and says so once', async () => {
    const clock = new VirtualClock();
    const { bus, link, errors } = await node(await nats(), { clock });
    let called = false;
    bus.subscribe('a', () => {
      called = true;
      return new Promise(() => undefined);
    });
    bus.publish('a', bytes('1'));
    bus.publish('a', bytes('2'));
    await eventually('the handler to hang', () => called, patienceMs);
    const drained = bus.drain();
    await link.connection.flush();
    await clock.advance(limits.busDrainMsMax);
    await drained;
    expect(errors).toEqual([pouwError('bus_drain_timeout')]);
    expect(() => bus.publish('a', bytes(''))).toThrow(pouwError('bus_closed'));
  });
});

describe('a server that refuses subjects', () => {
  test('fails a request at once and reports the rest', async () => {
    const { bus, errors } = await node(await guarded(), { nkeySeed: seed, inboxPrefix: '_INBOX_a' });
    const refused = pouwError('nats_forbidden', { class: 'forbidden' });
    await expect(bus.request('secret.a', bytes(''), { timeoutMs: 600_000 })).rejects.toEqual(refused);
    expect(errors).toEqual([]);
    bus.publish('secret.b', bytes(''));
    bus.subscribe('secret.c', () => undefined);
    await eventually('both reports', () => errors.length === 2, patienceMs);
    expect(errors).toEqual([
      pouwError('nats_forbidden', { details: { operation: 'publish', subject: 'secret.b' } }),
      pouwError('nats_forbidden', { details: { operation: 'subscribe', subject: 'secret.c' } }),
    ]);
    bus.subscribe('allowed.a', ({ respond }) => respond(bytes('still here')));
    expect(text(await bus.request('allowed.a', bytes(''), { timeoutMs: patienceMs }))).toBe('still here');
  });

  test('fails requests at once whose answers the node may not hear', async () => {
    const { bus, errors } = await node(await guarded(), { nkeySeed: seed, inboxPrefix: '_INBOX_b' });
    const refused = pouwError('nats_forbidden', {
      details: expect.objectContaining({ operation: 'subscribe' }) as unknown,
    });
    for (let times = 0; times < 2; times++) {
      await expect(bus.request('allowed.a', bytes(''), { timeoutMs: 600_000 })).rejects.toEqual(refused);
    }
    expect(errors).toEqual([]);
  });
});

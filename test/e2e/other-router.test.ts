import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandSubject, tokenSubject } from '../../src/messages/subjects.ts';
import { decodeReply, openMessage, sealMessage } from '../../src/messages/envelope.ts';
import { type TokenBody, tokenBody } from '../../src/messages/bodies.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { limits } from '../../src/core/limits.ts';
import { type Address, taskId } from '../../src/core/ids.ts';
import { defaultTerms, demoDepositWei } from '../../src/cli/compose/settings.ts';
import { Front } from '../../src/nodes/front/front.ts';
import { Plans } from '../../src/nodes/front/plans.ts';
import type { RouterNode } from '../../src/nodes/router/router-node.ts';
import type { Bus } from '../../src/ports/bus.ts';
import type { TaskUpdate } from '../../src/ports/gateway-network.ts';
import type { TaskView } from '../../src/ports/task-views.ts';
import { present } from '../../src/core/assert.ts';
import { chat, scratch, shortDeadlines, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';

const place = scratch('other-router');
const story = 'Tell me a story about a fox and a river.';
let on: TestNetwork;
let owner: RouterNode;
let other: RouterNode;
/** What clients of the router that does not own the session see. */
let front: Front;

function frontOf(router: RouterNode): Front {
  const { index, engine, client } = on.network;
  const { inference, embedder } = engine;
  const made = new Front({ routers: [router], index, inference, wallet: client, embedder });
  router.onTaskEnded = (...ended) => made.taskEnded(...ended);
  return made;
}

beforeAll(async () => {
  on = await startTestNetwork(place.path);
  const { routers } = on.network;
  owner = on.network.leader(on.demo.session);
  other = present(
    routers.find((router) => router !== owner),
    'another router',
  );
  front = frontOf(other);
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

const never = new AbortController().signal;

/** Reads updates to their end. */
async function readAll(
  updates: AsyncIterable<TaskUpdate>,
): Promise<{ text: string; tokens: number[]; view: TaskView }> {
  let text = '';
  const tokens: number[] = [];
  for await (const update of updates) {
    if (update.type === 'token' || update.type === 'done') text += update.text;
    if (update.type === 'token') tokens.push(update.index);
    if (update.type === 'verdict' || update.type === 'failed') return { text, tokens, view: update.view };
  }
  throw new Error('the updates ended without a last one');
}

describe('a router that does not own a session', () => {
  it('shows it, and has its owner take tasks, whose words it relays as they come', async () => {
    expect(other.owns(on.demo.session)).toBe(false);
    expect(await front.session(on.demo.session)).toEqual(await on.network.front.session(on.demo.session));
    const { task, created, updates } = await front.submit(chat(on, story, { maxTokens: 96 }), never);
    expect(created).toBe(true);
    expect(await front.task(task)).toMatchObject({ task });
    const { text, tokens, view } = await readAll(updates);
    expect(view).toMatchObject({ state: 'settled', text, streamed: 'match' });
    expect(tokens).toEqual(tokens.map((_, index) => index));
    expect(tokens.length).toBeGreaterThan(30);
    expect((await front.tasks(on.demo.session, { limit: 1 })).tasks).toMatchObject([{ task, text }]);
  });

  it('gives the same request the same task, here and at the owner, and refuses another under its id', async () => {
    const requestId = keccak256('the same request');
    const asked = chat(on, 'What is a dog?', { requestId });
    const both = await Promise.all([
      front.submit(asked, never),
      on.network.front.submit(asked, never),
      front.submit(asked, never),
    ]);
    expect(new Set(both.map(({ task }) => task))).toEqual(new Set([taskId(on.demo.session, requestId)]));
    expect(both.filter(({ created }) => created)).toHaveLength(1);
    const texts = await Promise.all(both.map(async ({ updates }) => (await readAll(updates)).text));
    expect(new Set(texts).size).toBe(1);
    const reused = front.submit(chat(on, 'Another prompt', { requestId }), never);
    await expect(reused).rejects.toMatchObject({ code: 'request_id_reused', class: 'invalid' });
    const late = await front.submit(asked, never);
    expect(late.created).toBe(false);
    expect((await readAll(late.updates)).text).toBe(texts[0]);
  });

  it('has its owner take a plan, whole, and shows it to its end', async () => {
    const { index, engine } = on.network;
    const plans = new Plans({ front, index, inference: engine.inference });
    const { session: _, delivery: __, ...first } = chat(on, 'Define dog.', { maxTokens: 16 });
    const { session: ___, delivery: ____, ...second } = chat(on, 'Define: {{first}}', { maxTokens: 16 });
    const steps = [
      { name: 'first', after: [], task: first },
      { name: 'second', after: ['first'], task: second },
    ];
    const plan = keccak256('a plan');
    const asked = { session: on.demo.session, plan, steps };
    expect((await plans.submit(asked, never)).created).toBe(true);
    expect((await plans.submit(asked, never)).created).toBe(false);
    await expect.poll(async () => (await plans.plan(plan))?.state, { timeout: 30_000 }).toBe('settled');
    const reused = plans.submit({ ...asked, steps: steps.slice(0, 1) }, never);
    await expect(reused).rejects.toMatchObject({ code: 'request_id_reused' });
  });

  it('hands on what the owner refuses as the owner says it', async () => {
    const { session } = on.demo;
    const refused = (by: Front): Promise<unknown> =>
      by.submit(chat(on, 'Hello', { maxPriceWei: '1' as never }), never).then(
        () => undefined,
        (error: unknown) => error,
      );
    const [here, there] = [await refused(front), await refused(on.network.front)];
    expect(here).toMatchObject({ code: (there as { code: string }).code, message: (there as Error).message });
    expect(here).toMatchObject({ class: 'invalid', hint: (there as { hint: string }).hint });
    await expect(front.cancel(`0x${'9'.repeat(64)}` as never, 'x')).rejects.toMatchObject({ code: 'task_not_found' });
    await expect(front.session(`${session}9` as never)).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('has its owner cancel a task', async () => {
    const { task, updates } = await front.submit(chat(on, story, { maxTokens: 160 }), never);
    const reading = readAll(updates);
    const view = await front.cancel(task, 'the client asked for it');
    expect(view.task).toBe(task);
    expect((await reading).view).toMatchObject({ state: 'refunded', failure: { code: 'task_cancelled' } });
    expect((await front.cancel(task, 'again')).state).toBe('refunded');
  });

  it('goes on with a stream after the token that a client has, for who comes in its middle too', async () => {
    const { task, updates } = await on.network.front.submit(chat(on, story, { maxTokens: 120 }), never);
    let have = '';
    let last = -1;
    for await (const update of updates) {
      if (update.type === 'token') [have, last] = [have + update.text, update.index];
      if (last === 20) break;
    }
    const careful: TaskUpdate[] = [];
    const waiting = (async () => {
      for await (const update of front.watch(task, never, { delivery: 'verified' })) careful.push(update);
    })();
    const rest = await readAll(front.watch(task, never, { after: last }));
    expect(rest.tokens[0]).toBe(21);
    expect(have + rest.text).toBe(rest.view.text);
    await waiting;
    const words = careful.findIndex(({ type }) => type === 'token' || type === 'done');
    expect(careful.slice(words).some(({ type }) => type === 'state')).toBe(false);
    expect(careful[words - 1]).toMatchObject({ type: 'state', state: 'settled' });
    const ended = await readAll(front.watch(task, never, { after: last }));
    expect(have + ended.text).toBe(rest.view.text);
  });

  it('shows the whole text in place of its end where the words are gone', async () => {
    const { task, updates } = await on.network.front.submit(chat(on, 'What is a horse?'), never);
    const { text } = await readAll(updates);
    const seen: TaskUpdate[] = [];
    for await (const update of front.watch(task, never, { after: 3 })) seen.push(update);
    expect(seen.map(({ type }) => type)).toEqual(['state', 'done', 'verdict']);
    expect(seen[1]).toMatchObject({ text, isWhole: true });
  });
});

describe('words that are lost on the bus', () => {
  it('are sent again by the miner, wherever in the answer they were', async () => {
    const { bus } = on.network.ports;
    const lost = new Set([0, 5, 6, 40]);
    const said = new Map<string, number>();
    let dropped = 0;
    const isLost = (subject: string, data: Uint8Array): boolean => {
      if (!subject.startsWith('pouw.v1.tok.')) return false;
      const seq = said.get(subject) ?? 0;
      said.set(subject, seq + 1);
      return lost.has(seq) || new TextDecoder().decode(data).includes('"done"');
    };
    const lossy: Bus = {
      publish: (subject, data, options) => {
        if (isLost(subject, data)) dropped += 1;
        else bus.publish(subject, data, options);
      },
      subscribe: (...subscribed) => bus.subscribe(...subscribed),
      request: (...asked) => bus.request(...asked),
      drain: () => bus.drain(),
    };
    const { miners } = on.network;
    for (const { base } of miners) Object.assign(base.ports, { bus: lossy });
    try {
      for (const by of [front, on.network.front]) {
        const { updates } = await by.submit(chat(on, story, { maxTokens: 64 }), never);
        const { text, tokens, view } = await readAll(updates);
        expect(text).toBe(view.text);
        expect(tokens).toEqual(Array.from({ length: view.outputTokens }, (_, index) => index));
        expect(view.streamed).not.toBe('mismatch');
      }
    } finally {
      for (const { base } of miners) Object.assign(base.ports, { bus });
    }
    expect(dropped).toBeGreaterThan(6);
  });
});

describe('forwarded commands', () => {
  /** Sends a signed command to the owner and returns its answer. */
  async function send(verb: 'submit' | 'cancel', message: Uint8Array): Promise<unknown> {
    const { from } = JSON.parse(new TextDecoder().decode(message)) as { from: Address };
    const subject = commandSubject('router', owner.address, verb, from);
    return decodeReply(subject, await on.network.ports.bus.request(subject, message, { timeoutMs: 5_000 }));
  }

  function cancelBy(node: { base: RouterNode['base'] }, id: string, more: object = {}): Uint8Array {
    const { identity } = node.base;
    const task = taskId(on.demo.session, keccak256('the same request'));
    const body = { session: on.demo.session, task, reason: 'no', at: on.network.ports.clock.now(), ...more };
    const subject = commandSubject('router', owner.address, 'cancel', identity.address);
    return sealMessage(subject, id, identity.address, body, identity.signer);
  }

  it('are taken once, while they are fresh, and of routers only', async () => {
    const message = cancelBy(other, 'one');
    expect(await send('cancel', message)).toEqual({ ok: true });
    expect(await send('cancel', message)).toMatchObject({ ok: false, code: 'command_repeated' });
    const at = on.network.ports.clock.now() - limits.forwardedWriteAgeMsMax - 1;
    expect(await send('cancel', cancelBy(other, 'two', { at }))).toMatchObject({ code: 'command_expired' });
    const miner = present(on.network.miners[0], 'a miner');
    expect(await send('cancel', cancelBy(miner, 'three'))).toMatchObject({ code: 'sender_not_allowed' });
    expect(await send('cancel', cancelBy(on.network.client, 'four'))).toMatchObject({ code: 'sender_not_allowed' });
    const moved = await send('submit', cancelBy(other, 'five'));
    expect(moved).toMatchObject({ ok: false, code: 'message_malformed' });
  });

  it('are taken for sessions that are owned, whose terms name the sender', async () => {
    const session = `${on.demo.session}7`;
    expect(await send('cancel', cancelBy(other, 'six', { session }))).toMatchObject({ code: 'sender_not_allowed' });
    const { address, signer } = owner.base.identity;
    const subject = commandSubject('router', other.address, 'cancel', address);
    const task = taskId(on.demo.session, keccak256('the same request'));
    const body = { session: on.demo.session, task, reason: 'no', at: on.network.ports.clock.now() };
    const message = sealMessage(subject, 'seven', address, body, signer);
    const answer = decodeReply(subject, await on.network.ports.bus.request(subject, message, { timeoutMs: 5_000 }));
    expect(answer).toMatchObject({ ok: false, code: 'not_owner', class: 'unavailable' });
  });

  it('are refused where the terms leave a router out, which shows the session all the same', async () => {
    const { client, engine, index } = on.network;
    const terms = defaultTerms(engine.model, [owner.address]);
    const session = await client.openSession(keccak256('a session of one router'), terms, demoDepositWei);
    await expect.poll(() => index.routersOf(session), { timeout: 20_000 }).toEqual([owner.address]);
    expect(await front.session(session)).toMatchObject({ session, state: 'open' });
    const refused = front.submit(chat(on, 'Hello', { session }), never);
    await expect(refused).rejects.toMatchObject({ code: 'router_not_listed', details: { routers: [owner.address] } });
    expect(await send('cancel', cancelBy(other, 'eight', { session }))).toMatchObject({ code: 'sender_not_allowed' });
    const { task, updates } = await on.network.front.submit(chat(on, 'What is a dog?', { session }), never);
    const shown = readAll(front.watch(task, never));
    expect((await shown).text).toBe((await readAll(updates)).text);
    await expect(front.cancel(task, 'no')).rejects.toMatchObject({ code: 'task_not_cancellable' });
  });

  it('ask a miner for words that it signs as it did when it said them', async () => {
    const { task, updates } = await front.submit(chat(on, 'Define water.'), never);
    const { view } = await readAll(updates);
    const { miner } = present(view.miners[0], 'a miner of the task');
    const ask = async (by: { base: RouterNode['base'] }, from: number): Promise<unknown> => {
      const { address, signer } = by.base.identity;
      const subject = commandSubject('miner', miner, 'resend', address);
      const message = sealMessage(subject, `ask:${from}`, address, { task, attempt: 0, from }, signer);
      return decodeReply(subject, await on.network.ports.bus.request(subject, message, { timeoutMs: 5_000 }));
    };
    const all = (await ask(other, 0)) as { value: { chunks: object[]; more: boolean } };
    expect(all.value.more).toBe(false);
    const spoken = tokenSubject(on.demo.session, task, miner);
    const chunks = all.value.chunks.map((raw): TokenBody => {
      const bytes = new TextEncoder().encode(JSON.stringify(raw));
      return openMessage(tokenBody, spoken, bytes, on.network.ports.directory.keyOf).body;
    });
    expect(chunks.map(({ text }) => text).join('')).toBe(view.text);
    expect(((await ask(other, 2)) as typeof all).value.chunks).toHaveLength(all.value.chunks.length - 2);
    const rival = present(on.network.miners[1], 'a miner');
    expect(await ask(rival, 0)).toMatchObject({ ok: false, code: 'sender_not_allowed' });
  });
});

describe('words that a miner has from one that died', () => {
  it('are the beginning of the answer for who joins late, too', async () => {
    const { client, engine, index, miners, routers } = on.network;
    const alone = { ...shortDeadlines, redundancy: 1, validators: 1 };
    const terms = defaultTerms(
      engine.model,
      routers.map(({ address }) => address),
      alone,
    );
    const session = await client.openSession(keccak256('a session of one miner'), terms, demoDepositWei);
    const isOwned = (): boolean => routers.some((router) => router.owns(session));
    await expect.poll(() => index.routersOf(session).length > 0 && isOwned(), { timeout: 20_000 }).toBe(true);
    const elsewhere = present(
      routers.find((router) => !router.owns(session)),
      'a router that does not own it',
    );
    const { task, updates } = await on.network.front.submit(chat(on, story, { session, maxTokens: 160 }), never);
    let shown: Promise<{ text: string; tokens: number[] }> | undefined;
    let text = '';
    let view: TaskView | undefined;
    for await (const update of updates) {
      if (update.type === 'token' || update.type === 'done') text += update.text;
      if (update.type === 'verdict') ({ view } = update);
      if (update.type !== 'token') continue;
      const { primary, joins } = present(await on.network.front.task(task), 'the task');
      if (update.index === 12) await miners.find(({ address }) => address === primary)?.stop(0);
      if (joins.length > 0) shown ??= readAll(frontOf(elsewhere).watch(task, never));
    }
    expect(view).toMatchObject({ state: 'settled', text });
    expect(view?.joins).toHaveLength(1);
    const late = await present(shown, 'what the late watcher saw');
    expect(late.text).toBe(text);
    expect(late.tokens).toEqual(late.tokens.map((_, at) => at));
    expect(late.tokens.length).toBeGreaterThan(13);
  });
});

describe('when a session changes hands', () => {
  it('the stream of who watches at its next owner goes on, and a client of the last one goes on there', async () => {
    const { task, updates } = await on.network.front.submit(chat(on, story, { maxTokens: 160 }), never);
    const elsewhere = readAll(front.watch(task, never));
    let have = '';
    let last = -1;
    const reading = (async () => {
      for await (const update of updates) {
        if (update.type === 'token') [have, last] = [have + update.text, update.index];
        if (last === 10) await owner.stop(0);
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'task_unwatched' });
    const resumed = await readAll(front.watch(task, never, { after: last }));
    expect(other.owns(on.demo.session)).toBe(true);
    const { text, view, tokens } = await elsewhere;
    expect(text).toBe(view.text);
    expect(tokens).toEqual(tokens.map((_, index) => index));
    expect(have + resumed.text).toBe(view.text);
    expect(view.streamed).toBe('match');
  });
});

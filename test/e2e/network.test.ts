import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minerActor } from '../../actors/miner/definition.ts';
import { openJobCount } from '../../actors/miner/jobs.ts';
import { streamId, taskId } from '../../src/core/ids.ts';
import { openDemoSession } from '../../src/cli/compose/demo-session.ts';
import { commandSubject } from '../../src/messages/subjects.ts';
import { decodeReply, sealMessage } from '../../src/messages/envelope.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { limits } from '../../src/core/limits.ts';
import { resultRoot } from '../../src/core/precommit.ts';
import { rankByRendezvous } from '../../src/core/selection.ts';
import { keccak256 } from '../../src/core/hash.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { wei } from '../../src/core/wei.ts';
import { resultContent, selectionContent } from '../../src/messages/bodies.ts';
import { isMoneyConserved } from '../../src/sim/report.ts';
import { isConserved } from '../../actors/session/money.ts';
import { random } from '../../src/sim/attacks/random.ts';
import { ask, chat, scratch, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';

const place = scratch('network');
let on: TestNetwork;

beforeAll(async () => {
  on = await startTestNetwork(place.path);
});
afterAll(async () => {
  await on?.network.stop(5_000);
  place.remove();
});

describe('a task, end to end', () => {
  it('is answered, agreed on, settled and paid for', async () => {
    const { text, view, updates } = await ask(on, 'What is a dog?');
    expect(text).toBe(
      'A dog is a member of the genus Canis that has been domesticated by man since prehistoric times.',
    );
    expect(view).toMatchObject({ state: 'settled', text, streamed: 'match', finishReason: 'stop' });
    expect(view.miners.map((miner) => miner.verdict)).toEqual(['honest', 'honest', 'honest']);
    const states = updates.flatMap((update) => (update.type === 'state' ? [update.state] : []));
    expect(states).toEqual(['queued', 'assigned', 'executing', 'precommitted', 'committed', 'validated', 'settled']);
    const paid = view.payments.reduce((sum, payment) => sum + BigInt(payment.amountWei), 0n);
    expect(paid).toBe(BigInt(view.priceWei));
    expect(view.payments.filter((payment) => payment.role === 'miner')).toHaveLength(3);
  });

  it('reaches the client token by token while miners still work', async () => {
    const { updates } = await ask(on, 'Define water.');
    const firstToken = updates.findIndex((update) => update.type === 'token');
    const precommitted = updates.findIndex((update) => update.type === 'state' && update.state === 'precommitted');
    expect(firstToken).toBeGreaterThan(0);
    expect(firstToken).toBeLessThan(precommitted);
  });

  it('is settled on what was delivered, and the rest of its escrow comes back', async () => {
    const before = (await on.network.front.session(on.demo.session)).money;
    const { view } = await ask(on, 'Hello', { maxTokens: 128 });
    const after = (await on.network.front.session(on.demo.session)).money;
    const { promptTokenWei, outputTokenWei } = (await on.network.front.session(on.demo.session)).terms;
    expect(BigInt(view.priceWei)).toBe(
      BigInt(promptTokenWei) * BigInt(view.promptTokens) + BigInt(outputTokenWei) * BigInt(view.outputTokens),
    );
    expect(BigInt(before.balanceWei) - BigInt(after.balanceWei)).toBe(BigInt(view.priceWei));
    expect(isConserved(after)).toBe(true);
    expect(isMoneyConserved(await on.network.ports.chain.money())).toBe(true);
  });

  it('can be checked by anyone: selection, result, manifest on chain', async () => {
    const { view } = await ask(on, 'What is a river?');
    const { content, chain } = on.network.ports;
    const manifest = (await content.get(view.manifest as never, { timeoutMs: 1_000 })) as {
      selection: string;
      results: { miner: string; result: string; resultRoot: string }[];
      winner: string;
    };
    const selection = selectionContent.parse(await content.get(manifest.selection as never, { timeoutMs: 1_000 }));
    const ranking = rankByRendezvous(selection.beacon, selection.task, selection.candidates);
    expect(ranking).toEqual(selection.ranking);
    expect(view.miners.map(({ miner }) => miner)).toEqual(ranking.slice(0, 3));
    expect((await chain.block(selection.beaconBlock)).hash).toBe(selection.beacon);
    for (const { result, resultRoot: root } of manifest.results) {
      expect(resultRoot(resultContent.parse(await content.get(result as never, { timeoutMs: 1_000 })))).toBe(root);
    }
    expect(manifest.winner).toBe(view.winner);
    expect(cidToDigest(view.manifest ?? '')).toMatch(/^0x[0-9a-f]{64}$/);
  });

  it('is the same task again for the same request id, and refused for another request under it', async () => {
    const requestId = keccak256('once');
    const first = await ask(on, 'What is bread?', { requestId });
    const again = await ask(on, 'What is bread?', { requestId });
    expect(again.view.task).toBe(first.view.task);
    await expect(ask(on, 'What is milk?', { requestId })).rejects.toMatchObject({ code: 'request_id_reused' });
  });

  it('is shown only after the verdict to a client that asks for verified words', async () => {
    const { updates, text } = await ask(on, 'What is a horse?', { delivery: 'verified' });
    const firstToken = updates.findIndex((update) => update.type === 'token');
    const validated = updates.findIndex((update) => update.type === 'state' && update.state === 'settled');
    expect(validated).toBeGreaterThan(0);
    expect(firstToken).toBeGreaterThan(validated);
    expect(text.length).toBeGreaterThan(10);
  });

  it('that a client puts on chain itself is taken up by the router', async () => {
    const { network, demo } = on;
    const prompt = await network.ports.content.put({
      kind: 'prompt',
      v: 1,
      model: network.engine.model,
      prompt: { messages: [{ role: 'user', content: 'What is a doctor?' }] },
      sampling: { temperature: 0, topP: 1, topK: 0 },
      stop: [],
      topLogprobs: 0,
      maxTokens: 48,
    });
    const requestId = keccak256('direct');
    await network.client.dispatch(
      { type: 'SubmitTask', session: demo.session, requestId, prompt, maxTokens: 48, maxPriceWei: wei(10n ** 17n) },
      'test',
    );
    const task = taskId(demo.session, requestId);
    await expect.poll(async () => (await network.front.task(task))?.state, { timeout: 30_000 }).toBe('settled');
    expect((await network.front.task(task))?.text).toMatch(/^A doctor is/);
  });

  it('that is cancelled frees its miners and gives everything back', async () => {
    const { network } = on;
    const { view } = await ask(
      on,
      'Tell me a story.',
      { maxTokens: 400, sampling: { temperature: 1, topP: 1, topK: 0 } },
      async (count, task) => {
        if (count === 2) await network.front.cancel(task as never, 'test');
      },
    );
    expect(view).toMatchObject({ state: 'refunded', priceWei: '0', failure: { code: 'task_cancelled' } });
    const busy = async (): Promise<number> => {
      const counts = await Promise.all(
        network.miners.map(async (miner) =>
          openJobCount((await miner.base.host.state(minerActor, streamId('miner', miner.address))).state.context),
        ),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    await expect.poll(busy, { timeout: 10_000 }).toBe(0);
  });
});

describe('embeddings', () => {
  it('are tasks too: made by miners, compared, settled and paid for', async () => {
    const { front, engine } = on.network;
    const texts = ['A dog barks at night.', 'The river is cold.'];
    const before = await front.session(on.demo.session);
    const request = { session: on.demo.session, model: engine.embedder, texts };
    const { vectors, tokens } = await front.embed(request, new AbortController().signal);
    const direct = await engine.inference.embed(engine.embedder, texts);
    expect(vectors).toEqual(direct.vectors);
    expect(tokens).toBe(direct.tokens);
    const after = await front.session(on.demo.session);
    expect(after.counts.settled).toBe(before.counts.settled + 1);
    const paid = BigInt(after.money.paidWei) - BigInt(before.money.paidWei);
    expect(paid).toBe(BigInt(tokens) * BigInt(after.terms.promptTokenWei));
  });

  it('under one request id are made and paid for once, and refused for other texts', async () => {
    const { network, demo } = on;
    const { session } = demo;
    const requestId = keccak256('pouw/test/embed/1');
    const asked = { session, model: network.engine.embedder, texts: ['a dog', 'a cat'], requestId };
    const signal = new AbortController().signal;
    const first = await network.front.embed(asked, signal);
    const { submitted } = (await network.front.session(session)).counts;
    expect(await network.front.embed(asked, signal)).toEqual(first);
    expect((await network.front.session(session)).counts.submitted).toBe(submitted);
    await expect(network.front.embed({ ...asked, texts: ['a dog', 'a cow'] }, signal)).rejects.toMatchObject({
      code: 'request_id_reused',
    });
  });

  it('of more texts than one task may hold become several tasks', async () => {
    const { front, engine } = on.network;
    const texts = Array.from({ length: limits.embedTaskInputsMax + 1 }, (_, index) => `text ${index}`);
    const before = await front.session(on.demo.session);
    const { vectors } = await front.embed(
      { session: on.demo.session, model: engine.embedder, texts },
      new AbortController().signal,
    );
    expect(vectors).toHaveLength(texts.length);
    const last = await engine.inference.embed(engine.embedder, texts.slice(-1));
    expect(vectors.at(-1)).toEqual(last.vectors[0]);
    expect((await front.session(on.demo.session)).counts.settled).toBe(before.counts.settled + 2);
  });
});

describe('bad requests', () => {
  it('are refused with a stable code and change nothing', async () => {
    const { front } = on.network;
    const before = await front.session(on.demo.session);
    const refused: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['model_not_found', () => ask(on, 'Hello', { model: 'nobody/has-this' })],
      ['prompt_too_long', () => ask(on, 'word '.repeat(600))],
      ['session_not_found', () => ask(on, 'Hello', { session: '31337-00000000-9' as never })],
      ['invalid_max_price', () => ask(on, 'Hello', { maxPriceWei: wei(0) })],
      ['task_not_found', () => front.cancel(`0x${'ab'.repeat(32)}` as never, 'test')],
      ['empty_deposit', () => front.deposit(on.demo.session, wei(0))],
    ];
    for (const [code, request] of refused) await expect(request(), code).rejects.toMatchObject({ code });
    expect(await front.session(on.demo.session)).toEqual(before);
  });

  it('a message that fails its schema or signature, or comes from nobody, is dropped and counted', async () => {
    const { network } = on;
    const miner = network.miners[0];
    const router = network.routers[0];
    if (miner === undefined || router === undefined) throw new Error('no nodes');
    const subject = commandSubject('miner', miner.address, 'cancel', router.address);
    const body = { task: `0x${'ab'.repeat(32)}`, attempt: 0 };
    const send = async (data: Uint8Array) =>
      decodeReply(subject, await network.ports.bus.request(subject, data, { timeoutMs: 2_000 }));
    const stranger = signerFromSeed(new Uint8Array(32).fill(9));
    const { signer, address } = router.base.identity;
    expect(await send(new TextEncoder().encode('{not json'))).toMatchObject({ ok: false, code: 'message_malformed' });
    expect(await send(sealMessage(subject, 'x', address, { task: 'no' }, signer))).toMatchObject({
      code: 'message_malformed',
    });
    expect(await send(sealMessage(subject, 'x', address, body, stranger))).toMatchObject({
      code: 'message_wrong_signature',
    });
    expect(await send(sealMessage(subject, 'x', `0x${'77'.repeat(20)}` as never, body, stranger))).toMatchObject({
      code: 'message_unknown_sender',
    });
    expect(await send(sealMessage('pouw.v1.other', 'x', address, body, signer))).toMatchObject({
      code: 'message_wrong_signature',
    });
    expect(await send(sealMessage(subject, 'x', miner.address, body, miner.base.identity.signer))).toMatchObject({
      code: 'sender_not_allowed',
    });
    expect(await send(sealMessage(subject, 'x', address, body, signer))).toMatchObject({ code: 'job_not_found' });
    expect(miner.base.dropped.get('message_malformed')).toBe(2);
    expect(miner.base.dropped.get('message_wrong_signature')).toBe(2);
  });
});

describe('a session', () => {
  it('takes deposits, closes, gives the rest back and takes no more tasks', async () => {
    const { network } = on;
    const demo = await openDemoSession(network, network.engine.model, 'closing', {}, wei(10n ** 18n));
    const other = { network, demo };
    expect((await network.front.deposit(demo.session, wei(10n ** 18n))).money.depositedWei).toBe(wei(2n * 10n ** 18n));
    const { view } = await ask(other, 'Hello');
    await network.front.closeSession(demo.session);
    await expect
      .poll(async () => (await network.front.session(demo.session)).state, { timeout: 10_000 })
      .toBe('closed');
    const { money } = await network.front.session(demo.session);
    expect(money.balanceWei).toBe('0');
    expect(BigInt(money.refundedWei)).toBe(2n * 10n ** 18n - BigInt(view.priceWei));
    await expect(ask(other, 'Hello')).rejects.toMatchObject({ code: 'session_closing' });
  });

  it('takes a deposit under one request id once, however often and at once it is asked for', async () => {
    const { network, demo } = on;
    const before = BigInt((await network.front.session(demo.session)).money.depositedWei);
    const request = keccak256('pouw/test/deposit/1');
    const views = await Promise.all([1, 2, 3].map(() => network.front.deposit(demo.session, wei(7), request)));
    expect(await network.front.deposit(demo.session, wei(7), request)).toMatchObject({ session: demo.session });
    const after = BigInt((await network.front.session(demo.session)).money.depositedWei);
    expect(after - before).toBe(7n);
    expect(views).toHaveLength(3);
    await expect(network.front.deposit(demo.session, wei(8), request)).rejects.toMatchObject({
      code: 'request_id_reused',
    });
  });

  it('that cannot pay for the next task refuses it and says what is missing', async () => {
    const { network } = on;
    const demo = await openDemoSession(network, network.engine.model, 'poor', {}, wei(10n ** 15n));
    const poor = { network, demo };
    expect((await network.front.session(demo.session)).state).toBe('suspended');
    await expect(network.front.submit(chat(poor, 'Hello'), new AbortController().signal)).rejects.toMatchObject({
      code: 'insufficient_balance',
      class: 'payment',
      details: { topUpWei: expect.stringMatching(/^\d+$/) as string },
    });
    await network.front.deposit(demo.session, wei(10n ** 19n));
    await expect.poll(async () => (await network.front.session(demo.session)).state, { timeout: 10_000 }).toBe('open');
    expect((await ask(poor, 'Hello')).view.state).toBe('settled');
  });
});

describe('a liar', () => {
  it('is outvoted, named, unpaid and slashed', async () => {
    const data = scratch('liar');
    const attacks = new Map([[2, random]]);
    const liars = await startTestNetwork(data.path, {
      attacks,
      counts: { routers: 1, miners: 3, validators: 2, oracles: 1 },
    });
    try {
      const liar = liars.network.miners[2]?.address;
      const { view, text } = await ask(liars, 'What is a dog?', { delivery: 'verified' });
      expect(view.miners.find(({ miner }) => miner === liar)?.verdict).toBe('outlier');
      expect(view.winner).not.toBe(liar);
      expect(text).toMatch(/^A dog is/);
      expect(view.payments.some(({ to }) => to === liar)).toBe(false);
      expect(BigInt((await liars.network.ports.chain.money()).slashedWei)).toBeGreaterThan(0n);
    } finally {
      await liars.network.stop(5_000);
      data.remove();
    }
  });
});

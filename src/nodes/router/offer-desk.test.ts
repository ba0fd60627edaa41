import { afterEach, describe, expect, test } from 'vitest';
import type { RouterContext } from '../../../actors/router/context.ts';
import type { RouterCommand } from '../../../actors/router/decide.ts';
import { routerActor } from '../../../actors/router/definition.ts';
import type { SessionContext } from '../../../actors/session/context.ts';
import type { SessionCommand } from '../../../actors/session/decide.ts';
import { sessionActor } from '../../../actors/session/definition.ts';
import { taskOf } from '../../../actors/session/tasks.ts';
import { ActorRun } from '../../../test/actors/actor-run.ts';
import {
  alice,
  bob,
  bytes32,
  carol,
  client,
  fact,
  prompt,
  router,
  session,
  task,
  terms as usualTerms,
} from '../../../test/actors/chain-facts.ts';
import { createLocalJobQueue } from '../../adapters/local/local-job-queue.ts';
import { signClaim } from '../../core/claim.ts';
import { signerFromSeed } from '../../core/ed25519.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { oneCor, timesWei, wei } from '../../core/wei.ts';
import { offerBody } from '../../messages/bodies.ts';
import { openMessage } from '../../messages/envelope.ts';
import { jobSubject } from '../../messages/subjects.ts';
import type { JobDelivery, JobQueue } from '../../ports/job-queue.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { NodeDirectory } from '../directory.ts';
import { deadAfterMs, lookMs, Presence } from '../presence.ts';
import { OfferDesk } from './offer-desk.ts';
import type { SessionRuntime } from './session-effects.ts';

const { model } = usualTerms;
const names = [router, alice, bob, carol];
const signers = new Map(names.map((name, index) => [name, signerFromSeed(new Uint8Array(32).fill(index + 1))]));
const signerOf = (node: Address) => signers.get(node)!;

let queue: JobQueue | undefined;
afterEach(() => queue?.close());

/** A desk over a real session with one task of two places, a real queue, and miners that are heard of. */
function desk({ jobsMax = 100, dedicated = [] as readonly Address[], queueTimeoutS = usualTerms.queueTimeoutS } = {}) {
  const run = new ActorRun<SessionContext, SessionCommand>(sessionActor);
  const book = new ActorRun<RouterContext, RouterCommand>(routerActor);
  const clock = new VirtualClock({ startMs: run.now });
  queue = createLocalJobQueue({ clock, jobsMax });
  const presence = new Presence();
  const directory = new NodeDirectory();
  book.tell({ type: 'StartRouter', router });
  const beat = (node: Address): void =>
    presence.beat(node, { role: 'miner', models: [model], load: 0, capacity: 4, draining: false, at: 0 }, clock.now());
  for (const node of names) {
    const [role, key] = [node === router ? 'router' : 'miner', signerOf(node).publicKey] as const;
    const registered = fact(1, {
      type: 'NodeRegistered',
      node,
      number: 1,
      roles: [role],
      key,
      stakeWei: timesWei(oneCor, 100),
      metadataUri: '',
    });
    directory.apply(registered);
    book.tell({ type: 'SeeFact', fact: registered });
    book.tell({ type: 'SeeFact', fact: fact(1, { type: 'ModelServed', node, model }, 1) });
    book.tell({ type: 'SeeNode', node, models: [model] });
    beat(node);
  }
  const mode = dedicated.length > 0 ? 'dedicated' : 'ephemeral';
  const lists = { routers: [router], dedicatedMiners: dedicated, mode } as const;
  const terms = { ...usualTerms, redundancy: 2, ...lists, queueTimeoutS };
  run.tell({
    type: 'SeeSessionFact',
    fact: fact(1, { type: 'SessionOpened', session, client, terms }),
  });
  const deposit = { type: 'SessionDeposited', session, from: client, amountWei: wei(1_000) } as const;
  run.tell({ type: 'SeeSessionFact', fact: fact(2, deposit) });
  const asked = { by: client, prompt, promptTokens: 4, maxTokens: 16, maxPriceWei: null };
  const onChain = { escrowWei: wei(50), place: fact(3, deposit).place };
  run.tell({ type: 'SubmitTask', requestId: bytes32(1), ...asked, onChain });
  const told: unknown[] = [];
  const base = {
    identity: { role: 'router', address: router, signer: signerOf(router) },
    ports: { clock, directory },
    command: async (role: string, node: Address, verb: string, _id: string, body: unknown) =>
      void told.push([role, node, verb, body]),
  };
  const runtime = {
    base,
    session: async () => run.state,
    dispatch: async (_: unknown, command: SessionCommand) => {
      run.now = clock.now();
      const { rejection } = run.tell(command);
      if (rejection !== undefined) throw new PouwError(rejection.code, rejection.message, { class: rejection.class });
    },
  } as unknown as SessionRuntime;
  const full: [string, boolean][] = [];
  let isOwner = true;
  const made = new OfferDesk({
    runtime,
    queue,
    presence,
    book: async () => book.state.context,
    owns: () => isOwner,
    onQueue: (of, isFull) => full.push([of, isFull]),
  });
  const claim = (miner: Address, place: number, signedBy = miner): Promise<void> => {
    const offer = `offer ${place}`;
    const signature = signClaim({ session, task, place, offer, miner }, signerOf(signedBy));
    return made.claim(miner, { session, task, place, offer, signature }, 'test');
  };
  return {
    claim,
    clock,
    beat,
    /** Lets time pass in which the router listens. */
    listen: async (ms: number) => {
      for (let left = ms; left > 0; left -= lookMs) {
        await clock.advance(Math.min(lookMs, left));
        presence.look(clock.now());
      }
    },
    directory,
    full,
    told,
    queue,
    fail: (node: Address) => void book.tell({ type: 'ReportFailure', node, reason: 'timed out' }),
    gather: () => made.gather(session, task, 'test'),
    miners: () => taskOf(run.state.context, task)?.context.claims.map(({ miner }) => miner),
    loseSession: () => (isOwner = false),
  };
}

const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;
const unclaimed = code('places_unclaimed');

/** Takes all offers that are there. */
async function offersIn({ queue: jobs, clock }: ReturnType<typeof desk>): Promise<JobDelivery[]> {
  const seen: JobDelivery[] = [];
  const work = jobs.work(model, { concurrency: 16 }, async (job) => {
    seen.push(job);
    await job.ack();
  });
  await clock.advance(1);
  await work.close();
  return seen;
}

describe('a router offers', () => {
  test('each place of a task in the queue of its model, signed, once however often it is asked', async () => {
    const on = desk();
    for (let times = 0; times < 3; times += 1) await expect(on.gather()).rejects.toThrow(unclaimed);
    const offers = await offersIn(on);
    const opened = offers.map(({ body }) => openMessage(offerBody, jobSubject(model), body, on.directory.keyOf));
    expect(opened.map(({ from, body }) => [from, body])).toEqual(
      [0, 1].map((place) => [router, expect.objectContaining({ session, task, place, routers: [router] }) as object]),
    );
  });

  test('only what is not claimed, and nothing once all is', async () => {
    const on = desk();
    await on.claim(bob, 1);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect((await offersIn(on)).map(({ id }) => id.split('.')[2])).toEqual(['0']);
    await on.claim(alice, 0);
    await on.gather();
    expect(await offersIn(on)).toEqual([]);
  });

  test('a place again whose miner has fallen silent, even where all were claimed', async () => {
    const on = desk();
    await expect(on.gather()).rejects.toThrow(unclaimed);
    await offersIn(on);
    await on.claim(alice, 0);
    await on.claim(bob, 1);
    await on.listen(deadAfterMs + 1);
    on.beat(bob);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(on.miners()).toEqual([bob]);
    expect((await offersIn(on)).map(({ id }) => id.split('.')[2])).toEqual(['0']);
    await expect(on.claim(carol, 0)).rejects.toThrow(code('miner_not_fit'));
    on.beat(carol);
    await on.claim(carol, 0);
    await on.gather();
    expect(on.miners()).toEqual([bob, carol]);
  });

  test('a place again whose miner has waited for others as long as it must', async () => {
    const on = desk();
    await on.claim(alice, 0);
    await on.clock.advance(limits.claimHoldMs - 1);
    on.beat(alice);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(on.miners()).toEqual([alice]);
    await on.clock.advance(1);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(on.miners()).toEqual([]);
    on.beat(alice);
    await on.claim(alice, 0);
    on.beat(bob);
    await on.claim(bob, 1);
    await on.clock.advance(1_000);
    await on.gather();
    expect(on.miners()).toEqual([alice, bob]);
  });

  test('again what was handed out and not claimed in a round, which is a share of the time in the queue', async () => {
    const on = desk();
    const roundMs = (usualTerms.queueTimeoutS * 1_000) / limits.offerRoundsPerQueueTime;
    expect(roundMs).toBe(5_000);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    const ids = (await offersIn(on)).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    await on.clock.advance(roundMs - 10);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(await offersIn(on)).toEqual([]);
    for (let round = 1; round < limits.offerRoundsPerQueueTime - 1; round += 1) {
      await on.clock.advance(round === 1 ? 10 : roundMs);
      await expect(on.gather()).rejects.toThrow(unclaimed);
      const made = await offersIn(on);
      expect(made).toHaveLength(2);
      ids.push(...made.map(({ id }) => id));
      for (const { body } of made) {
        const opened = openMessage(offerBody, jobSubject(model), body, on.directory.keyOf);
        expect(on.clock.now() + 2 * roundMs - opened.body.until).toBeLessThan(50);
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each([
    [12, limits.offerRoundMsMin],
    [86_400, limits.offerRoundMsMax],
  ])('in no shorter and no longer rounds than it may, where a task waits %d s', async (queueTimeoutS, roundMs) => {
    const on = desk({ queueTimeoutS });
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(await offersIn(on)).toHaveLength(2);
    await on.clock.advance(roundMs - 10);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(await offersIn(on)).toEqual([]);
    await on.clock.advance(10);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(await offersIn(on)).toHaveLength(2);
  });

  test('no more than once while all miners are busy, until the offer must be taken for lost', async () => {
    const on = desk({ queueTimeoutS: 600 });
    await expect(on.gather()).rejects.toThrow(unclaimed);
    for (let passedMs = 0; passedMs < limits.offerRoundMsMax - 2_000; passedMs += 2_000) {
      await on.clock.advance(2_000);
      await expect(on.gather()).rejects.toThrow(unclaimed);
    }
    expect(await on.queue.size(model)).toBe(2);
    await on.clock.advance(2_000);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(await on.queue.size(model)).toBe(4);
  });

  test('and tells a miner whose claim has lapsed that its place is free', async () => {
    const on = desk();
    await on.claim(alice, 0);
    expect(on.told).toEqual([]);
    await on.clock.advance(limits.claimHoldMs);
    on.beat(alice);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(on.told).toEqual([['miner', alice, 'cancel', { task, attempt: 0 }]]);
  });

  test('nothing where the queue is full, and says so until it took an offer', async () => {
    const on = desk({ jobsMax: 1 });
    await expect(on.gather()).rejects.toThrow(code('queue_full'));
    await offersIn(on);
    await expect(on.gather()).rejects.toThrow(unclaimed);
    expect(on.full).toEqual([
      [model, false],
      [model, true],
      [model, false],
    ]);
  });
});

describe('a claim is refused', () => {
  test('that somebody else has signed', async () => {
    await expect(desk().claim(alice, 0, bob)).rejects.toThrow(code('claim_wrong_signature'));
  });

  test('of a miner that is silent, cools down, or is not named by the session', async () => {
    const on = desk();
    on.fail(alice);
    await expect(on.claim(alice, 0)).rejects.toThrow(code('miner_not_fit'));
    await on.listen(deadAfterMs + 1);
    await expect(on.claim(bob, 0)).rejects.toThrow(code('miner_not_fit'));
    const named = desk({ dedicated: [alice, bob] });
    await expect(named.claim(carol, 0)).rejects.toThrow(code('miner_not_fit'));
    await named.claim(alice, 0);
  });

  test('of a place that is taken, and one of a second place', async () => {
    const on = desk();
    await on.claim(alice, 0);
    await on.claim(alice, 0);
    await expect(on.claim(bob, 0)).rejects.toThrow(code('offer_closed'));
    await expect(on.claim(alice, 1)).rejects.toThrow(code('already_claimed'));
    expect(on.miners()).toEqual([alice]);
  });

  test('where the session is another router’s', async () => {
    const on = desk();
    on.loseSession();
    await expect(on.claim(alice, 0)).rejects.toThrow(code('not_owner'));
  });
});

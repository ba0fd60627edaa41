import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob, bytes32, router, session, task } from '../../../test/actors/chain-facts.ts';
import { createLocalJobQueue } from '../../adapters/local/local-job-queue.ts';
import { isClaimSigned } from '../../core/claim.ts';
import { signerFromSeed } from '../../core/ed25519.ts';
import { PouwError } from '../../core/errors.ts';
import { type Address, type TaskId, taskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { oneCor } from '../../core/wei.ts';
import { type ClaimBody, claimBody } from '../../messages/bodies.ts';
import { sealMessage } from '../../messages/envelope.ts';
import { jobSubject } from '../../messages/subjects.ts';
import { silentLog } from '../../ports/log.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { NodeDirectory } from '../directory.ts';
import type { NodeBase } from '../node-base.ts';
import { OfferTaker } from './offer-taker.ts';

const model = 'pebble-chat';
const otherRouter = bob;
const signers = {
  router: signerFromSeed(new Uint8Array(32).fill(1)),
  miner: signerFromSeed(new Uint8Array(32).fill(2)),
};
const stranger = signerFromSeed(new Uint8Array(32).fill(3));
const second = taskId(session, bytes32(77));
const third = taskId(session, bytes32(78));

let clock: VirtualClock;
let queue: JobQueue;
let taker: OfferTaker;
let places: number;
let asked: { router: Address; body: ClaimBody }[];
let dropped: string[];
/** What the routers answer: nothing for yes. */
let answer: (router: Address, body: ClaimBody) => string | undefined;

beforeEach(() => {
  clock = new VirtualClock({ startMs: 1_700_000_000_000 });
  queue = createLocalJobQueue({ clock, deliveriesMax: limits.offerDeliveriesMax });
  [places, asked, dropped, answer] = [1, [], [], () => undefined];
  const directory = new NodeDirectory();
  directory.load([
    { node: router, roles: ['router'], key: signers.router.publicKey, stakeWei: oneCor, active: true },
    { node: alice, roles: ['miner'], key: signers.miner.publicKey, stakeWei: oneCor, active: true },
  ]);
  const base = {
    identity: { role: 'miner', address: alice, signer: signers.miner },
    ports: { clock, directory, log: silentLog },
    stopping: new AbortController().signal,
    drop: (code: string) => dropped.push(code),
    command: async (_role: string, of: Address, _verb: string, _id: string, body: unknown) => {
      const claim = claimBody.parse(body);
      asked.push({ router: of, body: claim });
      const code = answer(of, claim);
      if (code !== undefined) throw new PouwError(code, 'refused', { class: 'unavailable' });
    },
  } as unknown as NodeBase;
  taker = new OfferTaker({ base, queue, models: [model], freePlaces: () => places, works: () => false });
  taker.start();
});
afterEach(async () => {
  const closing = taker.close();
  await clock.advance(1_000);
  await closing;
  await queue.close();
});

const livesMs = 10_000;

async function offer(of: TaskId, { place = 0, from = router, signer = signers.router } = {}): Promise<void> {
  const body = { session, task: of, place, routers: [router, otherRouter], until: clock.now() + livesMs };
  const id = `${of}.0.${place}`;
  await queue.publish(model, id, sealMessage(jobSubject(model), id, from, body, signer));
  await clock.advance(1);
}

async function deadReasons(): Promise<string[]> {
  const reasons: string[] = [];
  for await (const { reason } of queue.dead(model)) reasons.push(reason);
  return reasons;
}

describe('a miner', () => {
  test('claims an offer from the router that makes it, signed, and is done with it', async () => {
    await offer(task);
    expect(asked).toHaveLength(1);
    const { body } = asked[0]!;
    expect(asked[0]?.router).toBe(router);
    expect(body).toMatchObject({ session, task, place: 0, offer: `${task}.0.0` });
    expect(isClaimSigned({ ...body, miner: alice }, signers.miner.publicKey, body.signature)).toBe(true);
    expect(await queue.size(model)).toBe(0);
  });

  test('takes nothing while it has no place, which one it was promised is none either', async () => {
    await offer(task);
    await offer(second);
    await clock.advance(1_000);
    expect(asked).toHaveLength(1);
    expect(await queue.size(model)).toBe(1);
    // The job comes and fills the place; when it is done there is one again.
    places = 0;
    taker.arrived(task);
    await clock.advance(1_000);
    expect(asked).toHaveLength(1);
    places = 1;
    await clock.advance(100);
    expect(asked.map(({ body }) => body.task)).toEqual([task, second]);
  });

  test('keeps a place for a job that does not come no longer than it must', async () => {
    await offer(task);
    await offer(second);
    await clock.advance(limits.claimedJobMsMax - 100);
    expect(asked).toHaveLength(1);
    await clock.advance(200);
    expect(asked.map(({ body }) => body.task)).toEqual([task, second]);
  });

  test('leaves a second place of a task to others', async () => {
    places = 5;
    await offer(task, { place: 0 });
    await offer(task, { place: 1 });
    await offer(second);
    expect(asked.map(({ body }) => [body.task, body.place])).toEqual([
      [task, 0],
      [second, 0],
    ]);
    expect(await queue.size(model)).toBe(1);
  });

  test('gives the place of another back however often, and drops it when its time is over', async () => {
    places = 5;
    await offer(task, { place: 0 });
    await offer(task, { place: 1 });
    await clock.advance(livesMs - limits.offerDeclinedMs);
    expect(await queue.size(model)).toBe(1);
    expect(livesMs / limits.offerDeclinedMs).toBeGreaterThan(20);
    await clock.advance(2 * limits.offerDeclinedMs);
    expect(await queue.size(model)).toBe(0);
    expect(asked).toHaveLength(1);
    expect(await deadReasons()).toEqual([]);
  });

  test('leaves the place of another to whoever is free within a moment, however long it has waited', async () => {
    places = 5;
    await offer(task, { place: 0 });
    await offer(task, { place: 1 });
    await clock.advance(livesMs / 2);
    const taken: string[] = [];
    const free = queue.work(model, { concurrency: 1 }, async (job) => {
      taken.push(job.id);
      await job.ack();
    });
    // The miners are asked in turn: at the latest the second time it is the free one's.
    await clock.advance(2 * limits.offerDeclinedMs + 1);
    expect(taken).toEqual([`${task}.0.1`]);
    await free.close();
  });

  test('has its place back as soon as it is told that its claim has lapsed', async () => {
    await offer(task);
    await offer(second);
    await clock.advance(1_000);
    expect(asked).toHaveLength(1);
    expect([taker.release(task), taker.release(task)]).toEqual([true, false]);
    await clock.advance(100);
    expect(asked.map(({ body }) => body.task)).toEqual([task, second]);
  });

  test.each(['offer_closed', 'task_not_found'])('drops an offer that nobody needs any more: %s', async (code) => {
    answer = () => code;
    await offer(task);
    expect(await queue.size(model)).toBe(0);
    answer = () => undefined;
    await offer(third);
    expect(asked).toHaveLength(2);
  });

  test('gives an offer back that it may not have, later each time, until it is put aside', async () => {
    answer = () => 'miner_not_fit';
    const startedAt = clock.now();
    await offer(task);
    expect(asked).toHaveLength(1);
    await clock.advance(limits.offerRetryMsMin);
    expect(asked).toHaveLength(2);
    await clock.advance(livesMs - limits.offerRetryMsMin - 1);
    const before = asked.length;
    expect(await deadReasons()).toEqual([]);
    while ((await deadReasons()).length === 0) await clock.advance(limits.offerRetryMsMin);
    expect(asked).toHaveLength(before + 1);
    expect(clock.now() - startedAt).toBeLessThanOrEqual(livesMs + limits.offerRetryMsMax + limits.offerRetryMsMin);
    expect(await deadReasons()).toEqual(['not claimed in its time; the last miner was refused with miner_not_fit']);
    // It may be given back until its time is over, by how many miners whatsoever.
    const longest = 2 * limits.offerRoundMsMax;
    expect(limits.offerDeliveriesMax).toBeGreaterThan(longest / limits.offerDeclinedMs + 20);
  });

  test('asks the next router of the session where one does not own it or does not answer', async () => {
    answer = (of) => (of === router ? 'not_owner' : undefined);
    await offer(task);
    expect(asked.map((one) => one.router)).toEqual([router, otherRouter]);
    expect(await queue.size(model)).toBe(0);
  });

  test('takes no offer of somebody who may make none', async () => {
    await offer(task, { signer: stranger });
    await offer(second, { from: alice, signer: signers.miner });
    expect(asked).toEqual([]);
    expect(dropped).toEqual(['message_wrong_signature', 'sender_not_allowed']);
    expect(await deadReasons()).toEqual(Array(2).fill('not an offer of an active router'));
  });

  test('takes nothing once it is closed', async () => {
    const closing = taker.close();
    await clock.advance(100);
    await closing;
    await offer(task);
    expect(asked).toEqual([]);
    expect(await queue.size(model)).toBe(1);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minerActor } from '../../actors/miner/definition.ts';
import type { OfferClaimed, TaskEvent } from '../../actors/task/events.ts';
import { isClaimSigned } from '../../src/core/claim.ts';
import { type Address, streamId, type TaskId } from '../../src/core/ids.ts';
import type { Hex } from '../../src/core/hash.ts';
import { commandSubject } from '../../src/messages/subjects.ts';
import { engineWith, type Attack } from '../../src/sim/attacks/attack.ts';
import { killReadMiner, ofMiner } from '../kit/dying-miner.ts';
import { ask, chat, scratch, shortDeadlines, startTestNetwork, type TestNetwork } from '../kit/local-network.ts';
import { expectSameMoney } from '../kit/same-money.ts';

const slowMs = 1_200;
/** Honest, but slow: every answer begins late. */
const slow: Attack = {
  name: 'slow',
  summary: 'answers late',
  engine: (honest) =>
    engineWith(honest, {
      async *generate(request) {
        await new Promise((resolve) => setTimeout(resolve, slowMs));
        yield* honest.generate(request);
      },
    }),
};

/** The events of a task, as the log has them. */
async function eventsOf({ network, demo }: TestNetwork, task: TaskId): Promise<TaskEvent[]> {
  const found: TaskEvent[] = [];
  for await (const { commit } of network.stores.events.read(streamId('session', demo.session)))
    found.push(...(commit.events as unknown as TaskEvent[]).filter((event) => event.task === task));
  return found;
}

const claimsIn = (events: readonly TaskEvent[]): OfferClaimed[] => events.filter((one) => one.type === 'OfferClaimed');

describe('first come, first served', () => {
  const folder = scratch('first');
  const capacity = 2;
  let on: TestNetwork;
  let dead: Address;

  beforeAll(async () => {
    on = await startTestNetwork(
      folder.path,
      {
        counts: { routers: 2, miners: 4, validators: 1, oracles: 2 },
        scheduling: 'first-come',
        minerCapacity: capacity,
        attacks: new Map([[0, slow]]),
      },
      { ...shortDeadlines, executeTimeoutS: 12, redundancy: 2, validators: 1 },
    );
  });
  afterAll(async () => {
    await on?.network.stop(5_000);
    folder.remove();
  });

  it('the miners of a task are those who signed for its places first, and the log proves it', async () => {
    const { view } = await ask(on, 'What is a dog?');
    expect(view.state).toBe('settled');
    const events = await eventsOf(on, view.task);
    const claims = claimsIn(events);
    const chosen = events.find((event) => event.type === 'MinersSelected');
    expect(chosen).toMatchObject({ scheme: 'first-come', miners: claims.map(({ miner }) => miner) });
    expect(view.miners.map(({ miner }) => miner).toSorted()).toEqual(claims.map(({ miner }) => miner).toSorted());
    expect(new Set(claims.map(({ place }) => place))).toEqual(new Set([0, 1]));
    for (const { task, place, offer, miner, signature } of claims) {
      const key = on.network.ports.directory.keyOf(miner) as Hex;
      expect(isClaimSigned({ session: on.demo.session, task, place, offer, miner }, key, signature)).toBe(true);
    }
  });

  it('more tasks than there are places wait for their turn; a slow miner takes fewer, and nobody too many', async () => {
    const asked = Array.from({ length: 14 }, (_, index) =>
      ask(on, `What is a ${['dog', 'river', 'horse'][index % 3]}?`, { maxTokens: 24 }),
    );
    const views = (await Promise.all(asked)).map(({ view }) => view);
    expect(views.map(({ state }) => state)).toEqual(views.map(() => 'settled'));
    expect(views.flatMap(({ miners }) => miners).filter(({ phase }) => phase === 'timed-out')).toEqual([]);
    const parts = on.network.miners.map(
      (miner) => views.filter(({ miners }) => miners.some((one) => one.miner === miner.address)).length,
    );
    expect(parts.reduce((sum, count) => sum + count, 0)).toBe(28);
    expect(parts[0]).toBeLessThan(Math.max(...parts));
    for (const miner of on.network.miners) {
      let [open, most] = [0, 0];
      for await (const { commit } of on.network.stores.events.read(streamId('miner', miner.address))) {
        for (const { type } of commit.events) {
          if (type === 'JobReceived') open += 1;
          if (type === 'JobDone' || type === 'JobCancelled' || type === 'JobFailed') open -= 1;
          most = Math.max(most, open);
        }
      }
      expect(most).toBeLessThanOrEqual(capacity);
      const { state } = await miner.base.host.state(minerActor, streamId('miner', miner.address));
      expect(state.context.counts).toMatchObject({ failed: 0 });
    }
    await expectSameMoney(on);
  });

  it('a claim counts in its own name only', async () => {
    const { task, updates } = await on.network.front.submit(chat(on, 'What is water?'), new AbortController().signal);
    const [liar, victim] = [on.network.miners[1], on.network.miners[2]];
    const { base } = liar!;
    const { session } = on.demo;
    const leader = on.network.leader(session);
    const claim = { session, task, place: 0, offer: 'made up' };
    const signature = victim!.base.identity.signer.sign('something else');
    await expect(
      base.command('router', leader.address, 'claim', 'forged', { ...claim, signature }),
    ).rejects.toMatchObject({ code: 'claim_wrong_signature' });
    // A router that does not own the session sends the miner on.
    const other = on.network.routers.find((router) => !router.owns(session));
    await expect(
      base.command('router', other!.address, 'claim', 'elsewhere', { ...claim, signature }),
    ).rejects.toMatchObject({ code: 'not_owner' });
    const before = leader.base.dropped.get('message_wrong_signature') ?? 0;
    const subject = commandSubject('router', leader.address, 'claim', victim!.address);
    const envelope = { v: 1, id: 'x', from: victim!.address, body: { ...claim, signature }, sig: signature };
    await on.network.ports.bus.request(subject, new TextEncoder().encode(JSON.stringify(envelope)), {
      timeoutMs: 2_000,
    });
    expect(leader.base.dropped.get('message_wrong_signature')).toBe(before + 1);
    for await (const _ of updates);
    const claims = claimsIn(await eventsOf(on, task));
    expect(claims.filter(({ offer }) => offer === 'made up')).toEqual([]);
  });

  it('a miner that dies takes nothing any more, and what it had is done by another', async () => {
    const { answer, killed } = await killReadMiner(on, 2);
    dead = killed;
    expect(answer.view.state).toBe('settled');
    expect(ofMiner(answer.view, killed)).toMatchObject({ phase: 'timed-out' });
    const after = await Promise.all([1, 2, 3, 4].map((number) => ask(on, `What is a river? ${number}`)));
    for (const { view } of after) {
      expect(view.state).toBe('settled');
      expect(view.miners.map(({ miner }) => miner)).not.toContain(killed);
    }
  });

  it('a task without enough miners waits; the claim of one that dies meanwhile lapses, and nothing is lost', async () => {
    const money = async () => (await on.network.front.session(on.demo.session)).money;
    const before = await money();
    const [last, ...others] = on.network.miners.filter((miner) => miner.address !== dead);
    for (const miner of others) await miner.stop(0);
    const { task, updates } = await on.network.front.submit(chat(on, 'What is bread?'), new AbortController().signal);
    await expect
      .poll(async () => claimsIn(await eventsOf(on, task)).map(({ miner }) => miner), { timeout: 8_000 })
      .toEqual([last!.address]);
    await last!.stop(0);
    await expect
      .poll(async () => (await eventsOf(on, task)).find(({ type }) => type === 'ClaimLapsed'), { timeout: 8_000 })
      .toMatchObject({ miner: last!.address, reason: 'silent' });
    await on.network.front.cancel(task, 'it takes too long');
    let ending;
    for await (const update of updates) ending = update;
    expect(ending).toMatchObject({ type: 'failed', view: { state: 'refunded' } });
    expect(await money()).toEqual(before);
    await expectSameMoney(on);
  });
});

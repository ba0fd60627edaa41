import { afterEach, describe, expect, it } from 'vitest';
import { newcomer, type Reputation, reputationAfter, reputationScore } from '../../actors/router/reputation.ts';
import type { TaskEvent } from '../../actors/task/events.ts';
import { alice, bob, bytes32, carol, olga } from '../../test/actors/chain-facts.ts';
import { detours, good, submitted } from '../../test/actors/samples/task.ts';
import { nodes, sampleLog, seal, streams } from '../../test/fixtures/signed-log.ts';
import { openLocalStores } from '../adapters/local/local-stores.ts';
import { standingsTree } from '../core/checkpoint.ts';
import { type Commit, genesisHash } from '../core/commit.ts';
import { hashJson } from '../core/hash.ts';
import type { StreamId, TaskId } from '../core/ids.ts';
import { anchoredPosition, reputationCheckpoint } from './reputation-checkpoint.ts';
import { type LogSource, storeSource } from './source.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A log in which streams write one event after the other. */
async function logOf(...written: readonly (readonly [StreamId, TaskEvent])[]): Promise<LogSource> {
  const stores = openLocalStores({ path: ':memory:' });
  closing.push(() => stores.close());
  const heads = new Map<StreamId, Commit>();
  for (const [index, [stream, event]] of written.entries()) {
    const previous = heads.get(stream);
    const version = (previous?.version ?? 0) + 1;
    const at = 1_700_000_000_000 + index;
    const draft = { stream, version, at, cause: 'test', events: [event], prev: previous?.hash ?? genesisHash };
    const commit = seal(draft, nodes.router);
    await stores.events.append(commit);
    heads.set(stream, commit);
  }
  return storeSource('log', stores.events, { deployment: null, keys: new Map(), anchors: [] });
}

const { session, otherSession } = streams;
const { validated, settled, assigned, queued } = good;
const bobIsOutlier = { ...validated, honest: [alice], outliers: [bob] };

/** A task of a stream up to its verdict, under a number of its own. */
function task(stream: StreamId, number: number, ...ends: readonly TaskEvent[]): (readonly [StreamId, TaskEvent])[] {
  const way = [submitted, queued, good.selected, assigned, good.ackedByAlice, good.ackedByBob];
  const bound = [good.allPrecommitted, good.allCommitted];
  const events: TaskEvent[] = [...way, ...bound, ...ends];
  return events.map((event) => [stream, { ...event, task: bytes32(number) as TaskId }] as const);
}

describe('a checkpoint of reputation', () => {
  it('counts what came of the tasks of all sessions, in the order of their ends', async () => {
    const lie = task(otherSession, 4, bobIsOutlier, settled);
    const three = [1, 2, 3].flatMap((number) => task(session, number, validated, settled));
    // The lie is the first to begin and the last to end.
    const { manifest, root, tasks } = await reputationCheckpoint(
      await logOf(...lie.slice(0, 4), ...three, ...lie.slice(4)),
    );
    const honest = (times: number) =>
      Array.from({ length: times }).reduce<Reputation>((before) => reputationAfter(before, 'honest'), newcomer);
    const fell = reputationAfter(honest(3), 'outlier');
    expect(tasks).toBe(4);
    expect(manifest.standings).toEqual([
      standing(alice, { honest: 4, level: 1 }, reputationScore(honest(4))),
      standing(bob, { honest: 3, outlier: 1, level: 0 }, reputationScore(fell)),
    ]);
    expect(root).toBe(standingsTree(manifest.standings).root);
    // The other order is another history: here the lie is made good.
    const other = await reputationCheckpoint(await logOf(...lie, ...three));
    expect(other.manifest.standings[1]).toMatchObject({ node: bob, honest: 3, outlier: 1, level: 1 });
  });

  it('is the same from any log with the same ends in the same order', async () => {
    const first = task(session, 1, validated, settled);
    const second = task(otherSession, 2, bobIsOutlier, settled);
    const apart = await reputationCheckpoint(await logOf(...first, ...second));
    const mixed = await reputationCheckpoint(await logOf(...second.slice(0, 5), ...first, ...second.slice(5)));
    expect(mixed.root).toBe(apart.root);
    // What it covers is another log all the same, and the manifest says so.
    expect(mixed.manifestDigest).not.toBe(apart.manifestDigest);
  });

  it('counts a miner that timed out, and a task that was given back for it', async () => {
    const lost: TaskEvent[] = [
      { ...detours.timedOut, replacement: null, oracle: olga },
      detours.failed,
      { ...detours.refunded, returnedWei: submitted.maxPriceWei },
    ];
    const way = [submitted, queued, good.selected, assigned].map((event) => [session, event] as const);
    const source = await logOf(...way, ...lost.map((event) => [session, event] as const));
    const { manifest, tasks } = await reputationCheckpoint(source);
    expect(tasks).toBe(1);
    expect(manifest.standings).toMatchObject([{ node: bob, honest: 0, outlier: 0, timedOut: 1 }]);
  });

  it('counts a task once, whatever a reorg makes of it', async () => {
    const lost: TaskEvent[] = [
      detours.reverted,
      detours.lost,
      { ...detours.refunded, returnedWei: submitted.maxPriceWei },
    ];
    const once = task(session, 1, validated, settled);
    const { root } = await reputationCheckpoint(await logOf(...once));
    const twice = await reputationCheckpoint(await logOf(...once, ...task(session, 1, ...lost).slice(-3)));
    expect(twice.tasks).toBe(1);
    expect(twice.root).toBe(root);
  });

  it('counts a task whose id was given up before it was on chain', async () => {
    const unsent: TaskEvent[] = [submitted, detours.failed, { ...detours.refunded, seen: null }];
    const source = await logOf(
      ...unsent.map((event) => [session, { ...event, task: bytes32(1) as TaskId }] as const),
      ...task(session, 1, validated, settled),
    );
    const { tasks, manifest } = await reputationCheckpoint(source);
    expect(tasks).toBe(1);
    expect(manifest.standings).toHaveLength(2);
  });

  it('reads as far as it is asked to, and says what it covers', async () => {
    const first = task(session, 1, validated, settled);
    const whole = await logOf(...first, ...task(otherSession, 2, bobIsOutlier, settled));
    const half = await reputationCheckpoint(await logOf(...first));
    const cut = await reputationCheckpoint(whole, { to: first.length });
    expect(cut).toEqual(half);
    expect(cut.manifest).toMatchObject({ v: 1, from: 1, to: first.length });
    expect(cut.manifestDigest).toBe(`0x${hashJson(cut.manifest)}`);
    const next = await reputationCheckpoint(whole, { from: first.length + 1 });
    expect(next.manifest).toMatchObject({ from: first.length + 1, to: 2 * first.length });
    expect(next.root).toBe((await reputationCheckpoint(whole)).root);
    expect(next.manifestDigest).not.toBe((await reputationCheckpoint(whole)).manifestDigest);
  });

  it('takes no position that is not there', async () => {
    const source = await logOf(...task(session, 1, validated, settled));
    await expect(reputationCheckpoint(source, { to: 11 })).rejects.toMatchObject({ code: 'position_not_found' });
    await expect(reputationCheckpoint(source, { from: 12 })).rejects.toMatchObject({ code: 'position_not_found' });
    // Nothing new is no fault.
    expect((await reputationCheckpoint(source, { from: 11 })).manifest).toMatchObject({ from: 11, to: 10 });
  });

  it('brings along what network sessions credit', async () => {
    const source = await logOf(...task(session, 1, validated, settled));
    const { manifest } = await reputationCheckpoint(source, {
      idleWork: new Map([
        [bob, 9],
        [carol, 4],
      ]),
    });
    expect(manifest.standings.map(({ node, idleWork }) => [node, idleWork])).toEqual([
      [alice, 0],
      [bob, 9],
      [carol, 4],
    ]);
    expect(manifest.standings[2]).toEqual(standing(carol, { idleWork: 4 }, 0.5));
  });

  it('of an empty log has no root', async () => {
    expect(await reputationCheckpoint(await logOf())).toMatchObject({ root: null, tasks: 0 });
  });
});

it('an epoch binds positions as far as its anchors do', async () => {
  const sample = await sampleLog();
  const { anchors } = sample.chain;
  await sample.close();
  expect(anchors.map(({ epoch }) => anchoredPosition(anchors, epoch))).toEqual([4, 8, 12]);
  const without = anchors.map((anchor) => ({ ...anchor, manifest: null }));
  expect(() => anchoredPosition(without, 3)).toThrow(expect.objectContaining({ code: 'anchor_not_found' }));
  expect(() => anchoredPosition(anchors, 4)).toThrow(expect.objectContaining({ code: 'anchor_not_found' }));
  expect(() => anchoredPosition([], 1)).toThrow(expect.objectContaining({ code: 'anchor_not_found' }));
});

function standing(node: string, counts: object, score: number): object {
  const nothing = { level: 0, honest: 0, outlier: 0, timedOut: 0, idleWork: 0 };
  return { node, ...nothing, scoreBps: Math.round(score * 10_000), ...counts };
}

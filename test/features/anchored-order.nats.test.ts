import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { expect, onTestFinished, test } from 'vitest';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { present } from '../../src/core/assert.ts';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { eventSubject } from '../../src/messages/subjects.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { exportLog } from '../../src/replay/export.ts';
import { openNdjsonLog } from '../../src/replay/ndjson-source.ts';
import { storeSource } from '../../src/replay/source.ts';
import { verifyLog, type VerifyReport } from '../../src/replay/verify.ts';
import { anchoredLog } from '../fixtures/anchored-log.ts';
import { nodes, sampleLog } from '../fixtures/signed-log.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { natsLog } from './event-store.nats-harness.ts';

const nats = sharedNatsServer();

/** A log, and a connection by which anybody could publish to it. */
async function openLogWith(): Promise<{ store: EventStore; connection: NatsConnection; root: string }> {
  const connection = await connect({ servers: (await nats()).url });
  const root = 'anchored.v1';
  const store = await openNatsEventStore({ connection, root });
  onTestFinished(async () => {
    await store.close();
    await connection.close();
  });
  return { store, connection, root };
}

async function openLog(): Promise<EventStore> {
  const log = await natsLog({ url: (await nats()).url });
  onTestFinished(() => log.close());
  return log.store;
}

test('a log on NATS is bound in its order by the anchors of two routers', async () => {
  const sample = await sampleLog();
  onTestFinished(() => sample.close());
  const commits = sample.stored.map(({ commit }) => commit);
  const store = await openLog();
  const log = await anchoredLog(store);
  onTestFinished(() => log.close());
  const verified = (of: EventStore): Promise<VerifyReport> => verifyLog(storeSource('NATS', of, log.chain));

  for (const commit of commits.slice(0, 8)) await store.append(commit);
  await log.router(nodes.router).anchor();
  for (const commit of commits.slice(8, 12)) await store.append(commit);
  await log.router(nodes.otherRouter).anchor();
  for (const commit of commits.slice(12)) await store.append(commit);
  expect(log.chain.anchors.map(({ manifest }) => manifest?.order)).toMatchObject([
    { from: 1, to: 8 },
    { from: 9, to: 12 },
  ]);
  expect(await verified(store)).toMatchObject({ ok: true, ordered: 12 });

  expect((await verified(store)).passedOver).toEqual({ count: 0, first: [] });
});

test('what does not count has a place in the order that anchors bind, and changes no commit’s', async () => {
  const sample = await sampleLog();
  onTestFinished(() => sample.close());
  const commits = sample.stored.map(({ commit }) => commit);
  const { store, connection, root } = await openLogWith();
  const log = await anchoredLog(store);
  onTestFinished(() => log.close());
  for (const commit of commits.slice(0, 4)) await store.append(commit);
  const [next] = commits.slice(4);
  for (const text of ['this is no commit', '{}'])
    await jetstream(connection).publish(eventSubject(present(next, 'a commit').stream, root), text);
  for (const commit of commits.slice(4)) await store.append(commit);
  await log.router(nodes.router).anchor();
  expect(log.chain.anchors[0]?.manifest?.order).toMatchObject({ from: 1, to: commits.length + 2 });
  const source = storeSource('NATS', store, log.chain);
  expect(await verifyLog(source)).toMatchObject({ ok: true, ordered: commits.length + 2, passedOver: { count: 2 } });
  const lines: string[] = [];
  for await (const line of exportLog(source, { exportedAt: 1 })) lines.push(line);
  const verifiedAs = async (text: string): Promise<VerifyReport> =>
    verifyLog(
      await openNdjsonLog({
        origin: 'file',
        async *open() {
          yield Buffer.from(text);
        },
      }),
    );
  expect(await verifiedAs(lines.join(''))).toMatchObject({ ok: true, passedOver: { count: 2 } });
  // Nor can a commit be hidden among what does not count.
  const hidden = lines.map((line) => {
    const { commit, position } = JSON.parse(line) as { commit?: { hash: string }; position?: number };
    return position === 9 && commit !== undefined ? `${canonicalJson({ passed: [commit.hash], position })}\n` : line;
  });
  expect((await verifiedAs(hidden.join(''))).faults.map(({ code }) => code)).toContain('wrong_version');
});

test('two commits that changed places are found out by the anchors', async () => {
  const sample = await sampleLog();
  onTestFinished(() => sample.close());
  const commits = sample.stored.map(({ commit }) => commit);
  const store = await openLog();
  const log = await anchoredLog(store);
  onTestFinished(() => log.close());
  const verified = (of: EventStore): Promise<VerifyReport> => verifyLog(storeSource('NATS', of, log.chain));
  for (const commit of commits) await store.append(commit);
  await log.router(nodes.router).anchor();
  const rewritten = await openLog();
  const [fourth, fifth] = commits.slice(3, 5);
  for (const commit of commits) {
    if (commit === fourth && fifth !== undefined) await rewritten.append(fifth);
    if (commit !== fifth) await rewritten.append(commit);
  }
  const { stream, version } = fifth ?? {};
  expect((await verified(rewritten)).first).toMatchObject({ code: 'wrong_position', stream, version, position: 4 });
});

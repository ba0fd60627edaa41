import { expect, onTestFinished, test } from 'vitest';
import type { EventStore } from '../../src/ports/event-store.ts';
import { storeSource } from '../../src/replay/source.ts';
import { verifyLog, type VerifyReport } from '../../src/replay/verify.ts';
import { anchoredLog } from '../fixtures/anchored-log.ts';
import { nodes, sampleLog } from '../fixtures/signed-log.ts';
import { sharedNatsServer } from '../kit/nats-server.ts';
import { natsLog } from './event-store.nats-harness.ts';

const nats = sharedNatsServer();

async function openLog(): Promise<EventStore> {
  const log = await natsLog({ url: (await nats()).url });
  onTestFinished(() => log.close());
  return log.store;
}

test('a log on NATS is bound in its order by the anchors of two routers, and found out when two commits change places', async () => {
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

  const rewritten = await openLog();
  const [fourth, fifth] = commits.slice(3, 5);
  for (const commit of commits) {
    if (commit === fourth && fifth !== undefined) await rewritten.append(fifth);
    if (commit !== fifth) await rewritten.append(commit);
  }
  const { stream, version } = fifth ?? {};
  expect((await verified(rewritten)).first).toMatchObject({ code: 'wrong_position', stream, version, position: 4 });
});

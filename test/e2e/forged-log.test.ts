import { join } from 'node:path';
import { createUser } from '@nats-io/nkeys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { connectNats } from '../../src/adapters/nats/connect.ts';
import type { NatsLink } from '../../src/adapters/nats/link.ts';
import { readNkeyFile } from '../../src/adapters/nats/nkey-file.ts';
import { inboxPrefixOf } from '../../src/adapters/nats/inbox-prefix.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { drive } from '../../src/cli/cluster/drive.ts';
import { member } from '../../src/cli/compose/members.ts';
import { present } from '../../src/core/assert.ts';
import { type Commit, sealCommit } from '../../src/core/commit.ts';
import { sha256 } from '../../src/core/hash.ts';
import { type Address, type SessionId, streamId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key-ring.ts';
import { eventSubject } from '../../src/messages/subjects.ts';
import { scratch } from '../kit/local-network.ts';
import { runPouw } from '../kit/pouw-process.ts';

const place = scratch('forged-log');
const model = 'pebble-chat';
const attackerKey = 'pouw_attacker';
const idleRouterKeys = new KeyRing(`0x${'6'.repeat(64)}`);
const idleRouter = member(idleRouterKeys, 'router', 0);
const idleRouterNkey = createUser();
const links: NatsLink[] = [];
let cluster: Cluster;
let session: SessionId;
let runs = 0;

// A router that the servers know and that was never started: it is in no registry, and in no session's terms.
beforeAll(async () => {
  cluster = await startCluster({
    folder: place.path,
    seed: 'forged-log',
    counts: { routers: 2, miners: 3, validators: 2, oracles: 1 },
    natsServers: 1,
    model,
    sessions: 1,
    outsiders: [{ role: 'router', address: idleRouter.address, nkey: idleRouterNkey.getPublicKey() }],
    onStep: () => undefined,
  });
  session = present(cluster.client.ready['session'], 'the session') as SessionId;
});
afterAll(async () => {
  for (const link of links) await link.close();
  await cluster.stop();
  place.remove();
});

async function connectAs(address: Address, nkeySeed: string): Promise<NatsLink> {
  const inboxPrefix = inboxPrefixOf(address);
  const link = await connectNats({ servers: cluster.natsUrl, name: 'attacker', nkeySeed, inboxPrefix });
  links.push(link);
  return link;
}

/** The outcomes of some tasks, asked for at every router. */
async function outcomes(): Promise<string[]> {
  runs += 1;
  const tasks = await drive({
    urls: () => cluster.urls(),
    apiKeys: [present(cluster.client.ready['apiKey'], 'the key')],
    model,
    prompts: ['Define dog.', 'Define water.', 'Define school.', 'Define book.'],
    maxTokens: 16,
    concurrency: 2,
    clock: systemClock,
    label: `forged-log-${runs}`,
    onEnded: () => undefined,
    signal: new AbortController().signal,
  });
  return tasks.map(({ outcome }) => outcome);
}

const answered = ['answered', 'answered', 'answered', 'answered'];

async function statusWith(key: string, url: string): Promise<number> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Define dog.' }], max_tokens: 8 });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return (await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })).status;
}

/** What a router has counted as passed over in the log. */
async function refusedAt(url: string, node: string, code: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = new RegExp(`^pouw_log_refused_total\\{node="${node}",code="${code}"\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}

async function untilTrue(check: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await check()) return true;
    await systemClock.sleep(100);
  }
  return false;
}

async function verified(): Promise<{
  readonly ok: boolean;
  readonly ordered: number;
  readonly faults: readonly unknown[];
  readonly passedOver: { readonly count: number; readonly first: readonly { readonly position: number }[] };
}> {
  const observer = ['--nats-key', present(cluster.observer.natsKey, 'the observer’s key')];
  const chain = ['--rpc', cluster.anvil.url, '--deployment', cluster.deploymentFile];
  const content = ['router-1', 'router-2'].flatMap((name) => ['--content', join(place.path, name)]);
  const result = await runPouw(['log', 'verify', cluster.natsUrl, ...observer, ...chain, ...content, '--json']);
  return JSON.parse(result.stdout) as Awaited<ReturnType<typeof verified>>;
}

/** Positions of what was put into the log. */
const forged: number[] = [];

it('is not stopped by a miner that puts something into its own stream that is no commit', async () => {
  expect(await outcomes()).toEqual(answered);
  const address = present(cluster.minerAddresses[2], 'a miner');
  const { connection } = await connectAs(address, readNkeyFile(join(place.path, 'miner-3', 'nats.nk')).seed);
  const subject = eventSubject(streamId('miner', address));
  const stored = (await connection.request(subject, 'this is no commit')).json<{ seq: number }>();
  forged.push(stored.seq);
  for (const url of cluster.urls()) {
    expect(await untilTrue(async () => (await refusedAt(url, address, 'wrong_form')) === 1)).toBe(true);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  }
  expect(await outcomes()).toEqual(answered);
});

it('does not take a key that a router has bound which may not write the session', async () => {
  const nkeySeed = new TextDecoder().decode(idleRouterNkey.getSeed());
  const { connection } = await connectAs(idleRouter.address, nkeySeed);
  const stream = streamId('session', session);
  const subject = eventSubject(stream);
  const newest = await connection.request(
    '$JS.nodes.API.STREAM.MSG.GET.pouw_v1_evt',
    JSON.stringify({ last_by_subj: subject }),
  );
  const { message } = newest.json<{ message: { data: string; seq: number } }>();
  const head = JSON.parse(Buffer.from(message.data, 'base64').toString()) as Commit;
  const sealed = sealCommit(
    {
      stream,
      version: head.version + 1,
      at: head.at,
      author: head.author,
      cause: head.cause,
      events: [{ type: 'ApiKeyBound', keyHash: sha256(attackerKey) }],
      prev: head.hash,
      ...(head.fence === undefined ? {} : { fence: head.fence }),
    },
    idleRouter.signer,
  );
  const stored = await connection.request(subject, JSON.stringify({ ...sealed, sig: '0'.repeat(128) }));
  forged.push(stored.json<{ seq: number }>().seq);
  for (const url of cluster.urls()) {
    expect(await untilTrue(async () => (await refusedAt(url, 'session', 'wrong_signature')) === 1)).toBe(true);
    expect(await statusWith(attackerKey, url)).toBe(401);
  }
  // The session goes on where it was.
  expect(await outcomes()).toEqual(answered);
});

it('anchors what counts, and a verification names what does not', async () => {
  const last = present(forged.at(-1), 'what was forged');
  let report = await verified();
  expect(await untilTrue(async () => (report = await verified()).ordered > last)).toBe(true);
  expect(report.faults).toEqual([]);
  expect(report).toMatchObject({ ok: true, passedOver: { count: 2 } });
  expect(report.passedOver.first.map(({ position }) => position)).toEqual(forged);
});

it('starts again on such a log', async () => {
  for (const name of ['router-1', 'router-2']) {
    const node = present(
      cluster.nodes.find(({ options }) => options.name === name),
      name,
    );
    await node.stop();
    await node.start();
  }
  for (const url of cluster.urls()) {
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await statusWith(attackerKey, url)).toBe(401);
  }
  expect(await outcomes()).toEqual(answered);
});

it('exports a log that verifies alone, in its order', async () => {
  const observer = ['--nats-key', present(cluster.observer.natsKey, 'the observer’s key')];
  const chain = ['--rpc', cluster.anvil.url, '--deployment', cluster.deploymentFile];
  const content = ['--content', join(place.path, 'router-1'), join(place.path, 'router-2')];
  const file = join(place.path, 'log.ndjson');
  const exported = await runPouw(['log', 'export', cluster.natsUrl, ...observer, ...chain, ...content, '--out', file]);
  expect(exported.stderr).toBe('');
  const report = await runPouw(['log', 'verify', file, '--json']);
  expect(JSON.parse(report.stdout)).toMatchObject({ ok: true, passedOver: { count: 2 } });
  for (const command of [['list'], ['show', '--session', session]]) {
    const shown = await runPouw(['log', command[0]!, cluster.natsUrl, ...command.slice(1), ...observer, ...chain]);
    expect(shown.stdout).toContain(session);
    expect(shown.stdout).not.toContain(sha256(attackerKey));
  }
});

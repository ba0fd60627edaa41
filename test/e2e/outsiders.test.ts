import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createUser } from '@nats-io/nkeys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openChainStore } from '../../src/adapters/chain/chain-store.ts';
import { readDeploymentFile } from '../../src/adapters/chain/deployment-record.ts';
import { createViemChain } from '../../src/adapters/chain/viem-chain.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { readNkeyFile } from '../../src/adapters/nats/nkey-file.ts';
import { startNatsServer } from '../../src/adapters/nats/server/server-process.ts';
import { openNatsEventStore } from '../../src/adapters/nats/store/event-store.ts';
import { type Cluster, startCluster } from '../../src/cli/cluster/cluster-network.ts';
import { drive } from '../../src/cli/cluster/drive.ts';
import { summariseLog, verifyCluster } from '../../src/cli/cluster/examine.ts';
import { member } from '../../src/cli/compose/members.ts';
import { connectPeer } from '../../src/cli/nats-peer.ts';
import { present } from '../../src/core/assert.ts';
import type { Hex } from '../../src/core/hash.ts';
import type { EffectId, SessionId, TaskId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key-ring.ts';
import { tokenSubject } from '../../src/messages/subjects.ts';
import { freePort } from '../../src/adapters/process/port.ts';
import { scratch } from '../kit/local-network.ts';
import { natsProgram } from '../kit/nats-server.ts';
import { runPouw } from '../kit/pouw-process.ts';
import { Outsider } from '../kit/outsider.ts';

const place = scratch('outsiders');
const model = 'pebble-chat';
const strangerKeys = new KeyRing(`0x${'5'.repeat(64)}`);
const strangerNkey = createUser();
const outsiders: Outsider[] = [];
let cluster: Cluster;

// One of four miners leaves the registry, and a stranger was never in it; three are left, as many as a task needs.
beforeAll(async () => {
  const { address } = member(strangerKeys, 'miner', 0);
  cluster = await startCluster({
    folder: place.path,
    seed: 'outsiders',
    counts: { routers: 1, miners: 4, validators: 2, oracles: 1 },
    natsServers: 1,
    model,
    sessions: 1,
    outsiders: [{ role: 'miner', address, nkey: strangerNkey.getPublicKey(), models: [model] }],
    onStep: () => undefined,
  });
});
afterAll(async () => {
  for (const outsider of outsiders) await outsider.leave();
  await cluster.stop();
  place.remove();
});

/** A miner's process ends; its account leaves the registry and its keys go to a program that acts as if nothing was. */
async function leaveRegistry(name: string): Promise<Outsider> {
  const node = present(
    cluster.nodes.find(({ options }) => options.name === name),
    name,
  );
  await node.stop();
  const { secret } = JSON.parse(readFileSync(join(place.path, name, 'keys.json'), 'utf8')) as { secret: Hex };
  const keys = new KeyRing(secret);
  const { address, accountKey } = member(keys, 'miner', 0);
  const { deployment } = present(await readDeploymentFile(cluster.deploymentFile), 'the deployment');
  const store = openChainStore(join(place.path, `${name}.sqlite`));
  const chain = await createViemChain({
    rpcUrl: cluster.anvil.url,
    deployment,
    accounts: new Map([[address, accountKey]]),
    store,
    mineOnDemand: true,
  });
  await chain.send(address, { call: 'setActive', active: false }, `setup.leave:${address}:0` as EffectId);
  await chain.close();
  store.close();
  const { seed } = readNkeyFile(join(place.path, name, 'nats.nk'));
  return Outsider.join(cluster.natsUrl, keys, seed, model);
}

/** How many messages of a kind the router has dropped, and why. */
async function dropped(kind: string, code: string): Promise<number> {
  const text = await (await fetch(`${cluster.urls()[0]}/metrics`)).text();
  const line = new RegExp(`^pouw_bus_dropped_total\\{kind="${kind}",code="${code}"\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}

async function untilDropped(kind: string, code: string): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const count = await dropped(kind, code);
    if (count > 0) return count;
    await systemClock.sleep(100);
  }
  return 0;
}

async function logOf(nats: string): Promise<Awaited<ReturnType<typeof summariseLog>> & { readonly isSound: boolean }> {
  const link = await connectPeer('test', { ...cluster.observer, nats });
  const store = await openNatsEventStore({ connection: link.connection, inboxPrefix: link.inboxPrefix });
  try {
    const summary = await summariseLog(store);
    const routers = [join(place.path, 'router-1')];
    const { ok } = await verifyCluster(store, cluster.anvil.url, cluster.deploymentFile, routers);
    return { ...summary, isSound: ok };
  } finally {
    await store.close();
    await link.close();
  }
}

describe('who is not in the registry', () => {
  it('is not heard: what it says is dropped and counted, however well it is signed', async () => {
    const seed = new TextDecoder().decode(strangerNkey.getSeed());
    outsiders.push(await Outsider.join(cluster.natsUrl, strangerKeys, seed, model));
    expect(await untilDropped('heartbeat', 'message_unknown_sender')).toBeGreaterThan(0);
  });

  it('is not heard any more once it has left', async () => {
    outsiders.push(await leaveRegistry('miner-4'));
    expect(await untilDropped('heartbeat', 'sender_not_allowed')).toBeGreaterThan(0);
  });

  it('is given no work, and cannot speak in a task of others', async () => {
    const session = present(cluster.client.ready['session'], 'the session') as SessionId;
    const apiKeys = [present(cluster.client.ready['apiKey'], 'the key')];
    const prompts = ['Define dog.', 'Define water.', 'Define school.', 'Define book.'];
    const run = { apiKeys, model, prompts, maxTokens: 16, concurrency: 2, clock: systemClock, label: 'outsiders' };
    const task = `0x${'7'.repeat(64)}` as TaskId;
    const tasks = await drive({
      ...run,
      urls: () => cluster.urls(),
      signal: new AbortController().signal,
      onEnded: () => {
        const [stranger] = outsiders;
        const subject = tokenSubject(session, task, present(stranger, 'the stranger').member.address);
        stranger?.say(subject, { task, attempt: 0, seq: 0, index: 0, ids: [1], text: 'a lie' });
      },
    });
    expect(tasks.map(({ outcome }) => outcome)).toEqual(prompts.map(() => 'answered'));
    const { tasks: logged } = await logOf(cluster.natsUrl);
    const worked = new Set([...logged.values()].flatMap(({ miners }) => miners.map(({ miner }) => miner)));
    expect([...worked].toSorted()).toEqual(cluster.minerAddresses.slice(0, 3).toSorted());
    expect(await untilDropped('tokens', 'token_not_expected')).toBeGreaterThan(0);
  });
});

describe('a copy of a NATS server’s store, as docs/operations.md tells to make it', () => {
  it('has the whole log, which verifies, when a server is started on it', async () => {
    for (const node of [...cluster.nodes, cluster.client]) await node.stop();
    const before = await logOf(cluster.natsUrl);
    const server = present(cluster.natsServers[0], 'the server');
    await server.stop();
    const copy = join(place.path, 'restored');
    cpSync(join(server.directory, 'store'), join(copy, 'store'), { recursive: true });
    const port = await freePort();
    const config = readFileSync(join(server.directory, 'server.conf'), 'utf8');
    const restored = await startNatsServer({
      directory: copy,
      program: await natsProgram(),
      settings: { port },
      render: ({ monitorPort }) =>
        config
          .replaceAll(server.directory, copy)
          .replace(`127.0.0.1:${server.settings.port}`, `127.0.0.1:${port}`)
          .replace(`127.0.0.1:${server.settings.monitorPort}`, `127.0.0.1:${monitorPort}`),
    });
    try {
      const after = await logOf(restored.url);
      expect(after.isSound).toBe(true);
      expect([...after.hashes]).toEqual([...before.hashes]);
      expect(after.commits).toBeGreaterThan(50);
      const observer = ['--nats-key', present(cluster.observer.natsKey, 'the observer’s key')];
      const chain = ['--rpc', cluster.anvil.url, '--deployment', cluster.deploymentFile];
      const content = ['--content', join(place.path, 'router-1')];
      const verified = await runPouw(['log', 'verify', restored.url, ...observer, ...chain, ...content]);
      expect(verified.stdout).toContain('OK: every hash, signature and author is right');
      const alone = await runPouw(['log', 'verify', restored.url, ...observer]);
      expect(alone.stderr).toContain('error chain_not_named');
    } finally {
      await restored.stop();
    }
  });
});

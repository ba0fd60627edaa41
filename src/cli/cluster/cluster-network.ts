import type { Incentives } from '../../adapters/chain/economy.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeDataFolder } from '../../adapters/local/data-dir.ts';
import { addressOfKey } from '../../adapters/chain/accounts.ts';
import { type AnvilProcess, startAnvil } from '../../adapters/chain/anvil-process.ts';
import { findNatsServer } from '../../adapters/nats/server/find-server.ts';
import type { NatsServer } from '../../adapters/nats/server/server-process.ts';
import type { NatsMember } from '../../adapters/nats/nats-config.ts';
import { nkeyFileName, openNkeyFile } from '../../adapters/nats/nkey-file.ts';
import type { Hex } from '../../core/hash.ts';
import { sha256 } from '../../core/hash.ts';
import type { Address, Role } from '../../core/ids.ts';
import type { IdleRoundsChoice } from '../../core/idle-rounds.ts';
import type { Scheduling } from '../../core/scheduling.ts';
import { KeyRing } from '../../core/key-ring.ts';
import type { Settlement } from '../../core/settlement.ts';
import { formatCor, type Wei } from '../../core/wei.ts';
import { defaultCacheFolder } from '../cache-folder.ts';
import { Closers } from '../compose/closers.ts';
import { defaultEmbedder } from '../compose/defaults.ts';
import { batchBondWei, fundsOf, type NodeCounts } from '../compose/settings.ts';
import { deployNetwork } from '../chain-deploy-run.ts';
import type { NatsPeerOptions } from '../nats-options.ts';
import { startClusterNats } from './cluster-nats.ts';
import { acksFile } from './examine.ts';
import { NodeChild } from './node-child.ts';
import { type RpcRelay, startRpcRelay } from './rpc-relay-process.ts';

/** What a cluster is made of. */
export interface ClusterOptions {
  /** The folder of everything; made where it is missing. */
  readonly folder: string;
  /** All keys follow from it. */
  readonly seed: string;
  readonly counts: NodeCounts;
  readonly natsServers: 1 | 3;
  readonly model: string;
  /** How the routers find miners. Default `preassigned`. */
  readonly scheduling?: Scheduling;
  /** How the client's sessions are settled. Default `perTask`. */
  readonly settlement?: Settlement;
  /** Epochs and slots of the deployment that are not the usual ones. */
  readonly incentives?: Partial<Incentives>;
  /** Whether idle nodes take part in idle rounds. Default `off`. */
  readonly idleRounds?: IdleRoundsChoice;
  /** Seconds in which outcomes of the client's sessions may be appealed. Default 0: not at all. */
  readonly appealWindow?: number;
  /** Sessions of the client; tasks are spread over them. */
  readonly sessions: number;
  /** Who may connect to NATS besides the nodes: whoever it is, the registry does not know it. */
  readonly outsiders?: readonly NatsMember[];
  readonly onStep: (step: string) => void;
}

/** A network of processes on this machine. */
export interface Cluster {
  readonly folder: string;
  readonly nodes: readonly NodeChild[];
  readonly client: NodeChild;
  readonly natsUrl: string;
  readonly natsServers: readonly NatsServer[];
  /** How somebody connects to NATS who may read everything and write nothing. */
  readonly observer: NatsPeerOptions;
  readonly anvil: AnvilProcess;
  /** What the nodes reach the chain through; killing it is an outage of the chain's RPC, not of the chain. */
  readonly relay: RpcRelay;
  readonly deploymentFile: string;
  readonly minerAddresses: readonly Address[];
  /** Of all nodes. */
  readonly addresses: readonly Address[];
  /** Of the account that deployed the contracts. */
  readonly deployerKey: Hex;
  /** The HTTP endpoints of the routers that run. */
  urls(): string[];
  stop(): Promise<void>;
}

const roles = ['router', 'miner', 'validator', 'oracle'] as const;
const plural = { router: 'routers', miner: 'miners', validator: 'validators', oracle: 'oracles' } as const;

/** Starts NATS, the chain, the contracts and every node as a process of its own; the client last. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const closers = new Closers();
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
}

async function start(options: ClusterOptions, closers: Closers): Promise<Cluster> {
  const { folder, seed, counts, natsServers: size, onStep } = options;
  makeDataFolder(folder);
  onStep('NATS');
  const { path: program } = await findNatsServer({ cacheFolder: defaultCacheFolder(), onProgress: onStep });
  const plans = [...roles.flatMap((role) => plansOf(role, counts[plural[role]], seed)), ...plansOf('client', 1, seed)];
  const models = [options.model, defaultEmbedder];
  const members = [...plans.map((plan) => memberOf(plan, folder, models)), ...(options.outsiders ?? [])];
  const nats = await startClusterNats({ folder, program, size, members, models });
  closers.add(() => nats.stop());
  onStep('chain');
  const anvil = await startAnvil({ directory: join(folder, 'chain') });
  closers.add(() => anvil.stop());
  const relay = await startRpcRelay(anvil.port);
  closers.add(() => relay.stop());
  onStep('contracts');
  const shares = new Map<Address, Wei>(plans.map(({ role, address }) => [address, fundsOf(role)]));
  const deployerKey = new KeyRing(`0x${sha256(`pouw/cluster/${seed}/deployer`)}`).account('deployer', 0);
  const { incentives } = options;
  const place = { rpcUrl: anvil.url, folder: join(folder, 'deployer') };
  const { file } = await deployNetwork({ ...place, deployerKey, shares, incentives });

  // The funds were set by decree: only a saved state has them.
  await anvil.save();
  const children = plans.map((plan) => childOf(plan, options, { natsUrl: nats.url, rpcUrl: relay.url, file }));
  const nodes = children.filter(({ options: { role } }) => role !== 'client');
  const client = children.find(({ options: { role } }) => role === 'client');
  if (client === undefined) throw new Error('a cluster has a client');
  closers.add(async () => void (await Promise.all(nodes.map((node) => node.stop()))));
  let ready = 0;
  onStep(`nodes 0/${nodes.length}`);
  // In any order: each waits for what it needs.
  await Promise.all(nodes.map((node) => node.start().then(() => onStep(`nodes ${(ready += 1)}/${nodes.length}`))));
  onStep('session');
  closers.add(() => client.stop());
  await client.start();
  return {
    folder,
    nodes,
    client,
    natsUrl: nats.url,
    natsServers: nats.servers,
    observer: nats.observer,
    anvil,
    relay,
    deploymentFile: file,
    addresses: plans.map(({ address }) => address),
    deployerKey,
    minerAddresses: plans.filter(({ role }) => role === 'miner').map(({ address }) => address),
    urls: () =>
      nodes
        .filter(({ options: { role }, isRunning }) => role === 'router' && isRunning)
        .map(({ ready: { url } }) => url ?? ''),
    stop: () => closers.closeAll(),
  };
}

/** A node to be. */
interface NodePlan {
  readonly role: Role;
  readonly index: number;
  readonly secret: Hex;
  readonly address: Address;
}

function plansOf(role: Role, count: number, seed: string): NodePlan[] {
  return Array.from({ length: count }, (_, index) => {
    const secret: Hex = `0x${sha256(`pouw/cluster/${seed}/${role}/${index}`)}`;
    return { role, index, secret, address: addressOfKey(new KeyRing(secret).account(role, 0)) };
  });
}

/** The node as the NATS servers know it: by the key in its folder. */
function memberOf({ role, index, address }: NodePlan, folder: string, models: readonly string[]): NatsMember {
  const own = folderOf(folder, role, index);
  const nkey = openNkeyFile(join(own, nkeyFileName));
  return { role, address, nkey, ...(role === 'miner' ? { models } : {}) };
}

/** The folder of a node, made where it is missing. */
function folderOf(folder: string, role: Role, index: number): string {
  const own = join(folder, role === 'client' ? role : `${role}-${index + 1}`);
  mkdirSync(own, { recursive: true });
  return own;
}

function childOf(
  { role, index, secret }: NodePlan,
  options: ClusterOptions,
  { natsUrl, rpcUrl, file }: { natsUrl: string; rpcUrl: string; file: string },
): NodeChild {
  const { folder, natsServers: size, model, sessions, appealWindow = 0 } = options;
  const { scheduling = 'preassigned', settlement = 'perTask' } = options;
  const own = folderOf(folder, role, index);
  const name = basename(own);
  writeFileSync(join(own, 'keys.json'), `${JSON.stringify({ v: 1, secret })}\n`, { mode: 0o600 });
  const config = join(own, 'config.json');
  const settings = {
    nats: natsUrl,
    replicas: size,
    rpc: rpcUrl,
    pollMs: 100,
    deployment: file,
    data: own,
    model,
    device: 'cpu',
    workers: 1,
    port: 0,
    scheduling,
    idleRounds: options.idleRounds ?? 'off',
    acks: join(own, acksFile),
    ...(role === 'client' ? { sessions, settlement, appealWindow } : {}),
    ...(role === 'router' && settlement === 'batched' ? { bond: formatCor(batchBondWei) } : {}),
  };
  writeFileSync(config, `${JSON.stringify(settings, null, 2)}\n`);
  return new NodeChild({ role, name, folder: own, config });
}

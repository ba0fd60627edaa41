import { chainCursorName } from '../../adapters/nats/kv/cursors.ts';
import { createHeliaContentStore } from '../../adapters/ipfs/content-store.ts';
import { openDataDir } from '../../adapters/local/data-dir.ts';
import { keyFileName, openKeyFile } from '../../adapters/local/key-file.ts';
import { systemClock, systemRandom } from '../../adapters/local/system-clock.ts';
import { createNatsBus } from '../../adapters/nats/bus/nats-bus.ts';
import { connectNats } from '../../adapters/nats/connect.ts';
import type { LogRegistry } from '../../adapters/nats/store/log-trust.ts';
import { errorCode, errorMessage } from '../../core/errors.ts';
import type { Role } from '../../core/ids.ts';
import type { KeyRing } from '../../core/key-ring.ts';
import { createBusBlockExchange } from '../../nodes/blocks/bus-block-exchange.ts';
import { NodeDirectory } from '../../nodes/directory.ts';
import { type FactPumpOptions, type FactReader, startFactPump } from '../../nodes/fact-pump.ts';
import type { NodePorts } from '../../nodes/ports.ts';
import { countRefused } from '../../operations/refused-messages.ts';
import { countUnsound } from '../../operations/unsound-entries.ts';
import { oneCor, timesWei } from '../../core/wei.ts';
import type { Chain } from '../../ports/chain.ts';
import type { Log } from '../../ports/log.ts';
import type { NodeConfig } from '../config/schema.ts';
import { meterBus } from '../../operations/metered-bus.ts';
import { openOperations, type Operations } from '../operations/open-operations.ts';
import { ChainRegistry } from './chain-registry.ts';
import { Closers } from './closers.ts';
import { type Member, member } from './members.ts';
import { natsIdentity } from './nats-identity.ts';
import { type NatsStores, openNatsStores, readsAll } from './nats-stores.ts';
import { openNodeChain } from './node-chain.ts';
import { addNodeChecks } from './node-checks.ts';
import { depositBond, ensureRegistered } from './register.ts';
import { stakeOf } from './settings.ts';
import { waitFor, type WaitOptions } from './wait-for.ts';

/** How to start a node process. */
export interface NodeProcessOptions {
  readonly role: Role;
  readonly config: NodeConfig;
  /** The data folder, absolute or relative. */
  readonly folder: string;
  /** Ends the start while it still waits. */
  readonly signal: AbortSignal;
  /** Told what the process does, for a person who waits. */
  readonly onStep: (step: string) => void;
}

/** What every node process stands on, open and registered. */
export interface NodeGround {
  readonly keys: KeyRing;
  readonly member: Member;
  readonly ports: NodePorts;
  readonly stores: NatsStores;
  readonly log: Log;
  /** Metrics, traces and probes of the process. */
  readonly operations: Operations;
  readonly closers: Closers;
  /** Follows the chain for the readers of this process until the ground is left. */
  follow(readers: readonly FactReader[], watcher?: Pick<FactPumpOptions, 'onHead' | 'onOutage'>): Promise<void>;
  /** Closes everything that was opened. */
  leave(): Promise<void>;
}

/**
 * Opens what a node process stands on, in whatever order the rest of the network is started: data folder, keys, NATS,
 * chain, registry, content.
 *
 * @throws PouwError what waiting cannot cure; the signal's reason.
 */
export async function layNodeGround(options: NodeProcessOptions): Promise<NodeGround> {
  const closers = new Closers();
  try {
    return await open(options, closers);
  } catch (error) {
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
}

async function open(
  { role, config, folder, signal, onStep }: NodeProcessOptions,
  closers: Closers,
): Promise<NodeGround> {
  const data = openDataDir(folder);
  closers.add(async () => data.close());
  const signed = [data.file('chain', 'tx.sqlite')];
  const keys = openKeyFile(config.key ?? data.file(keyFileName), systemRandom, signed);
  const own = member(keys, role, 0);
  const { address } = own;
  const { logLevel: level, opsPort, opsHost } = config;
  const logTo = { to: data.file('pouw.log'), level };
  const operations = await openOperations({ role, node: address, clock: systemClock, log: logTo, opsPort, opsHost });
  closers.add(() => operations.close());
  const { log } = operations;
  const wait: WaitOptions = {
    clock: systemClock,
    signal,
    onWait: (what, reason) => tellWait(log, onStep, what, reason),
  };

  const link = await waitFor(`NATS at ${config.nats}`, wait, () =>
    connectNats({ ...natsIdentity(config, role, address, data.path), log, firstConnectMs: natsTryMs, signal }),
  );
  closers.add(() => link.close());
  const onBusError = (error: unknown, { subject }: { subject: string }): void =>
    log.warn('bus', { subject, code: errorCode(error), error: errorMessage(error) });
  const bus = createNatsBus({ link, clock: systemClock, onError: onBusError });
  closers.add(() => bus.drain());
  const { registry: authors, context, closing } = trustIn(own, operations);
  const stores = await waitFor('the log on NATS', wait, () => openNatsStores(link, config, own, context));
  closers.add(() => stores.close());
  // Before them, so that nobody waits for the registry any more.
  closers.add(async () => closing.abort());

  const chain = await openNodeChain({ config, data, member: own, log, wait }, closers);
  await takeItsPlace(chain, own, config, wait);
  const directory = new NodeDirectory();
  const nodes = await chain.nodes();
  directory.load(nodes);
  authors.open(chain, nodes);

  const exchange = createBusBlockExchange({
    // What is said about blocks is counted, too; the ports have a bus of their own.
    bus: meterBus(bus, operations.metrics),
    clock: systemClock,
    log,
    peer: address,
    known: () => directory.addresses(),
  });
  closers.add(() => exchange.close());
  const content = await createHeliaContentStore({ directory: data.path, exchange });
  closers.add(() => content.close());

  const [clock, random] = [systemClock, systemRandom];
  const { events: store, snapshots, journal, leases, cursors } = stores;
  const bare = { bus, store, snapshots, journal, leases, chain, content, clock, random, log, directory };
  const ports = operations.wrapPorts(bare);
  addNodeChecks(operations.readiness, { link, registry: authors, stores });
  return {
    operations,
    keys,
    member: own,
    ports,
    stores,
    log,
    closers,
    async follow(readers, watcher = {}) {
      const registry: FactReader = {
        onFacts: async (facts) => facts.forEach((fact) => directory.apply(fact)),
        onRemoved: async () => {},
      };
      const pump = await startFactPump({
        chain: ports.chain,
        cursors,
        clock,
        log,
        name: chainCursorName(address),
        readers: [registry, ...readers],
        ...watcher,
      });
      closers.add(() => pump.close());
    },
    leave: () => closers.closeAll(),
  };
}

/** Sees to it that a node is registered, and that a router has the bond that it is to have. */
async function takeItsPlace(chain: Chain, own: Member, { stake, bond }: NodeConfig, wait: WaitOptions): Promise<void> {
  const { role, address } = own;
  await waitFor('its registration', wait, () => ensureRegistered(chain, own, stakeOf(role, stake)));
  if (role !== 'router' || bond === undefined) return;
  await waitFor('its bond', wait, () => depositBond(chain, address, timesWei(oneCor, BigInt(bond))));
}

/** Who may have written what in the log is in the registry, which the chain has: what is read earlier waits for it. */
function trustIn(own: Member, { metrics, log }: Pick<Operations, 'metrics' | 'log'>) {
  const closing = new AbortController();
  const registry = new ChainRegistry({ clock: systemClock, log, signal: closing.signal });
  const onRefused = countRefused({ metrics, log }, registry);
  const trust = { registry: readsAll(own.role) ? registry : onlyOwn(own), onRefused };
  const onUnsound = countUnsound({ metrics, log, clock: systemClock });
  return { registry, context: { log, trust, onUnsound }, closing };
}

/** The registry of a node that reads its own stream only. */
function onlyOwn({ address, role, signer }: Member): LogRegistry {
  const own = { roles: [role], key: signer.publicKey };
  return { get: (author) => (author === address ? own : undefined), learn: async () => {} };
}

/** How long one try to reach NATS may take; the wait around it tries again. */
const natsTryMs = 2_000;

function tellWait(log: Log, onStep: (step: string) => void, what: string, reason: string): void {
  log.info('waiting', { for: what, reason });
  onStep(`waiting for ${what}: ${reason}`);
}

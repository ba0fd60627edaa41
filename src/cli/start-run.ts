import { resolve } from 'node:path';
import { connect } from '../adapters/chain/connect.ts';
import type { DeviceChoice } from '../adapters/transformers/devices.ts';
import { systemClock, systemRandom } from '../adapters/local/system-clock.ts';
import { errorMessage, PouwError } from '../core/errors.ts';
import type { IdleRoundsChoice } from '../core/idle-rounds.ts';
import type { Scheduling } from '../core/scheduling.ts';
import type { Settlement } from '../core/settlement.ts';
import { createGateway } from '../gateway/gateway.ts';
import { defaultEmbedder } from './compose/defaults.ts';
import { openEngine } from './compose/engine.ts';
import { type DemoSession, openDemoSession } from './compose/demo-session.ts';
import { composeLocalNetwork, type LocalNetwork } from './compose/local-network.ts';
import { reachWithinMs } from './compose/own-chain.ts';
import { deployerKey } from './deployer-key.ts';
import { inNewFolder } from './new-folder.ts';
import type { OperationsFlags } from './operations/options.ts';
import { Progress } from './progress.ts';
import { startBanner } from './start-banner.ts';
import { interruptedCode, stopAtOnce } from './stop-at-once.ts';
import { unlessAborted } from '../core/unless-aborted.ts';
import { untilStopped } from './until-stopped.ts';

/** How long running tasks may take to end after Ctrl-C. */
const drainMs = 10_000;

/** What `pouw start` was asked for. */
export interface StartOptions extends OperationsFlags {
  readonly data: string;
  readonly port: number;
  readonly host: string;
  readonly rpc?: readonly string[];
  readonly model: string;
  readonly device: DeviceChoice;
  readonly scheduling: Scheduling;
  readonly settlement: Settlement;
  readonly idleRounds: IdleRoundsChoice;
  readonly json?: boolean;
}

/** Starts the network, says how to reach it, and keeps it up until it is told to stop. */
export async function runStart(options: StartOptions): Promise<void> {
  const start = new Start(options.json === true);
  try {
    await inNewFolder(options.data, async (keep) => {
      if (options.rpc !== undefined) {
        await connect({ url: options.rpc, retryMs: reachWithinMs, signal: start.signal });
        // On a chain of others its accounts may have money and contracts as soon as they have keys.
        keep();
      }
      await keepUp(options, start, keep);
    });
  } catch (error) {
    if (!start.isInterrupted) throw error;
    // Not all that a start waits for, a chain or a download, can be told that nobody wants it any more.
    process.exit(interruptedCode);
  }
}

/** How long what a start has opened may take to close when it is interrupted. */
const interruptedWithinMs = 5_000;

/** A start that can be stopped before the network is up: by the first signal, and at once by the second. */
class Start {
  readonly stopped = untilStopped();
  isUp = false;
  readonly #aborting = new AbortController();

  constructor(isQuiet: boolean) {
    void this.stopped.then(({ again }) => {
      if (this.isUp) return;
      this.#aborting.abort(new Error('interrupted'));
      if (!isQuiet) process.stderr.write('\nStopping: the network was not up yet. Ctrl-C again stops at once.\n');
      const exit = (): void => process.exit(interruptedCode);
      void again.then(exit);
      setTimeout(exit, interruptedWithinMs).unref();
    });
  }

  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  get isInterrupted(): boolean {
    return this.signal.aborted;
  }
}

async function keepUp(options: StartOptions, start: Start, keep: () => void): Promise<void> {
  const { stopped, signal } = start;
  const progress = new Progress('starting');
  const steps = ['chain', 'contracts', 'registry', 'models', 'nodes', 'session'];
  const step = (name: string): void => progress.update(steps.indexOf(name), steps.length, name);
  const network = await composeLocalNetwork({
    data: options.data,
    rpcUrl: options.rpc,
    deployerKey: deployerKey(process.env['POUW_DEPLOYER_KEY']),
    onStep: step,
    signal,
    scheduling: options.scheduling,
    idleRounds: options.idleRounds === 'on',
    logLevel: options.logLevel,
    operations: { opsPort: options.opsPort, opsHost: options.opsHost },
    engine: () =>
      openEngine({
        model: options.model,
        embedder: defaultEmbedder,
        device: options.device,
        onProgress: ({ model, file, loadedBytes, totalBytes }) =>
          progress.update(loadedBytes, totalBytes, `${model} ${file}`),
      }),
  }).finally(() => progress.end());
  let graceMs = 0;
  try {
    step('session');
    const { demo, url, close } = await unlessAborted(openDoor(network, options), signal);
    start.isUp = true;
    graceMs = drainMs;
    keep();
    progress.end();
    const { engine, rpcUrl } = network;
    const { server } = network.operations;
    const ready = {
      url,
      apiKey: demo.apiKey,
      model: engine.model,
      rpcUrl,
      data: resolve(options.data),
      ...(server === undefined ? {} : { opsUrl: server.url }),
    };
    if (options.json === true) process.stdout.write(`${JSON.stringify(ready)}\n`);
    else
      process.stdout.write(
        startBanner({
          ...ready,
          session: demo.session,
          deviceLine: engine.deviceLine,
          embedder: engine.embedder,
          members: network.members,
        }),
      );
    const stop = await Promise.race([stopped, network.lost]);
    if (stop instanceof PouwError) {
      graceMs = 0;
      // Nothing that is asked will be answered.
      void close(0).catch(() => undefined);
      throw stop;
    }
    void stop.again.then(() => stopAtOnce(network));
    if (options.json !== true) process.stderr.write('Stopping: running tasks end first. Ctrl-C again stops at once.\n');
    await close();
  } finally {
    progress.end();
    await network.stop(graceMs);
  }
  if (options.json !== true)
    process.stderr.write('Stopped. The next start on the same data directory goes on from here.\n');
}

/** What an operator's tools ask all the time. */
const probePaths: ReadonlySet<string> = new Set(['/metrics', '/healthz', '/readyz']);

/** A session's terms are fixed: each kind of settlement has a session of its own on the same data. */
function labelOf(settlement: Settlement): string {
  return settlement === 'perTask' ? 'demo' : `demo/${settlement}`;
}

async function openDoor(
  network: LocalNetwork,
  { host, port, settlement }: StartOptions,
): Promise<{ demo: DemoSession; url: string; close: (forMs?: number) => Promise<void> }> {
  const demo = await openDemoSession(network, network.engine.model, labelOf(settlement), { settlement });
  await network.ready();
  const { log, metrics, tracer, probes } = network.operations;
  const gateway = createGateway({
    metrics,
    tracer,
    probes,
    network: network.front,
    plans: network.plans,
    allowances: network.allowances,
    wallets: network.wallets,
    clock: systemClock,
    random: systemRandom,
    log: ({ event, error, ...fields }) => {
      if (event === 'failed') log.error('a request failed', { ...fields, error: errorMessage(error) });
      else log[probePaths.has(fields.path) ? 'debug' : 'info']('a request was answered', fields);
    },
  });
  // Last: who comes back to a network that was restarted must not hear that nobody serves its model.
  const { url } = await gateway.listen(host, port);
  return { demo, url, close: (forMs) => gateway.close(forMs) };
}

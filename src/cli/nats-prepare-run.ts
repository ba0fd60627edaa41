import { systemClock } from '../adapters/local/system-clock.ts';
import { prepareNatsNetwork } from '../adapters/nats/prepare.ts';
import { waitFor } from './compose/wait-for.ts';
import type { PrepareOptions } from './nats-prepare-command.ts';
import { connectPeer } from './nats-peer.ts';

/** Makes what a network keeps on NATS, once the servers are there. */
export async function runNatsPrepare({
  replicas,
  model: models,
  waitMs,
  json,
  ...peer
}: PrepareOptions): Promise<void> {
  const signal = AbortSignal.timeout(waitMs);
  const onWait = (what: string, reason: string): void => void process.stderr.write(`waiting for ${what}: ${reason}\n`);
  const wait = { clock: systemClock, signal, onWait };
  const link = await waitFor(`NATS at ${peer.nats}`, wait, () => connectPeer('pouw nats-prepare', peer));
  try {
    const { connection } = link;
    // The servers of a cluster answer before they have found each other; three copies need three of them.
    await waitFor('the servers to make streams', wait, () => prepareNatsNetwork({ connection, replicas, models }));
  } finally {
    await link.close();
  }
  const made = { replicas, models };
  if (json === true) process.stdout.write(`${JSON.stringify(made)}\n`);
  else
    process.stdout.write(
      `The log, the buckets and the queues of ${models.join(', ')} are there, on ${replicas} ${replicas === 1 ? 'server' : 'servers'} each.\n`,
    );
}

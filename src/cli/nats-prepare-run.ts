import { systemClock } from '../adapters/local/system-clock.ts';
import { prepareNatsNetwork } from '../adapters/nats/prepare.ts';
import { PouwError } from '../core/errors.ts';
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
  let last = 'It was not asked yet.';
  const onWait = (what: string, reason: string): void => {
    last = reason;
    process.stderr.write(`waiting for ${what}: ${reason}\n`);
  };
  const wait = { clock: systemClock, signal, onWait };
  try {
    const link = await waitFor(`NATS at ${peer.nats}`, wait, () => connectPeer('pouw nats-prepare', peer));
    try {
      const { connection } = link;
      // The servers of a cluster answer before they have found each other; three copies need three of them.
      await waitFor('the servers to make streams', wait, () => prepareNatsNetwork({ connection, replicas, models }));
    } finally {
      await link.close();
    }
  } catch (error) {
    throw signal.aborted && !(error instanceof PouwError) ? waitedInVain(peer.nats, waitMs, last, error) : error;
  }
  const made = { replicas, models };
  if (json === true) process.stdout.write(`${JSON.stringify(made)}\n`);
  else
    process.stdout.write(
      `The log, the buckets and the queues of ${models.join(', ')} are there, on ${replicas} ${replicas === 1 ? 'server' : 'servers'} each.\n`,
    );
}

function waitedInVain(nats: string, waitMs: number, why: string, cause: unknown): PouwError {
  return new PouwError('nats_unreachable', `The servers at ${nats} were not ready within ${waitMs} ms.`, {
    class: 'unavailable',
    why,
    hint: 'Start the servers, check the address given with --nats, or wait longer with --wait-ms.',
    cause,
  });
}

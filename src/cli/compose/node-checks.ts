import type { NatsLink } from '../../adapters/nats/link.ts';
import { PouwError } from '../../core/errors.ts';
import type { ReadinessChecks } from '../../operations/readiness.ts';
import type { ChainRegistry } from './chain-registry.ts';
import type { NatsStores } from './nats-stores.ts';

/** What a node process looks at to say that it is ready. */
export interface NodeChecks {
  readonly link: Pick<NatsLink, 'isUp'>;
  readonly registry: Pick<ChainRegistry, 'requireKnown'>;
  readonly stores: Pick<NatsStores, 'requireFollowed' | 'requireThere'>;
}

/** Adds what else than the chain a process needs to be ready. */
export function addNodeChecks(readiness: Pick<ReadinessChecks, 'add'>, { link, registry, stores }: NodeChecks): void {
  readiness.add('nats', () => {
    if (!link.isUp()) throw natsAway();
  });
  readiness.add('log', async () => {
    registry.requireKnown();
    stores.requireFollowed();
    // Who follows a log that was deleted hears nothing, as of one that nobody writes.
    await stores.requireThere();
  });
}

function natsAway(): PouwError {
  return new PouwError('nats_unreachable', 'NATS cannot be reached; the connection is tried on.', {
    class: 'unavailable',
  });
}

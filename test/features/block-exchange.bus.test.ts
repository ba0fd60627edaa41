import { createLocalBus } from '../../src/adapters/local/local-bus.ts';
import { systemClock } from '../../src/adapters/local/system-clock.ts';
import { createBusBlockExchange } from '../../src/nodes/blocks/bus-block-exchange.ts';
import type { BlockExchange } from '../../src/ports/block-exchange.ts';
import { silentLog } from '../../src/ports/log.ts';
import { blockExchangeFeatures } from './block-exchange.features.ts';
import type { BlockExchangeHarness } from './block-exchange.harness.ts';

blockExchangeFeatures('over the local bus', async () => {
  const bus = createLocalBus();
  const logged: { message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const log = { ...silentLog, warn: (message: string, fields = {}) => void logged.push({ message, fields }) };
  const exchanges: BlockExchange[] = [];
  const harness: BlockExchangeHarness = {
    stranger: bus,
    logged,
    patienceMs: 10_000,
    join: (peer) => {
      const exchange = createBusBlockExchange({ bus, clock: systemClock, log, peer });
      exchanges.push(exchange);
      return exchange;
    },
    close: async () => {
      await Promise.all(exchanges.map((exchange) => exchange.close()));
      await bus.drain();
    },
  };
  return harness;
});

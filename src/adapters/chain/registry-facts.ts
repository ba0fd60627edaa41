import { toAddress } from '../../core/ids.ts';
import type { ChainFactBody } from '../../ports/chain.ts';
import { accesses } from './access.ts';
import { at, type Decoded } from './fact-events.ts';

/** What the registry and the parameters say of how a node may be chosen; undefined for every other log. */
export function registryFact(log: Decoded): ChainFactBody | undefined {
  const type = log.eventName;
  switch (type) {
    case 'ModelServed':
      return { type, node: toAddress(log.args.node), model: log.args.model };
    case 'ModelDropped':
      return { type, node: toAddress(log.args.node), modelHash: log.args.modelHash };
    case 'NodeCooledDown':
      return { type, node: toAddress(log.args.node), coolUntilAt: log.args.coolUntilAt * 1_000 };
    case 'AccessSet': {
      const { router, account, access } = log.args;
      return { type, router: toAddress(router), account: toAddress(account), access: at(accesses, access) };
    }
    case 'ExclusiveSet':
      return { type, router: toAddress(log.args.router), exclusive: log.args.exclusive };
    case 'NodeLevelSet':
      return { type, node: toAddress(log.args.node), level: log.args.level };
    case 'MaxWeightsSet':
      return { type, maxWeights: [...log.args.maxWeights] };
    default:
      return undefined;
  }
}

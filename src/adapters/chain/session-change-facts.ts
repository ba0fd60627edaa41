import { toAddress } from '../../core/ids.ts';
import type { ChainFactBody } from '../../ports/chain.ts';
import type { Decoded } from './fact-events.ts';
import type { SessionOf } from './facts.ts';
import { toRules } from './terms.ts';

/** What a session's owner changes while it goes on; undefined for every other log. */
export function sessionChangeFact(log: Decoded, session: SessionOf): ChainFactBody | undefined {
  const type = log.eventName;
  switch (type) {
    case 'SessionUpdated': {
      const { sessionId, version, terms } = log.args;
      return { type, session: session(sessionId), version, terms: toRules(terms) };
    }
    case 'SessionTransferred': {
      const { sessionId, from, to } = log.args;
      return { type, session: session(sessionId), from: toAddress(from), to: toAddress(to) };
    }
    case 'SessionDeactivated':
    case 'SessionReactivated':
      return { type, session: session(log.args.sessionId) };
    case 'SessionRouterAdded':
    case 'SessionRouterRemoved':
      return { type, session: session(log.args.sessionId), router: toAddress(log.args.router) };
    case 'SessionMinerAdded':
    case 'SessionMinerRemoved':
      return { type, session: session(log.args.sessionId), miner: toAddress(log.args.miner) };
    default:
      return undefined;
  }
}

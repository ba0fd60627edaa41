import { PouwError } from '../../src/core/errors.ts';
import type { Address } from '../../src/core/ids.ts';
import type { Chain, ChainCall } from '../../src/ports/chain.ts';

/** Whether a call of an account is cut off from the chain. */
export type Cut = (from: Address, call: ChainCall) => boolean;

/** A chain that some calls do not reach, as if the network of their sender were down. */
export interface ChainFaults {
  /** For `wrapChain` of a local network. */
  wrap(chain: Chain): Chain;
  /** Cuts calls off until the returned function is called; effects are tried again until then. */
  cut(isCut: Cut): () => void;
  /** Lets nobody hear of new facts until the returned function is called. */
  holdFacts(): () => void;
}

/** The call that says the same as a message. */
const spokenBy = {
  Acceptance: 'ack',
  Precommit: 'precommit',
  Attestation: 'attest',
  AppealAttestation: 'attestAppeal',
} as const;

/** Makes faults for one network. */
export function chainFaults(): ChainFaults {
  const cuts = new Set<Cut>();
  let held = Promise.resolve();
  return {
    wrap: (chain) => ({
      ...chain,
      send: async (from, call, effect) => {
        if ([...cuts].some((isCut) => isCut(from, call))) {
          throw new PouwError('chain_unreachable', `${from} cannot reach the chain.`, { class: 'unavailable' });
        }
        return chain.send(from, call, effect);
      },
      // Who is cut off does not get its signature to a router either.
      sign: async (by, message) => {
        const call = { call: spokenBy[message.is], task: message.task } as ChainCall;
        if ([...cuts].some((isCut) => isCut(by, call))) {
          throw new PouwError('chain_unreachable', `${by} cannot reach anybody.`, { class: 'unavailable' });
        }
        return chain.sign(by, message);
      },
      follow: (cursor, feed) =>
        chain.follow(cursor, {
          ...feed,
          onFacts: async (facts, at) => {
            await held;
            await feed.onFacts(facts, at);
          },
        }),
    }),
    cut: (isCut) => {
      cuts.add(isCut);
      return () => cuts.delete(isCut);
    },
    holdFacts: () => {
      const gate = Promise.withResolvers<void>();
      held = gate.promise;
      return () => gate.resolve();
    },
  };
}

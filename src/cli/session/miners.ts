import { PouwError } from '../../core/errors.ts';
import type { SessionTerms } from '../../core/chain-fact.ts';
import type { Address, SessionId } from '../../core/ids.ts';
import { type ChangeOptions, changeSession, type Plan, type Told } from './change.ts';
import { requireLive, requireOwner } from './require-session.ts';
import { requireMiners } from './require-terms.ts';

/** Which miner it is about. */
export interface MinerOptions extends ChangeOptions {
  readonly miner: Address;
}

/**
 * `pouw session miner add`: one more dedicated miner.
 *
 * @throws PouwError `session_not_found`, `session_of_another`, `session_of_pool`, `session_not_open`,
 *   `too_many_dedicated_miners`.
 */
export async function addMiner(id: SessionId, options: MinerOptions): Promise<void> {
  const { miner } = options;
  return changeSession(id, options, {
    what: 'miner.add',
    role: 'client',
    plan: (wallet, session): Plan => {
      requireOwner(wallet, session);
      const { terms } = session;
      const { dedicatedMiners: miners, maxMiners } = terms;
      if (miners.includes(miner)) return { already: told('It is one of its dedicated miners already.', terms, miners) };
      requireLive(session);
      if (miners.length >= maxMiners) throw tooMany(id, maxMiners);
      const sentence = 'It is one of its dedicated miners now.';
      return {
        call: { call: 'addDedicatedMiner', session: id, miner },
        tell: () => told(sentence, terms, [...miners, miner]),
      };
    },
  });
}

/**
 * `pouw session miner remove`: one dedicated miner less.
 *
 * @throws PouwError `session_not_found`, `session_of_another`, `session_of_pool`, `session_not_open`,
 *   `dedicated_miners_too_few`.
 */
export async function removeMiner(id: SessionId, options: MinerOptions): Promise<void> {
  const { miner } = options;
  return changeSession(id, options, {
    what: 'miner.remove',
    role: 'client',
    plan: (wallet, session): Plan => {
      requireOwner(wallet, session);
      const { terms } = session;
      const { dedicatedMiners: miners } = terms;
      if (!miners.includes(miner)) return { already: told('It is none of its dedicated miners.', terms, miners) };
      requireLive(session);
      const left = miners.filter((one) => one !== miner);
      requireMiners({ ...terms, dedicatedMiners: left });
      const sentence = 'It is none of its dedicated miners any more; tasks that it has stay its own.';
      return {
        call: { call: 'removeDedicatedMiner', session: id, miner },
        tell: () => told(sentence, terms, left),
      };
    },
  });
}

function told(sentence: string, { mode }: SessionTerms, miners: readonly Address[]): Told {
  const isOpen = mode === 'ephemeral';
  return {
    sentence,
    value: { dedicatedMiners: miners, mode },
    facts: {
      'dedicated miners': miners.join(' ') || 'none',
      counts: isOpen ? 'any miner works for it until `pouw session update --mode dedicated`' : undefined,
    },
  };
}

function tooMany(session: SessionId, most: number): PouwError {
  return new PouwError('too_many_dedicated_miners', `The session ${session} may have ${most} dedicated miners.`, {
    class: 'conflict',
    hint: 'Take one off (`pouw session miner remove`), or allow more (`pouw session update --max-miners`).',
    param: 'miner',
  });
}

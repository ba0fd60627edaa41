import { present } from '../../core/assert.ts';
import type { Hex } from '../../core/hash.ts';
import { sessionId, toAddress } from '../../core/ids.ts';
import type { Deployment } from '../../ports/chain.ts';
import {
  chainFinalities,
  chainSlotStates,
  chainTaskStates,
  type ChainTaskRecord,
  type Outcome,
} from '../../ports/queue-messages.ts';

/** What the queue's `taskOf` returns, as far as it is read here. */
interface RawTaskRecord {
  readonly sessionId: bigint;
  readonly state: number;
  readonly step: number;
  readonly submittedBlock: number;
  readonly phaseBy: number;
  readonly finality: number;
  readonly router: string;
  readonly outcome: Outcome;
  readonly slots: readonly {
    readonly miner: string;
    readonly attempt: number;
    readonly state: number;
    readonly dueBy: number;
    readonly precommit: Hex;
  }[];
  readonly ballots: readonly { readonly validator: string; readonly cast: boolean }[];
}

/** A task of the queue in the terms of the port. */
export function toTaskRecord(record: RawTaskRecord, deployment: Deployment): ChainTaskRecord {
  const { step, submittedBlock, phaseBy, finality, slots, ballots } = record;
  const state = present(chainTaskStates[record.state], 'a state of a task');
  const { winner, honest, promptTokens, outputTokens } = record.outcome;
  return {
    session: sessionId(deployment.chainId, deployment.sessions, record.sessionId),
    state,
    step,
    submittedBlock,
    phaseBy: phaseBy * 1_000,
    finality: present(chainFinalities[finality], 'whether an outcome stands'),
    router: toAddress(record.router),
    outcome: state === 'validated' ? { winner, honest, promptTokens, outputTokens } : undefined,
    slots: slots.map(({ miner, attempt, dueBy, precommit, ...slot }) => ({
      miner: toAddress(miner),
      attempt,
      state: present(chainSlotStates[slot.state], 'a state of a slot'),
      dueBy: dueBy * 1_000,
      precommit,
    })),
    validators: ballots.map(({ validator, cast }) => ({ validator: toAddress(validator), hasAttested: cast })),
  };
}

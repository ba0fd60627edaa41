import { describe, expect, test } from 'vitest';
import type { MinerContext } from '../../../actors/miner/context.ts';
import type { MinerCommand } from '../../../actors/miner/commands.ts';
import { foldMiner } from '../../../actors/miner/machine.ts';
import { foldEvents } from '../../../test/actors/actor-run.ts';
import { alice, bytes32, session, task } from '../../../test/actors/chain-facts.ts';
import { jobGood, minerStarted } from '../../../test/actors/samples/miner.ts';
import { PouwError } from '../../core/errors.ts';
import type { EffectId, StreamId } from '../../core/ids.ts';
import type { ChainSlotState, ChainTaskRecord, ChainTaskState } from '../../ports/queue-messages.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { LatestState } from '../carry/latest-state.ts';
import { MinerCalls, type MinerCallsOptions } from './miner-calls.ts';

const { received, acked, produced, precommitted, revealOpened } = jobGood;
const effect = {
  kind: 'revealOnChain',
  task,
  attempt: 0,
  resultRoot: bytes32(8),
  salt: bytes32(9),
  resultDigest: bytes32(10),
} as const;

/** A miner that is to reveal; its router does not answer, and the contract refuses what it sends with this word. */
function revealing(reason: string, records: readonly (ChainTaskRecord | undefined)[]) {
  const history = [minerStarted, received, acked, produced, precommitted, revealOpened];
  const { state } = foldEvents(foldMiner, foldMiner.initial, history);
  const latest = new LatestState<MinerContext>(foldMiner.initial, async () => ({ state, version: 6 }));
  const told: MinerCommand[] = [];
  let looks = 0;
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const chain = { deployment: {}, task: async () => records[Math.min(looks++, records.length - 1)] };
  const base = {
    identity: { address: alice },
    ports: { chain, log, clock: new VirtualClock({ startMs: 1_000 }) },
    command: async () => {
      throw new PouwError('no_responders', 'dead');
    },
    send: async () => {
      throw new PouwError('chain_reverted', `The contract refused reveal: ${reason}.`, { details: { reason } });
    },
  };
  const calls = new MinerCalls({
    base,
    latest,
    acceptances: {},
    dispatch: async (command: MinerCommand) => void told.push(command),
  } as unknown as MinerCallsOptions);
  const context = { id: 'x:6:0' as EffectId, stream: 'x' as StreamId, signal: new AbortController().signal };
  return { reveal: () => calls.reveal(effect, context), told };
}

function record(state: ChainTaskState, slot?: ChainSlotState): ChainTaskRecord {
  const common = {
    session,
    step: 0,
    submittedBlock: 3,
    phaseBy: 9_000,
    finality: 'immediate',
    validators: [],
    router: alice,
    outcome: undefined,
  } as const;
  const slots = slot === undefined ? [] : [{ miner: alice, attempt: 0, state: slot, dueBy: 0, precommit: bytes32(1) }];
  return { ...common, state, slots };
}

describe('a reveal that the contract refuses', () => {
  test('is no failure where the chain has it already: its router has carried it', async () => {
    const { reveal, told } = revealing('WrongTaskState', [record('committed', 'revealed')]);
    await reveal();
    expect(told).toEqual([]);
  });

  test('is no failure where what carries it is in no block yet: it is tried again, and then seen', async () => {
    const records = [record('precommitted', 'precommitted'), record('committed', 'revealed')];
    const { reveal, told } = revealing('WrongTaskState', records);
    const first = await reveal().catch((error: unknown) => error);
    expect(first).toBeInstanceOf(NotYet);
    expect(first).toMatchObject({ code: 'part_unseen' });
    await reveal();
    expect(told).toEqual([]);
  });

  test('is no failure where the task is settled by now', async () => {
    const { reveal, told } = revealing('WrongTaskState', [record('settled')]);
    await reveal();
    expect(told).toEqual([]);
  });

  test('is a failure where it is wrong, or where the slot is not its any more', async () => {
    for (const [reason, on] of [
      ['PrecommitMismatch', record('precommitted', 'precommitted')],
      ['WrongSlotState', record('precommitted', 'dropped')],
    ] as const) {
      const { reveal, told } = revealing(reason, [on]);
      await reveal();
      expect(told).toMatchObject([{ type: 'EffectFailed', effect: 'revealOnChain', code: 'chain_reverted' }]);
    }
  });
});

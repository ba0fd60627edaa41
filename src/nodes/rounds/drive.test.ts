import { describe, expect, test } from 'vitest';
import { PouwError } from '../../core/errors.ts';
import { type Address, type EffectId, type StreamId, toAddress } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { silentLog } from '../../ports/log.ts';
import type { RoundRecord, RoundsState } from '../../ports/rounds.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import type { NodeBase } from '../node-base.ts';
import { RoundDriver } from './drive.ts';
import type { RoundGround } from './round-ground.ts';

const address = (digit: string): Address => toAddress(`0x${digit.repeat(40)}`);
const oracles = ['a', 'b', 'c'].map(address);
const turnMs = 1_000;
const effect = {
  id: 'network.x:3:0' as EffectId,
  stream: 'network.x' as StreamId,
  signal: new AbortController().signal,
};
const record = (round: number, state: RoundRecord['state'], phaseBy = 50_000): RoundRecord => {
  return { round, state, phaseBy, creator: null, preparer: null, answers: [], validators: [] };
};
const quiet: RoundsState = {
  at: 10_000,
  block: 20,
  slot: 6,
  newest: undefined,
  pools: { miner: limits.roundMinersMin, validator: 1 },
  epoch: 1,
  credits: 0,
};

/** An oracle and a chain that is what the test says. */
function driver(own: Address, refuses: () => boolean = () => false) {
  const sent: string[] = [];
  const on = { now: 0, state: quiet };
  const base = {
    identity: { address: own },
    ports: {
      log: silentLog,
      clock: { now: () => on.now },
      directory: { active: () => oracles.map((node) => ({ node })) },
    },
    send: async ({ call }: { call: string }, id: string) => {
      sent.push(`${call} ${id.slice(effect.id.length)}`);
      if (refuses()) throw new PouwError('chain_reverted', 'no', { class: 'conflict' });
    },
  } as unknown as NodeBase;
  const ground = { base, turnMs, rounds: { state: async () => on.state } } as unknown as RoundGround;
  return { drives: new RoundDriver(ground), sent, on };
}

type Driver = ReturnType<typeof driver>;
const slot = 6;
const request = ({ drives }: Driver) => drives.requestRound({ kind: 'requestRound', slot }, effect);
const drive = ({ drives }: Driver, phase: string, beaconBlock = 0) =>
  drives.driveRound({ kind: 'driveRound', round: slot, phase, phaseBy: 50_000, beaconBlock }, effect);
const goesOn = (done: Promise<void>) => expect(done).rejects.toBeInstanceOf(NotYet);

describe('an oracle asks for a round', () => {
  test('in its turn, which is another one each slot, and again where it was refused', async () => {
    // Slot 6 of three oracles begins with the first.
    const [first, second] = [driver(oracles[0]!, () => true), driver(oracles[1]!)];
    for (const one of [first, second]) await goesOn(request(one));
    expect([first.sent, second.sent]).toEqual([['requestRound /0'], []]);
    second.on.now = turnMs - 1;
    await goesOn(request(second));
    second.on.now = turnMs;
    await goesOn(request(second));
    expect(second.sent).toEqual(['requestRound /0']);
    await goesOn(request(first));
    expect(first.sent).toEqual(['requestRound /0', 'requestRound /1']);
  });

  test('only where the pools have enough, the one before is over, and the chain is in the slot', async () => {
    const one = driver(oracles[0]!);
    for (const state of [
      { ...quiet, pools: { miner: limits.roundMinersMin - 1, validator: 1 } },
      { ...quiet, pools: { miner: limits.roundMinersMin, validator: 0 } },
      { ...quiet, newest: record(5, 'answering') },
      { ...quiet, slot: 5 },
    ]) {
      one.on.state = state;
      await goesOn(request(one));
    }
    expect(one.sent).toEqual([]);
    one.on.state = { ...quiet, newest: record(5, 'failed') };
    await goesOn(request(one));
    expect(one.sent).toEqual(['requestRound /0']);
  });

  test('no more once the slot is over or has its round', async () => {
    const one = driver(oracles[0]!);
    for (const state of [
      { ...quiet, slot: 7 },
      { ...quiet, newest: record(6, 'requested') },
    ]) {
      one.on.state = state;
      await request(one);
    }
    expect(one.sent).toEqual([]);
  });
});

describe('an oracle drives a phase', () => {
  test('draws once the block after the beacon is there, while its hash can be told', async () => {
    for (const [phase, call] of [
      ['requested', 'drawCrew'],
      ['prepared', 'startRound'],
    ] as const) {
      const one = driver(oracles[0]!);
      one.on.state = { ...quiet, newest: record(slot, phase) };
      await goesOn(drive(one, phase, 20));
      expect(one.sent).toEqual([]);
      one.on.state = { ...one.on.state, block: 21 };
      await goesOn(drive(one, phase, 20));
      expect(one.sent).toEqual([`${call} /0`]);
    }
  });

  test('uses its deadline after it, and a missed draw’s too', async () => {
    const one = driver(oracles[0]!);
    one.on.state = { ...quiet, at: 50_000, newest: record(slot, 'answering') };
    await goesOn(drive(one, 'answering'));
    expect(one.sent).toEqual([]);
    one.on.state = { ...one.on.state, at: 51_000 };
    await goesOn(drive(one, 'answering'));
    one.on.state = { ...quiet, at: 51_000, block: 20 + 256, newest: record(slot, 'requested') };
    await goesOn(drive(one, 'requested', 20));
    expect(one.sent).toEqual(['advanceRound /0', 'advanceRound /0']);
  });

  test('no more once the round is past it, or somebody stands in with a deadline of its own', async () => {
    const one = driver(oracles[0]!);
    for (const newest of [record(slot, 'preparing'), record(slot + 1, 'creating'), record(slot, 'creating', 60_000)]) {
      one.on.state = { ...quiet, at: 99_000, newest };
      await drive(one, 'creating');
    }
    expect(one.sent).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { toAddress } from '../core/ids.ts';
import type { HeartbeatBody } from '../messages/bodies.ts';
import { deadAfterMs, lookMs, Presence } from './presence.ts';

const miner = toAddress(`0x${'1'.repeat(40)}`);
const body: HeartbeatBody = { role: 'miner', models: ['m'], load: 0, capacity: 2, draining: false, at: 0 };

/** A presence that has heard a miner at 0 and looks as it should up to `untilMs`. */
function heardAt0(untilMs: number): Presence {
  const presence = new Presence();
  presence.beat(miner, body, 0);
  for (let at = lookMs; at <= untilMs; at += lookMs) presence.look(at);
  return presence;
}

describe('presence', () => {
  it('takes a node for dead once it was silent for three beats, and not before', () => {
    const presence = heardAt0(1_000);
    expect(presence.isAlive(miner, deadAfterMs)).toBe(true);
    expect(presence.alive('miner', deadAfterMs)).toHaveLength(1);
    expect(presence.isAlive(miner, deadAfterMs + 1)).toBe(false);
    expect(presence.alive('miner', deadAfterMs + 1)).toEqual([]);
    expect(presence.takeLost(deadAfterMs)).toEqual([]);
    expect(presence.takeLost(deadAfterMs + 1).map(({ node }) => node)).toEqual([miner]);
    expect(presence.takeLost(deadAfterMs + 2)).toEqual([]);
  });

  it('does not count the time in which it did not listen itself', () => {
    const presence = heardAt0(lookMs);
    // Eight seconds without a look: the process was busy, or stood still.
    expect(presence.isAlive(miner, 8_500)).toBe(true);
    expect(presence.takeLost(8_500)).toEqual([]);
    presence.look(9_000);
    expect(presence.takeLost(9_500).map(({ node }) => node)).toEqual([miner]);
  });

  it('hears a node again that it took for dead', () => {
    const presence = heardAt0(2_000);
    expect(presence.isAlive(miner, 2_000)).toBe(false);
    presence.beat(miner, body, 2_100);
    expect(presence.isAlive(miner, 2_100 + lookMs)).toBe(true);
    expect(presence.capacity(miner)).toBe(2);
    expect(presence.isAlive(toAddress(`0x${'2'.repeat(40)}`), 2_100)).toBe(false);
  });
});

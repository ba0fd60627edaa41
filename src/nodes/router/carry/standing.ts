import type { Address } from '../../../core/ids.ts';
import type { CarryBody } from '../../../messages/carry.ts';
import type { ChainSlot, ChainTaskRecord, Outcome } from '../../../ports/queue-messages.ts';

/** How a part stands on chain: the place of its miner's slot or of its validator, and whether the chain has it. */
export interface Standing {
  readonly place: number;
  readonly isThere: boolean;
  /** Until when the chain wants it, in milliseconds since 1970. */
  readonly dueBy: number;
}

/** How a node's part of a task stands on chain; undefined where the chain would not take it now. */
export function standingOf(record: ChainTaskRecord, from: Address, part: CarryBody): Standing | undefined {
  if (part.session !== record.session || part.step !== record.step) return undefined;
  if (part.is === 'attestation') {
    const place = record.validators.findIndex(({ validator }) => validator === from);
    const found = record.validators[place];
    if (found === undefined || record.state !== 'committed') return undefined;
    return { place, isThere: found.hasAttested, dueBy: record.phaseBy };
  }
  const place = record.slots.findIndex(({ miner, attempt }) => miner === from && attempt === part.attempt);
  const slot = record.slots[place];
  if (slot === undefined) return undefined;
  if (isDone(slot, part.is)) return { place, isThere: true, dueBy: slot.dueBy };
  if (!isAwaited(record, slot, part.is)) return undefined;
  return { place, isThere: false, dueBy: part.is === 'reveal' ? record.phaseBy : slot.dueBy };
}

/** The places whose parts of a phase the chain still waits for. */
export function awaitedPlaces(record: ChainTaskRecord, is: CarryBody['is']): readonly number[] {
  const awaited =
    is === 'attestation'
      ? record.validators.map(({ hasAttested }) => record.state === 'committed' && !hasAttested)
      : record.slots.map((slot) => isAwaited(record, slot, is));
  return awaited.flatMap((isOpen, place) => (isOpen ? [place] : []));
}

/** Whether the contract would take an outcome: somebody is honest, all of those have revealed, one of them wins. */
export function isSound({ slots }: ChainTaskRecord, { winner, honest }: Outcome): boolean {
  const isHonest = (place: number): boolean => (honest & (1 << place)) !== 0;
  const named = slots.every(({ state }, place) => !isHonest(place) || state === 'revealed');
  return honest !== 0 && honest >> slots.length === 0 && named && winner < slots.length && isHonest(winner);
}

function isDone({ state }: ChainSlot, is: 'precommit' | 'reveal'): boolean {
  return state === 'revealed' || (is === 'precommit' && state === 'precommitted');
}

function isAwaited(record: ChainTaskRecord, { state }: ChainSlot, is: 'precommit' | 'reveal'): boolean {
  if (is === 'reveal') return record.state === 'precommitted' && state === 'precommitted';
  const isOpen = record.state === 'assigned' || record.state === 'executing';
  return isOpen && (state === 'assigned' || state === 'acked');
}

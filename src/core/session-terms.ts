import type { SessionTerms } from './chain-fact.ts';
import type { Event } from './commit.ts';
import type { Address } from './ids.ts';
import { limits } from './limits.ts';
import { zeroWei } from './wei.ts';

/** The terms that a session has where nobody asks for others. */
export const plainTerms = {
  minMiners: 1,
  maxMiners: limits.dedicatedMinersMax,
  mode: 'ephemeral',
  settlement: 'perTask',
  reserveFeeWei: zeroWei,
  taskLimit: 0,
  appealWindowS: 0,
  reservePeriodS: 0,
  dedicatedMiners: [],
} as const satisfies Partial<SessionTerms>;

/** The miners that a task is restricted to: whether it is, the terms say that it is under; the list is that of now. */
export function allowedFor(isDedicated: boolean, { dedicatedMiners }: SessionTerms): readonly Address[] {
  return isDedicated ? dedicatedMiners : [];
}

/**
 * Brings an event of format 1 to format 2: the terms of a session got fields. Before, a list of miners was all that
 * said that a session is for these only.
 */
export function withWholeTerms(event: Event): Event {
  const terms = event['terms'];
  if (typeof terms !== 'object' || terms === null || !('redundancy' in terms)) return event;
  const dedicatedMiners = 'dedicatedMiners' in terms ? terms.dedicatedMiners : [];
  const isDedicated = Array.isArray(dedicatedMiners) && dedicatedMiners.length > 0;
  return { ...event, terms: { ...plainTerms, mode: isDedicated ? 'dedicated' : 'ephemeral', ...terms } };
}

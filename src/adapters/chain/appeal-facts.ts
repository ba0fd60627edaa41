import type { AppealFact } from '../../core/appeal-fact.ts';
import { toAddress, type TaskId } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import type { Decoded } from './fact-events.ts';
import type { SessionOf } from './facts.ts';

/** What an event says about an appeal; undefined for the others. */
export function appealFact(log: Decoded, sessionOf: SessionOf): AppealFact | undefined {
  const type = log.eventName;
  switch (type) {
    case 'OutcomeAppealed': {
      const { sessionId, taskId, appellant, bondWei, drawBy, attestBy } = log.args;
      const times = { drawBy: drawBy * 1_000, attestBy: attestBy * 1_000 };
      const of = { session: sessionOf(sessionId), task: taskId as TaskId };
      return { type, ...of, appellant: toAddress(appellant), bondWei: wei(bondWei), ...times };
    }
    case 'AppealDecided': {
      const { sessionId, taskId, winner, honest, ...found } = log.args;
      const { overturned, promptTokens, outputTokens, reportDigest } = found;
      const miners = { winner: toAddress(winner), honest: honest.map(toAddress) };
      const of = { session: sessionOf(sessionId), task: taskId as TaskId };
      return { type, ...of, overturned, ...miners, promptTokens, outputTokens, reportDigest };
    }
    case 'AppealUndecided':
      return { type, session: sessionOf(log.args.sessionId), task: log.args.taskId as TaskId };
    default:
      return undefined;
  }
}

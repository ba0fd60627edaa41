import type { AppealFact, AppealWithdrawnFact, HearingFact } from '../../core/appeal-fact.ts';
import { toAddress, type TaskId } from '../../core/ids.ts';
import { wei } from '../../core/wei.ts';
import type { Decoded } from './fact-events.ts';
import type { SessionOf } from './facts.ts';

/** What an event says about an appeal; undefined for the others. */
export function appealFact(
  log: Decoded,
  sessionOf: SessionOf,
): AppealFact | HearingFact | AppealWithdrawnFact | undefined {
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
    case 'AppealDrawn': {
      const { sessionId, taskId, beacon, validators } = log.args;
      return {
        type,
        session: sessionOf(sessionId),
        task: taskId as TaskId,
        beacon,
        validators: validators.map(toAddress),
      };
    }
    case 'AppealAttested': {
      const { sessionId, taskId, validator, reportDigest } = log.args;
      const of = { session: sessionOf(sessionId), task: taskId as TaskId };
      return { type, ...of, validator: toAddress(validator), reportDigest };
    }
    case 'AppealWithdrawn':
      return { type, account: toAddress(log.args.account), amountWei: wei(log.args.amountWei) };
    default:
      return undefined;
  }
}

import { assert } from '../../core/assert.ts';
import { wei } from '../../core/wei.ts';
import type { SessionTerms } from '../../ports/chain.ts';

/** The modes of a session's pool in the order of the contracts' enum. */
export const poolModes = ['ephemeral', 'dedicated'] as const satisfies readonly SessionTerms['mode'][];
/** The ways to settle in the order of the contracts' enum. */
export const settlementModes = ['perTask', 'batched'] as const satisfies readonly SessionTerms['settlement'][];

/** The terms of a session without its lists, which change by themselves. */
export type SessionRules = Omit<SessionTerms, 'routers' | 'dedicatedMiners'>;

/** The terms as an event of the contract has them. */
type RawTerms = {
  readonly [Name in keyof SessionRules]: SessionRules[Name] extends number
    ? number
    : Name extends 'mode' | 'settlement'
      ? number
      : Name extends `${string}Wei`
        ? bigint
        : SessionRules[Name];
};

/** The terms that an event of the contract names. */
export function toRules(terms: RawTerms): SessionRules {
  const mode = poolModes[terms.mode];
  const settlement = settlementModes[terms.settlement];
  assert(mode !== undefined && settlement !== undefined, 'the contracts have a mode that this adapter does not know');
  return {
    model: terms.model,
    redundancy: terms.redundancy,
    minMiners: terms.minMiners,
    maxMiners: terms.maxMiners,
    validators: terms.validators,
    similarityBps: terms.similarityBps,
    level: terms.level,
    mode,
    settlement,
    routerMaySubmit: terms.routerMaySubmit,
    maxTaskPriceWei: wei(terms.maxTaskPriceWei),
    promptTokenWei: wei(terms.promptTokenWei),
    outputTokenWei: wei(terms.outputTokenWei),
    reserveFeeWei: wei(terms.reserveFeeWei),
    taskLimit: terms.taskLimit,
    queueTimeoutS: terms.queueTimeoutS,
    ackTimeoutS: terms.ackTimeoutS,
    executeTimeoutS: terms.executeTimeoutS,
    revealTimeoutS: terms.revealTimeoutS,
    validateTimeoutS: terms.validateTimeoutS,
    appealWindowS: terms.appealWindowS,
    reservePeriodS: terms.reservePeriodS,
  };
}

/** Terms as the contracts take them, without their lists. */
export function encodeTerms(terms: SessionRules) {
  return {
    ...terms,
    mode: poolModes.indexOf(terms.mode),
    settlement: settlementModes.indexOf(terms.settlement),
    reserveFeeWei: BigInt(terms.reserveFeeWei),
    maxTaskPriceWei: BigInt(terms.maxTaskPriceWei),
    promptTokenWei: BigInt(terms.promptTokenWei),
    outputTokenWei: BigInt(terms.outputTokenWei),
  };
}

import { expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import { bytes32, client, fact, olga, session, task, terms } from '../../test/actors/chain-facts.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei } from '../../src/core/wei.ts';
import type { OracleContext } from './context.ts';
import type { OracleCommand } from './decide.ts';
import { oracleActor } from './definition.ts';

test('a step may wait as long as what it comes after can live, and for its miners after that', () => {
  const run = new ActorRun<OracleContext, OracleCommand>(oracleActor);
  const see = (block: number, body: ChainFactBody) => run.tell({ type: 'SeeFact', fact: fact(block, body) });
  run.tell({ type: 'StartOracle', oracle: olga, sliceMs: 10_000 });
  const asked = { session, by: client, promptDigest: bytes32(2), maxTokens: 8, maxPriceWei: wei(9) } as const;
  see(1, { type: 'SessionOpened', session, client, terms });
  see(2, { type: 'TaskSubmitted', ...asked, task, requestId: bytes32(1) });
  const parent = run.state.context.watches[task]?.context.expireBy ?? 0;
  expect(parent).toBeGreaterThan(0);
  const step = { task: taskId(session, bytes32(2)), requestId: bytes32(2), step: 1, after: [task] };
  const { events } = see(3, { type: 'TaskSubmitted', ...asked, ...step });
  const workS = (limits.slotAttemptsMax + 1) * (terms.ackTimeoutS + terms.executeTimeoutS);
  const lifeS = 2 * (workS + terms.revealTimeoutS + terms.validateTimeoutS);
  expect(events).toMatchObject([{ type: 'WatchStarted', expireBy: parent + (lifeS + terms.queueTimeoutS) * 1_000 }]);
});

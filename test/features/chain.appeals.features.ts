import { expect } from 'vitest';
import { taskId } from '../../src/core/ids.ts';
import { zeroWei } from '../../src/core/wei.ts';
import {
  assignTask,
  type ChainHarness,
  commitment,
  cor,
  digest,
  effect,
  factOf,
  openSession,
  workOn,
} from './chain.harness.ts';
import type { Feature } from './feature.ts';

/** What a chain promises to those who doubt an outcome. */
export const appealFeatures: readonly Feature<ChainHarness>[] = [
  {
    name: 'knows all that judging a task again takes, and the appeal of its outcome',
    check: async (harness) => {
      const { chain, cast } = harness;
      const terms = { appealWindowS: 600, similarityBps: 7_000 };
      const session = await openSession(harness, 'appealed', terms);
      const running = await assignTask(harness, session, 'appealed');
      const { task } = running;
      await workOn(harness, running, 'appealed');
      expect(await chain.taskCase(task)).toEqual({
        session,
        task,
        promptDigest: digest('prompt'),
        similarityBps: 7_000,
        level: 1,
        results: cast.miners.map((miner) => {
          const { resultRoot, resultDigest } = commitment(chain, running, miner);
          return { miner, attempt: 0, resultRoot, resultDigest };
        }),
      });
      expect(await chain.appealRefusal(cast.client, task)).toBe('NotAppealable');
      const [winner] = cast.miners;
      const found = { winner, honest: [winner], promptTokens: 1, outputTokens: 2, reportDigest: digest('report') };
      for (const validator of cast.validators)
        await chain.send(validator, { call: 'attest', task, ...found }, effect(`attest-${validator}`));
      const outcome = { winner: 0, honest: 1, promptTokens: 1, outputTokens: 2 };
      expect(await chain.task(task)).toMatchObject({ finality: 'appealable', router: cast.router, outcome });
      expect(await chain.appealRefusal(winner, task)).toBe('NotAParty');
      expect(await chain.appealRefusal(cast.client, task)).toBeUndefined();
      expect(await chain.appeal(task)).toBeUndefined();
      const { bondWei } = await chain.appealRules();
      expect(bondWei).toBe(cor(10));
      await chain.send(cast.client, { call: 'approve', spender: 'appeals', amountWei: bondWei }, effect('allow-bond'));
      expect(await chain.appealAllowance(cast.client)).toBe(bondWei);
      const receipt = await chain.send(cast.client, { call: 'appeal', task }, effect('appeal'));
      const { drawBy, attestBy } = factOf(receipt, 'OutcomeAppealed');
      expect(await chain.appeal(task)).toEqual({
        state: 'open',
        appellant: cast.client,
        bondWei,
        wanted: 5,
        needed: 3,
        beaconBlock: receipt.block + 1,
        beacon: undefined,
        drawBy,
        attestBy,
        validators: [],
      });
      expect(await chain.appealRefusal(cast.miners[1], task)).toBe('AlreadyAppealed');
      expect([await chain.appealAllowance(cast.client), await chain.appealOwed(cast.client)]).toEqual([
        zeroWei,
        zeroWei,
      ]);
      await harness.passTime(60);
      await chain.send(cast.oracle, { call: 'endAppeal', task }, effect('end'));
      expect(await chain.appealOwed(cast.client)).toBe(bondWei);
      const taken = await chain.send(cast.client, { call: 'withdrawAppealed' }, effect('take'));
      expect(factOf(taken, 'AppealWithdrawn')).toMatchObject({ account: cast.client, amountWei: bondWei });
    },
  },
  {
    name: 'knows nothing to judge of a task that it does not have',
    check: async (harness) => {
      const { chain } = harness;
      const session = await openSession(harness, 'no-task');
      const never = taskId(session, digest('never'));
      expect([await chain.taskCase(never), await chain.appeal(never)]).toEqual([undefined, undefined]);
    },
  },
];

import { expect, test } from 'vitest';
import type { MinerCommand } from '../../../actors/miner/commands.ts';
import { sampleResult } from '../../../test/kit/sample-result.ts';
import { alice, bob, bytes32, prompt, session, task } from '../../../test/actors/chain-facts.ts';
import { cidToDigest, contentCid } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import { resultRoot } from '../../core/precommit.ts';
import { type Wei, wei } from '../../core/wei.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { ChainFinality } from '../../ports/queue-messages.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { DisputeCalls, type DisputeParts } from './dispute-calls.ts';

const job = { task, attempt: 0 } as const;
const judgeOutcome = { kind: 'judgeOutcome', ...job } as const;
const appealOnChain = { kind: 'appealOnChain', ...job } as const;
const context = { id: 'miner.x:1:0' as EffectId, signal: new AbortController().signal } as never;

interface Told {
  readonly finality?: ChainFinality;
  readonly lies?: boolean;
  readonly lost?: boolean;
  readonly heldWei?: Wei;
  readonly revert?: string;
}

/** Alice, whom the validators of a task call an outlier. */
function wronged({ finality = 'appealable', lies = false, lost = false, heldWei = wei(100), revert }: Told = {}) {
  const clock = new VirtualClock({ startMs: 1_000 });
  const commands: MinerCommand[] = [];
  const sent: ChainCall['call'][] = [];
  const shown = [sampleResult(alice, 'A dog.'), sampleResult(bob, 'A dog.')];
  const results = shown.map((one) => {
    const root = lies && one.miner === alice ? bytes32(9) : resultRoot(one);
    return { miner: one.miner, attempt: 0, resultRoot: root, resultDigest: cidToDigest(contentCid(one)) };
  });
  const base = {
    identity: { address: alice },
    ports: {
      clock,
      log: { info: () => {}, warn: () => {} },
      content: {
        get: async (cid: string) => {
          const found = shown.find((one) => contentCid(one) === cid);
          if (found === undefined || lost) throw new PouwError('content_not_found', 'gone');
          return found;
        },
      },
      chain: {
        task: async () => ({ state: 'validated', finality, phaseBy: 20_000 }),
        taskCase: async () => ({
          session,
          task,
          promptDigest: cidToDigest(prompt),
          similarityBps: 8_000,
          level: 1,
          results,
        }),
        appeal: async () => undefined,
        appealRefusal: async () => revert,
        appealRules: async () => ({ bondWei: wei(10), windowMaxS: 60 }),
        appealAllowance: async () => wei(0),
        corBalance: async () => heldWei,
        send: async (_: Address, { call }: ChainCall) => void sent.push(call),
      },
    },
  } as unknown as DisputeParts['base'];
  const inference = { models: () => [], embed: async () => ({ vectors: [[1]], tokens: 0 }) };
  const calls = new DisputeCalls({
    base,
    inference: inference as unknown as DisputeParts['inference'],
    embedder: 'embed',
    dispatch: async (command) => void commands.push(command),
  });
  return { calls, commands, sent, clock };
}

test('a miner finds itself honest where it is, by what the chain has, and not where it is not', async () => {
  const honest = wronged();
  await honest.calls.judge(judgeOutcome, context);
  expect(honest.commands).toMatchObject([{ type: 'JudgeDispute', ...job, honest: [bob, alice].toSorted() }]);
  const liar = wronged({ lies: true });
  await liar.calls.judge(judgeOutcome, context);
  expect(liar.commands).toMatchObject([{ type: 'JudgeDispute', winner: bob, honest: [bob] }]);
});

test('nothing is judged where nothing can be appealed, and nothing before all is there', async () => {
  for (const finality of ['immediate', 'appealed', 'ruled'] as const) {
    const { calls, commands } = wronged({ finality });
    await calls.judge(judgeOutcome, context);
    expect(commands).toEqual([]);
  }
  const late = wronged();
  await late.clock.advance(20_000);
  await late.calls.judge(judgeOutcome, context);
  expect(late.commands).toEqual([]);
  await expect(wronged({ lost: true }).calls.judge(judgeOutcome, context)).rejects.toMatchObject({
    code: 'result_unseen',
  });
});

test('an appeal is made, or given up for good', async () => {
  const made = wronged();
  await made.calls.appeal(appealOnChain, context);
  expect(made.sent).toEqual(['approve', 'appeal']);
  expect(made.commands).toEqual([]);
  const poor = wronged({ heldWei: wei(1) });
  await poor.calls.appeal(appealOnChain, context);
  expect(poor.commands).toMatchObject([{ type: 'EffectFailed', effect: 'appealOnChain', code: 'insufficient_cor' }]);
  const late = wronged({ revert: 'AppealTooLate' });
  await late.calls.appeal(appealOnChain, context);
  expect(late.commands).toMatchObject([{ type: 'EffectFailed', code: 'appeal_too_late' }]);
  expect(late.sent).toEqual([]);
});

import { sampleResult } from '../../../test/kit/sample-result.ts';
import { describe, expect, test } from 'vitest';
import type { ValidatorCommand } from '../../../actors/validator/decide.ts';
import type { AttestOnAppeal, JudgeHearing } from '../../../actors/validator/hearing-machine.ts';
import {
  alice,
  bob,
  bytes32,
  carol,
  prompt,
  router,
  session,
  task,
  vera,
  victor,
} from '../../../test/actors/chain-facts.ts';
import { cidToDigest, contentCid } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, EffectId } from '../../core/ids.ts';
import { resultRoot } from '../../core/precommit.ts';
import { wei } from '../../core/wei.ts';
import type { ChainAppeal, TaskCase } from '../../ports/chain-appeals.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { ChainTaskRecord, QueueMessage } from '../../ports/queue-messages.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { attestOnAppeal, type HearingParts, judgeHearing } from './hearings.ts';

const drawBy = 10_000;
const id = 'validator.x:1:0' as EffectId;
const signature = { r: bytes32(1), vs: bytes32(2) };
const slot = (miner: Address) => ({ miner, attempt: 0, state: 'revealed', dueBy: 0, precommit: bytes32(0) }) as const;
const record: ChainTaskRecord = {
  session,
  state: 'validated',
  step: 0,
  submittedBlock: 1,
  router,
  outcome: { winner: 0, honest: 1, promptTokens: 1, outputTokens: 1 },
  phaseBy: 40_000,
  finality: 'appealed',
  slots: [slot(carol), slot(bob), slot(alice)],
  validators: [{ validator: victor, hasAttested: true }],
};
const open: ChainAppeal = {
  state: 'open',
  appellant: bob,
  bondWei: wei(10),
  wanted: 3,
  needed: 2,
  beaconBlock: 8,
  beacon: bytes32(5),
  drawBy,
  attestBy: 40_000,
  validators: [
    { validator: address(), hasAttested: false },
    { validator: vera, hasAttested: false },
  ],
};
const effect = {
  kind: 'attestOnAppeal',
  session,
  task,
  winner: alice,
  honest: [alice, carol],
  promptTokens: 6,
  outputTokens: 10,
  report: { kind: 'report' },
  reportDigest: bytes32(4),
} as unknown as AttestOnAppeal;

function address(): Address {
  return `0x${'77'.repeat(20)}` as Address;
}

const text = 'A dog.';
const content = (miner: Address) => sampleResult(miner, text);

interface Told {
  readonly appeals?: readonly (ChainAppeal | undefined)[];
  readonly revert?: string;
  readonly found?: TaskCase | undefined;
  readonly lost?: boolean;
}

/** Vera, on a chain that tells one appeal after the other, the last one for ever. */
function hearing({ appeals = [open], revert, found, lost = false }: Told = {}) {
  const clock = new VirtualClock({ startMs: 5_000 });
  const told = [...appeals];
  const sent: ChainCall[] = [];
  const signed: QueueMessage[] = [];
  const commands: ValidatorCommand[] = [];
  const base = {
    identity: { address: vera },
    ports: {
      clock,
      content: {
        put: async () => contentCid({}),
        flush: async () => {},
        get: async (cid: string) => {
          const match = [alice, bob].map(content).find((one) => contentCid(one) === cid);
          if (match === undefined || lost) throw new PouwError('content_not_found', 'gone');
          return match;
        },
      },
      chain: {
        appeal: async () => (told.length > 1 ? told.shift() : told[0]),
        task: async () => record,
        taskCase: async () => found,
        sign: async (_: Address, message: QueueMessage) => {
          signed.push(message);
          return signature;
        },
      },
    },
    send: async (call: ChainCall) => {
      sent.push(call);
      if (revert !== undefined)
        throw new PouwError('chain_reverted', revert, { class: 'conflict', details: { reason: revert } });
    },
  } as unknown as HearingParts['base'];
  const parts: HearingParts = {
    base,
    inference: {
      models: () => [],
      embed: async () => ({ vectors: [], tokens: 0 }),
    } as unknown as HearingParts['inference'],
    embedder: 'embed',
    dispatch: async (command) => void commands.push(command),
  };
  const context = { id, signal: new AbortController().signal } as never;
  return { parts, context, clock, sent, signed, commands };
}

describe('the word of a validator on appeal', () => {
  test('is sent by itself, by its place in the draw, once nobody can be nominated any more', async () => {
    const { parts, context, clock, sent, signed } = hearing();
    await expect(attestOnAppeal(parts, effect, context)).rejects.toBeInstanceOf(NotYet);
    expect(sent).toEqual([]);
    await clock.advance(4_000);
    const attested = attestOnAppeal(parts, effect, context);
    await clock.advance(1_999);
    expect(sent, 'a block of that second would refuse it').toEqual([]);
    await clock.advance(1);
    await attested;
    const outcome = { winner: 2, honest: 0b101, promptTokens: 6, outputTokens: 10 };
    const said = { task, step: 0, outcome, reportDigest: effect.reportDigest };
    expect(signed).toEqual([{ is: 'AppealAttestation', ...said }]);
    const carried = [{ validator: 1, reportDigest: effect.reportDigest, signature }];
    expect(sent).toEqual([{ call: 'attestAppeal', task, outcome, carried }]);
  });

  test('is not sent by who was drawn no more, has spoken, or comes when it is over', async () => {
    const spoken = { ...open, validators: [{ validator: vera, hasAttested: true }] };
    for (const appeal of [undefined, { ...open, state: 'upheld' as const }, { ...open, validators: [] }, spoken]) {
      const { parts, context, clock, sent, commands } = hearing({ appeals: [appeal] });
      await clock.advance(7_000);
      await attestOnAppeal(parts, effect, context);
      expect([sent, commands]).toEqual([[], []]);
    }
  });

  test('is no failure where the others were quicker, is tried again where the chain is behind, and else is one', async () => {
    const late = hearing({ appeals: [open, { ...open, state: 'overturned' }], revert: 'NoOpenAppeal' });
    await late.clock.advance(7_000);
    await attestOnAppeal(late.parts, effect, late.context);
    expect(late.commands).toEqual([]);
    const early = hearing({ revert: 'NominationsOpen' });
    await early.clock.advance(7_000);
    await expect(attestOnAppeal(early.parts, effect, early.context)).rejects.toMatchObject({
      code: 'nominations_open',
    });
    const refused = hearing({ revert: 'BadSignature' });
    await refused.clock.advance(7_000);
    await attestOnAppeal(refused.parts, effect, refused.context);
    expect(refused.commands).toMatchObject([
      { type: 'EffectFailed', effect: 'attestOnAppeal', code: 'chain_reverted' },
    ]);
  });
});

describe('the results of an appealed task', () => {
  const judge: JudgeHearing = { kind: 'judgeHearing', session, task };
  const results = [alice, bob].map((miner) => {
    const one = content(miner);
    return { miner, attempt: 0, resultRoot: resultRoot(one), resultDigest: cidToDigest(contentCid(one)) };
  });
  const found: TaskCase = { session, task, promptDigest: cidToDigest(prompt), similarityBps: 8_000, level: 1, results };

  test('are read by what the chain has of them', async () => {
    const { parts, context, commands } = hearing({ found });
    await judgeHearing(parts, judge, context);
    expect(commands).toMatchObject([
      {
        type: 'JudgeHearing',
        task,
        prompt,
        similarityBps: 8_000,
        level: 1,
        shown: results.map(({ miner, resultRoot: root }) => ({ miner, resultRoot: root })),
        results: [
          { miner: alice, content: 'matches' },
          { miner: bob, content: 'matches' },
        ],
        similarities: [
          [1, 1],
          [1, 1],
        ],
      },
    ]);
  });

  test('are looked for as long as nobody may attest, and missing after that', async () => {
    const { parts, context, clock, commands } = hearing({ found, lost: true });
    await expect(judgeHearing(parts, judge, context)).rejects.toMatchObject({ code: 'result_unseen' });
    expect(commands).toEqual([]);
    await clock.advance(5_001);
    await judgeHearing(parts, judge, context);
    expect(commands).toMatchObject([{ results: [{ content: 'missing' }, { content: 'missing' }] }]);
  });

  test('are nothing to judge once the task has ended', async () => {
    const { parts, context, commands } = hearing({ found: undefined });
    await judgeHearing(parts, judge, context);
    expect(commands).toEqual([]);
  });
});

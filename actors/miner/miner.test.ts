import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import {
  alice,
  bob,
  bytes32,
  fact,
  genesisAt,
  olga,
  prompt,
  router,
  session,
  task,
} from '../../test/actors/chain-facts.ts';
import { jobGood, minerStarted } from '../../test/actors/samples/miner.ts';
import { result } from '../../test/actors/samples/task.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { cidToDigest } from '../../src/core/cid.ts';
import { type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei, zeroWei } from '../../src/core/wei.ts';
import { jobKey, type MinerContext } from './context.ts';
import type { MinerCommand } from './commands.ts';
import { minerActor } from './definition.ts';
import type { MinerEvent } from './events.ts';

const given = (...history: MinerEvent[]) => new ActorRun<MinerContext, MinerCommand>(minerActor, history);
const { received, acked, produced, precommitted, revealOpened, revealed, done } = jobGood;
const { type: _, miner: __, ...job } = received;
const receive: MinerCommand = { type: 'ReceiveJob', ...job };
const produce: MinerCommand = {
  type: 'ProduceOutput',
  task,
  attempt: 0,
  resultRoot: bytes32(8),
  result,
  tokens: 7,
  finishReason: 'stop',
};
const see = (block: number, body: ChainFactBody): MinerCommand => ({ type: 'SeeFact', fact: fact(block, body) });
const about = { session, task } as const;
const settled = {
  type: 'TaskSettled',
  ...about,
  priceWei: wei(26),
  returnedWei: zeroWei,
  manifestDigest: bytes32(9),
} as const;
const stateOf = (run: ReturnType<typeof given>) => run.state.context.jobs[jobKey({ task, attempt: 0 })]?.value;

describe('a job that goes well', () => {
  test('is acknowledged and begun at once', () => {
    const run = given(minerStarted);
    const { events, effects } = run.tell(receive);
    expect(events).toEqual([received]);
    expect(effects).toEqual([
      { kind: 'ackOnChain', task, attempt: 0 },
      { kind: 'infer', ...job },
    ]);
    expect(run.state.value).toBe('busy');
  });

  test('is precommitted with a salt that is drawn once', () => {
    const run = given(minerStarted, received, acked);
    const { events, effects } = run.tell(produce);
    const salt = (events[0] as typeof produced).salt;
    expect(effects).toEqual([
      { kind: 'precommitOnChain', session, task, step: 0, attempt: 0, miner: alice, resultRoot: bytes32(8), salt },
    ]);
    expect(run.tell(produce)).toEqual({ events: [], effects: [], rejection: undefined });
  });

  test('waits with its precommit for the acknowledgement to be on chain', () => {
    const run = given(minerStarted, received);
    expect(run.tell(produce).effects).toEqual([]);
    const { effects } = run.tell(see(4, { type: 'TaskAcked', ...about, miner: alice, precommitBy: genesisAt }));
    expect(effects).toMatchObject([{ kind: 'precommitOnChain', resultRoot: bytes32(8) }]);
  });

  test('is revealed only when all have precommitted', () => {
    const run = given(minerStarted, received, acked, produced);
    const own: MinerCommand = see(6, { type: 'TaskPrecommitted', ...about, miner: alice, hash: bytes32(3) });
    expect(run.tell(own)).toMatchObject({ events: [{ type: 'JobPrecommitted' }], effects: [] });
    const { effects } = run.tell(see(7, { type: 'AllPrecommitted', ...about, revealBy: genesisAt }));
    expect(effects).toEqual([
      {
        kind: 'revealOnChain',
        task,
        attempt: 0,
        resultRoot: bytes32(8),
        salt: produced.salt,
        resultDigest: cidToDigest(result),
      },
    ]);
  });

  test('is done when the task is settled, with what it was paid', () => {
    const run = given(minerStarted, received, acked, produced, precommitted, revealOpened);
    run.tell(
      see(8, { type: 'TaskRevealed', ...about, miner: alice, resultRoot: bytes32(8), resultDigest: bytes32(1) }),
    );
    const payments = [
      { to: alice, role: 'miner', amountWei: wei(10) },
      { to: bob, role: 'miner', amountWei: wei(10) },
      { to: alice, role: 'treasury', amountWei: wei(1) },
    ] as const;
    run.tell(see(11, { ...settled, payments }));
    expect(run.state.value).toBe('idle');
    expect(run.state.context).toMatchObject({
      earnedWei: '10',
      counts: { received: 1, done: 1, cancelled: 0, failed: 0 },
    });
  });
});

describe('facts', () => {
  test('of other miners, seen again or for no job of this one change nothing', () => {
    const run = given(minerStarted, received);
    const ack: MinerCommand = see(4, { type: 'TaskAcked', ...about, miner: alice, precommitBy: genesisAt });
    expect(run.types(see(4, { type: 'TaskAcked', ...about, miner: bob, precommitBy: genesisAt }))).toEqual([]);
    expect(run.types(ack)).toEqual(['JobAcked']);
    expect(run.types(ack)).toEqual([]);
    expect(
      run.types(
        see(5, {
          type: 'TaskRefunded',
          session,
          task: taskId(session, bytes32(2)),
          returnedWei: zeroWei,
          reason: 'expired',
        }),
      ),
    ).toEqual([]);
    expect(run.types(see(5, { type: 'SessionDraining', session }))).toEqual([]);
  });

  test.each([
    ['received', [received]],
    ['running', [received, acked]],
  ] as const)('a replacement stops a job that is %s', (state, history) => {
    const run = given(minerStarted, ...history);
    expect(stateOf(run)).toBe(state);
    const replaced = see(9, {
      type: 'MinerReassigned',
      ...about,
      miner: alice,
      replacement: bob,
      attempt: 1,
      oracle: olga,
      ackBy: 0,
    });
    expect(run.tell(replaced)).toMatchObject({
      events: [{ type: 'JobCancelled', code: 'reassigned' }],
      effects: [{ kind: 'stopInference', task, attempt: 0 }],
    });
  });

  test('a refund ends a job in any state', () => {
    const all = [received, acked, produced, precommitted, revealOpened, revealed];
    for (let length = 1; length <= all.length; length += 1) {
      const run = given(minerStarted, ...all.slice(0, length));
      expect(run.types(see(20, { type: 'TaskRefunded', ...about, returnedWei: zeroWei, reason: 'exhausted' }))).toEqual(
        ['JobCancelled'],
      );
      expect(run.state.value).toBe('idle');
    }
  });

  test('a settlement without the miner cancels its job', () => {
    const run = given(minerStarted, received, acked);
    expect(run.tell(see(9, { ...settled, payments: [] })).events).toMatchObject([
      { type: 'JobCancelled', code: 'task_settled' },
    ]);
  });
});

describe('a job that does not go well', () => {
  test('is cancelled by the router only until the precommit is on its way', () => {
    const cancel: MinerCommand = { type: 'CancelJob', task, attempt: 0, reason: 'client left' };
    expect(given(minerStarted, received, produced).types(cancel)).toEqual(['JobCancelled']);
    expect(given(minerStarted, received, acked, produced).types(cancel)).toEqual([]);
  });

  test.each([
    ['ackOnChain', [received]],
    ['infer', [received, acked]],
    ['precommitOnChain', [received, acked, produced]],
    ['revealOnChain', [received, acked, produced, precommitted, revealOpened]],
  ] as const)('fails where %s is refused while it is waited for', (effect, history) => {
    const failed: MinerCommand = {
      type: 'EffectFailed',
      effect,
      task,
      attempt: 0,
      code: 'chain_reverted',
      reason: 'WrongTaskState',
    };
    expect(given(minerStarted, ...history).types(failed)).toEqual(['JobFailed']);
    expect(given(minerStarted, received, acked, produced, precommitted, revealOpened, revealed).types(failed)).toEqual(
      [],
    );
  });

  test('says so when the answer cannot be made, once', () => {
    const run = given(minerStarted, received);
    const fail: MinerCommand = { type: 'FailJob', task, attempt: 0, code: 'prompt_too_long', reason: '9,000 tokens' };
    expect(run.types(fail)).toEqual(['JobFailed']);
    expect(run.types(fail)).toEqual([]);
    expect(run.types(produce)).toEqual([]);
  });
});

describe('a job that its miner lets go of', () => {
  const letGo: MinerCommand = { type: 'LetGoJob', task, attempt: 0 };

  test('ends where it binds nothing yet, and its generation stops', () => {
    for (const history of [[received], [received, acked]] as const) {
      const run = given(minerStarted, ...history, { type: 'MinerDraining' });
      const { events, effects } = run.tell(letGo);
      expect(events).toMatchObject([{ type: 'JobCancelled', code: 'miner_stops' }]);
      expect(effects).toEqual([{ kind: 'stopInference', task, attempt: 0 }]);
      expect(run.state.value).toBe('drained');
    }
    expect(given(minerStarted, received, produced).tell(letGo).events).toMatchObject([{ code: 'miner_stops' }]);
  });

  test('goes on once its precommit is signed, also in a batched session', () => {
    const signed = [received, acked, produced] as const;
    for (const then of [[], [precommitted], [precommitted, revealOpened], [precommitted, revealOpened, revealed]])
      expect(given(minerStarted, ...signed, ...then).tell(letGo).events).toEqual([]);
    const batched = [{ ...received, batched: true }, acked, produced] as const;
    expect(given(minerStarted, ...batched).tell(letGo).events).toEqual([]);
  });

  test('is one that it has', () => {
    expect(given(minerStarted).tell(letGo).rejection?.code).toBe('job_not_found');
  });
});

describe('a miner refuses', () => {
  const refusal = (run: ReturnType<typeof given>, command: MinerCommand) => run.tell(command).rejection?.code;

  test.each([
    ['jobs before it is started', [], receive, 'miner_not_serving'],
    ['jobs while it drains', [minerStarted, { type: 'MinerDraining' }], receive, 'miner_not_serving'],
    ['a model it does not serve', [minerStarted], { ...receive, model: 'other' }, 'model_not_served'],
    ['no tokens', [minerStarted], { ...receive, maxTokens: 0 }, 'invalid_max_tokens'],
    [
      'more tokens than the bound',
      [minerStarted],
      { ...receive, maxTokens: limits.outputTokensMax + 1 },
      'invalid_max_tokens',
    ],
    ['a prefix longer than the answer', [minerStarted], { ...receive, maxTokens: 1 }, 'invalid_prefix'],
    ['results of a job it does not have', [minerStarted], produce, 'job_not_found'],
    ['another miner', [minerStarted], { ...minerStarted, type: 'StartMiner', miner: bob }, 'wrong_stream'],
    ['no capacity', [], { ...minerStarted, type: 'StartMiner', capacity: 0 }, 'invalid_capacity'],
    [
      'more than the greatest capacity',
      [],
      { ...minerStarted, type: 'StartMiner', capacity: limits.minerJobsMax + 1 },
      'invalid_capacity',
    ],
  ] as [string, MinerEvent[], MinerCommand, string][])('%s', (_name, history, command, code) => {
    expect(refusal(given(...history), command)).toBe(code);
  });

  test('one job more than its capacity', () => {
    const run = given({ ...minerStarted, capacity: 1 }, received);
    expect(refusal(run, { ...receive, attempt: 1 })).toBe('miner_busy');
    expect(run.tell(receive).rejection).toBeUndefined();
  });

  test('no job of the greatest size', () => {
    expect(given(minerStarted).types({ ...receive, maxTokens: limits.outputTokensMax })).toEqual(['JobReceived']);
  });
});

describe('a miner', () => {
  test('drains: ends what it has, then takes jobs again after a start', () => {
    const run = given(minerStarted, received);
    expect(run.types({ type: 'DrainMiner' })).toEqual(['MinerDraining']);
    expect(run.state.value).toBe('draining');
    run.tell({ type: 'FailJob', task, attempt: 0, code: 'inference_failed', reason: '' });
    expect(run.state.value).toBe('drained');
    expect(run.types({ ...minerStarted, type: 'StartMiner' })).toEqual(['MinerStarted']);
    expect(run.state.value).toBe('idle');
  });

  test('writes nothing for a start that changes nothing', () => {
    const run = given(minerStarted);
    expect(run.types({ ...minerStarted, type: 'StartMiner' })).toEqual([]);
    expect(run.types({ ...minerStarted, type: 'StartMiner', capacity: 3 })).toEqual(['MinerStarted']);
  });

  test('knows an ended job when it is sent again, up to the bound of what it keeps', () => {
    const run = given(minerStarted);
    run.checksJson = false;
    const ids = Array.from({ length: limits.minerEndedJobsKept + 1 }, (_value, index) =>
      taskId(session, bytes32(100 + index)),
    );
    const end = (id: TaskId): MinerCommand => ({ type: 'FailJob', task: id, attempt: 0, code: 'x', reason: '' });
    for (const id of ids) {
      run.tell({ ...receive, task: id });
      run.tell(end(id));
    }
    expect(Object.keys(run.state.context.jobs)).toHaveLength(limits.minerEndedJobsKept);
    expect(run.types({ ...receive, task: ids[1]! })).toEqual([]);
    expect(run.types({ ...receive, task: ids[0]! })).toEqual(['JobReceived']);
  });

  test('forgets the prefix of an ended job', () => {
    const run = given(minerStarted, received, acked, produced, precommitted, revealOpened, revealed, done);
    expect(run.state.context.jobs[jobKey(received)]?.context.prefix).toEqual([]);
    expect(prompt).toBe(run.state.context.jobs[jobKey(received)]?.context.prompt);
    expect(router).toBe(run.state.context.jobs[jobKey(received)]?.context.router);
  });
});

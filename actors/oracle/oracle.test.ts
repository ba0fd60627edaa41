import { describe, expect, test } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import {
  alice,
  bob,
  bytes32,
  carol,
  client,
  dave,
  fact,
  genesisAt,
  olga,
  otto,
  session,
  task,
  terms,
  vera,
} from '../../test/actors/chain-facts.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { type TaskId, taskId } from '../../src/core/ids.ts';
import { limits } from '../../src/core/limits.ts';
import { wei, zeroWei } from '../../src/core/wei.ts';
import type { OracleContext } from './context.ts';
import { leaderAt, mayActFrom } from './deadlines.ts';
import type { OracleCommand, SeeAssignment } from './decide.ts';
import { oracleActor } from './definition.ts';

const about = { session, task } as const;
const sliceMs = 10_000;
const see = (block: number, body: ChainFactBody): OracleCommand => ({ type: 'SeeFact', fact: fact(block, body) });
const joined = (node: typeof olga) =>
  see(1, {
    type: 'NodeRegistered',
    node,
    number: 1,
    roles: ['oracle'],
    key: bytes32(1),
    stakeWei: wei(200),
    metadataUri: '',
  });
const submitted = see(1, {
  type: 'TaskSubmitted',
  ...about,
  requestId: bytes32(1),
  by: client,
  promptDigest: bytes32(2),
  maxTokens: 8,
  maxPriceWei: wei(9),
});

/** The next time at which an oracle leads, from the first one after `from` on. */
const atTurnOf = (index: number, from: number): number => {
  let at = Math.ceil(from / sliceMs) * sliceMs;
  while (Math.floor(at / sliceMs) % 2 !== index) at += sliceMs;
  return at;
};
/** Two oracles; the deadlines are told so that Olga leads when they have passed. */
const t0 = atTurnOf(0, genesisAt + 100_000);
const assignment = (miners = [alice, bob], ranking = [alice, bob, carol, dave]): SeeAssignment => ({
  type: 'SeeAssignment',
  ranking,
  fact: fact(3, {
    type: 'MinersAssigned',
    ...about,
    miners,
    validators: [vera],
    beaconBlock: 2,
    beacon: bytes32(2),
    selectionDigest: bytes32(3),
    ackBy: t0,
  }),
});

function oracle(self = olga): ActorRun<OracleContext, OracleCommand> {
  const run = new ActorRun<OracleContext, OracleCommand>(oracleActor);
  run.tell({ type: 'StartOracle', oracle: self, sliceMs });
  for (const one of [olga, otto]) run.tell(joined(one));
  run.tell(see(1, { type: 'SessionOpened', session, client, terms }));
  run.tell(submitted);
  return run;
}

function working(self = olga) {
  const run = oracle(self);
  run.tell(assignment());
  return run;
}

const deadline = `ack:${bob}`;
const check = (blockAt: number, name = deadline): OracleCommand => ({
  type: 'CheckDeadline',
  task,
  deadline: name,
  blockAt,
});
const timerOf = (run: ReturnType<typeof oracle>, name: string) =>
  run.timers().find(({ id }) => id === `${task}/${name}`)?.at;

test('the timeouts of a session are those of its newest terms', () => {
  const run = oracle();
  const { routers: _, dedicatedMiners: __, ...rules } = terms;
  const update = (version: number, change: Partial<typeof rules>) =>
    see(5, { type: 'SessionUpdated', session, version, terms: { ...rules, ...change } });
  expect(run.types(update(2, { ackTimeoutS: 9 }))).toEqual(['SessionTermsSeen']);
  expect(run.types(update(2, { ackTimeoutS: 9 })), 'a repeated fact').toEqual([]);
  expect(run.types(update(3, { ackTimeoutS: 9, redundancy: 1 })), 'no timeout is another').toEqual([]);
  expect(run.state.context.sessions[session]).toMatchObject({ ackTimeoutS: 9, queueTimeoutS: terms.queueTimeoutS });
});

describe('leadership', () => {
  test('goes round by time, in order of address', () => {
    const { context } = oracle().state;
    expect([0, 1, 2].map((slice) => leaderAt(context, t0 + slice * sliceMs))).toEqual([olga, otto, olga]);
  });

  test('lets the leader act a second after the deadline, and the other one slice later at most', () => {
    const at = t0 + 2_000;
    expect(mayActFrom(oracle(olga).state.context, at)).toBe(at + 1_000);
    expect(mayActFrom(oracle(otto).state.context, at)).toBe(t0 + sliceMs);
    const three = oracle(otto);
    three.tell(joined(dave));
    for (let ms = 0; ms < 6 * sliceMs; ms += 777) {
      const from = mayActFrom(three.state.context, t0 + ms) ?? 0;
      expect(from).toBeGreaterThanOrEqual(t0 + ms + 1_000);
      expect(from).toBeLessThanOrEqual(t0 + ms + 1_000 + sliceMs);
    }
  });

  test('is for active oracles only', () => {
    const run = working();
    run.tell(see(5, { type: 'NodeActiveSet', node: olga, active: false }));
    expect(run.timers()).toEqual([]);
    run.tell(see(6, { type: 'NodeActiveSet', node: olga, active: true }));
    expect(run.timers()).not.toEqual([]);
  });

  test('of one alone never waits', () => {
    const run = oracle(olga);
    run.tell(see(5, { type: 'NodeActiveSet', node: otto, active: false }));
    expect(mayActFrom(run.state.context, t0 + sliceMs)).toBe(t0 + sliceMs + 1_000);
  });
});

describe('a missed deadline', () => {
  test('is held against the chain, then the slot goes to the next in rank', () => {
    const run = working();
    run.now = t0 + 1_000;
    const [reached] = run.advanceTo(t0 + 1_000);
    expect(reached?.effects).toEqual([{ kind: 'checkBlockTime', task, deadline: `ack:${alice}`, at: t0 }]);
    const { events, effects } = run.tell(check(t0 + 1_000, `ack:${alice}`));
    expect(events).toEqual([
      {
        type: 'DeadlineEnforced',
        task,
        deadline: `ack:${alice}`,
        action: 'reassign',
        miner: alice,
        replacement: carol,
      },
    ]);
    expect(effects).toEqual([
      { kind: 'reassignOnChain', task, deadline: `ack:${alice}`, miner: alice, replacement: carol },
    ]);
  });

  test('is not acted on before the clock says so', () => {
    const run = working();
    run.now = t0 + 999;
    expect(run.types({ type: 'FireTimer', timer: `${task}/${deadline}` })).toEqual([]);
  });

  test('is not acted on while the chain is behind, but looked at again', () => {
    const run = working();
    run.advanceTo(t0 + 1_000);
    expect(run.tell(check(t0)).events).toEqual([{ type: 'DeadlineDeferred', task, deadline, retryAt: t0 + 2_000 }]);
    expect(timerOf(run, deadline)).toBe(t0 + 2_000);
    run.advanceTo(t0 + 2_000);
    expect(run.types(check(t0 + 1_000))).toEqual(['DeadlineEnforced']);
  });

  test('waits no longer than the bound for a chain that is far behind', () => {
    const run = working();
    run.advanceTo(t0 + 1_000);
    expect(run.tell(check(t0 - 10_000_000)).events).toMatchObject([{ retryAt: t0 + 1_000 + limits.oracleRetryMsMax }]);
  });

  test('is enforced once', () => {
    const run = working();
    run.advanceTo(t0 + 1_000);
    expect(run.types(check(t0 + 1_000))).toEqual(['DeadlineEnforced']);
    expect(run.types(check(t0 + 1_000))).toEqual([]);
    expect(timerOf(run, deadline)).toBeUndefined();
    expect(run.advanceTo(t0 + 500_000).flatMap(({ events }) => events)).not.toContainEqual(
      expect.objectContaining({ deadline }),
    );
  });

  test('that the chain refuses is tried again ever later, with another replacement', () => {
    const run = working();
    run.advanceTo(t0 + 1_000);
    run.tell(check(t0 + 1_000));
    const refused: OracleCommand = {
      type: 'EffectFailed',
      effect: 'reassignOnChain',
      task,
      deadline,
      code: 'chain_reverted',
      reason: 'NodeNotActive',
    };
    expect(run.tell(refused).events).toMatchObject([
      { type: 'EnforcementFailed', retryAt: t0 + 1_000 + limits.oracleRetryMsMin },
    ]);
    expect(run.types(refused)).toEqual([]);
    run.advanceTo(t0 + 2_000);
    expect(run.tell(check(t0 + 2_000)).events).toMatchObject([{ type: 'DeadlineEnforced', replacement: dave }]);
    expect(run.tell(refused).events).toMatchObject([{ retryAt: t0 + 2_000 + 2 * limits.oracleRetryMsMin }]);
    for (let tries = 0; tries < 12; tries += 1) {
      run.advanceTo(timerOf(run, deadline) ?? 0);
      run.tell(check(run.now));
      run.tell(refused);
    }
    expect((timerOf(run, deadline) ?? 0) - run.now).toBe(limits.oracleRetryMsMax);
  });

  test('is dropped where nobody stands by', () => {
    const run = oracle();
    run.tell(assignment([alice, bob], [alice, bob]));
    run.advanceTo(t0 + 1_000);
    expect(run.tell(check(t0 + 1_000)).effects).toMatchObject([
      { kind: 'reassignOnChain', miner: bob, replacement: null },
    ]);
  });

  test('of a miner that acknowledged late no longer stands', () => {
    const run = working();
    run.advanceTo(t0 + 1_000);
    run.tell(see(9, { type: 'TaskAcked', ...about, miner: bob, precommitBy: t0 + 30_000 }));
    expect(run.types(check(t0 + 1_000))).toEqual([]);
    expect(timerOf(run, `precommit:${bob}`)).toBe(t0 + 4 * sliceMs);
  });

  test('runs anew for a replacement, and a replaced miner does not come back', () => {
    const run = working();
    run.tell(
      see(9, {
        type: 'MinerReassigned',
        ...about,
        miner: bob,
        replacement: carol,
        attempt: 1,
        oracle: otto,
        ackBy: t0 + 20_000,
      }),
    );
    expect(timerOf(run, deadline)).toBeUndefined();
    run.advanceTo(t0 + 21_000);
    expect(run.tell(check(t0 + 21_000, `ack:${carol}`)).events).toMatchObject([{ miner: carol, replacement: dave }]);
  });

  test('in the reveal phase drops the miner', () => {
    const run = oracle();
    run.tell(assignment([alice]));
    run.tell(see(4, { type: 'TaskAcked', ...about, miner: alice, precommitBy: t0 }));
    run.tell(see(5, { type: 'TaskPrecommitted', ...about, miner: alice, hash: bytes32(1) }));
    run.tell(see(5, { type: 'AllPrecommitted', ...about, revealBy: t0 }));
    run.advanceTo(t0 + 1_000);
    expect(run.tell(check(t0 + 1_000, `reveal:${alice}`)).events).toMatchObject([
      { action: 'reassign', miner: alice, replacement: null },
    ]);
  });

  test('of the validators is resolved', () => {
    const run = oracle();
    run.tell(assignment([alice]));
    run.tell(see(5, { type: 'AllPrecommitted', ...about, revealBy: t0 }));
    run.tell(see(6, { type: 'AllRevealed', ...about, attestBy: t0 }));
    run.advanceTo(t0 + 1_000);
    expect(run.tell(check(t0 + 1_000, 'attest')).effects).toEqual([
      { kind: 'resolveOnChain', task, deadline: 'attest' },
    ]);
  });
});

describe('a task nobody moves on', () => {
  const queueAt = genesisAt + 1_000 + terms.queueTimeoutS * 1_000;

  test('expires after its time in the queue', () => {
    const run = oracle();
    run.advanceTo(queueAt + 1_000 + sliceMs);
    expect(run.tell(check(queueAt + 1_000, 'expire:queued')).effects).toEqual([
      { kind: 'expireOnChain', task, deadline: 'expire:queued' },
    ]);
  });

  test('expires after every attempt it could have had, as the contract counts it', () => {
    const hardS =
      2 *
      ((limits.slotAttemptsMax + 1) * (terms.ackTimeoutS + terms.executeTimeoutS) +
        terms.revealTimeoutS +
        terms.validateTimeoutS);
    expect(working().state.context.watches[task]?.context.expireBy).toBe(genesisAt + 3_000 + hardS * 1_000);
  });

  test('is not expired where its session is not known', () => {
    const run = new ActorRun<OracleContext, OracleCommand>(oracleActor);
    run.tell({ type: 'StartOracle', oracle: olga, sliceMs });
    run.tell(joined(olga));
    run.tell(submitted);
    expect(run.timers()).toEqual([]);
  });
});

describe('facts', () => {
  test('seen again change nothing, not even after the end', () => {
    const run = working();
    expect(run.types(submitted)).toEqual([]);
    expect(run.types(assignment())).toEqual([]);
    expect(run.types(joined(otto))).toEqual([]);
    expect(run.types(see(20, { type: 'TaskRefunded', ...about, returnedWei: zeroWei, reason: 'cancelled' }))).toEqual([
      'WatchEnded',
    ]);
    expect(run.state).toMatchObject({ value: 'idle', context: { watches: {}, ended: [task] } });
    expect(run.types(submitted)).toEqual([]);
    expect(run.types(see(21, { type: 'TaskAcked', ...about, miner: bob, precommitBy: 0 }))).toEqual([]);
  });

  test('may come before the order of the selection is known', () => {
    const run = oracle();
    run.tell({ type: 'SeeFact', fact: assignment().fact });
    expect(run.types(assignment())).toEqual(['RankingLearned']);
    expect(run.types(assignment())).toEqual([]);
  });

  test('forget a closed session', () => {
    const run = oracle();
    expect(run.types(see(9, { type: 'SessionClosed', session, refundedWei: zeroWei }))).toEqual(['SessionForgotten']);
    expect(run.types(see(9, { type: 'SessionClosed', session, refundedWei: zeroWei }))).toEqual([]);
  });
});

describe('an oracle refuses', () => {
  test.each([
    ['facts before it is started', { type: 'SeeFact', fact: assignment().fact }, 'oracle_not_started'],
    ['a slice of nothing', { type: 'StartOracle', oracle: olga, sliceMs: 0 }, 'invalid_slice'],
  ] as [string, OracleCommand, string][])('%s', (_, command, code) => {
    expect(new ActorRun<OracleContext, OracleCommand>(oracleActor).tell(command).rejection?.code).toBe(code);
  });

  test('another oracle', () => {
    expect(oracle().tell({ type: 'StartOracle', oracle: otto, sliceMs }).rejection?.code).toBe('wrong_stream');
    expect(oracle().types({ type: 'StartOracle', oracle: olga, sliceMs })).toEqual([]);
  });

  test('one task more than it can watch', () => {
    const run = oracle();
    const watch = run.state.context.watches[task]!;
    const ids = Array.from({ length: limits.oracleWatchesMax - 1 }, (_, index) => bytes32(index + 2) as TaskId);
    run.checksJson = false;
    run.state = {
      value: 'watching',
      context: { ...run.state.context, watches: Object.fromEntries(ids.map((id) => [id, watch])) },
    };
    expect(run.types(submitted)).toEqual(['WatchStarted']);
    const next = fact(2, {
      type: 'TaskSubmitted',
      session,
      task: taskId(session, bytes32(0)),
      requestId: bytes32(0),
      by: client,
      promptDigest: bytes32(2),
      maxTokens: 8,
      maxPriceWei: wei(9),
    });
    expect(run.tell({ type: 'SeeFact', fact: next }).rejection?.code).toBe('oracle_busy');
  });
});

test('an oracle remembers a bounded number of ended tasks', () => {
  const run = oracle();
  const ended = Array.from({ length: limits.oracleEndedKept }, (_, index) => bytes32(index + 2) as TaskId);
  run.checksJson = false;
  run.state = { ...run.state, context: { ...run.state.context, ended } };
  run.tell(see(9, { type: 'TaskRefunded', ...about, returnedWei: zeroWei, reason: 'expired' }));
  expect(run.state.context.ended).toHaveLength(limits.oracleEndedKept);
  expect(run.state.context.ended.at(-1)).toBe(task);
});

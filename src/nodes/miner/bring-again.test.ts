import { expect, test } from 'vitest';
import { emptyJob, emptyMiner, type MinerContext } from '../../../actors/miner/context.ts';
import { alice, bob, bytes32, fact, router, session, task } from '../../../test/actors/chain-facts.ts';
import { result } from '../../../test/actors/samples/task.ts';
import { cidToDigest } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { precommitHash } from '../../core/precommit.ts';
import type { ChainCall, Deployment } from '../../ports/chain.ts';
import type { ChainSlotState, ChainTaskRecord, ChainTaskState } from '../../ports/queue-messages.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { bringAgain, type BringAgainOptions } from './bring-again.ts';

const deployment = { chainId: 31_337, queue: `0x${'99'.repeat(20)}` } as Deployment;
const made = { resultRoot: bytes32(8), salt: bytes32(9) };
const context = { ...emptyJob, session, task, miner: alice, ...made, result };
const miner: MinerContext = { ...emptyMiner, jobs: { [`${task}:0`]: { value: 'revealed', context } } };
const of = { session, task, step: 0, attempt: 0, miner: alice, ...made };
const hash = precommitHash({ chainId: 31_337, queueContract: deployment.queue, ...of });
const removed = {
  precommit: fact(5, { type: 'TaskPrecommitted', session, task, miner: alice, hash }),
  reveal: fact(6, {
    type: 'TaskRevealed',
    session,
    task,
    miner: alice,
    resultRoot: bytes32(8),
    resultDigest: bytes32(1),
  }),
};

/** A chain on which the miner's slot goes through states, one with each look, the last one for good. */
function chainThat(...looks: (readonly [ChainTaskState, ChainSlotState] | 'no task')[]) {
  const clock = new VirtualClock({ startMs: 0 });
  const sent: ChainCall[] = [];
  let look = 0;
  let refuses = 0;
  const record = async (): Promise<ChainTaskRecord | undefined> => {
    const found = looks[Math.min(look, looks.length - 1)];
    look += 1;
    if (found === undefined || found === 'no task') return undefined;
    const [state, slot] = found;
    const slots = slot === 'none' ? [] : [{ miner: alice, attempt: 0, state: slot, dueBy: 0, precommit: hash }];
    const judged = { finality: 'immediate', router, outcome: undefined } as const;
    return { session, state, step: 0, submittedBlock: 1, phaseBy: 0, ...judged, slots, validators: [] };
  };
  const base = {
    identity: { address: alice },
    stopping: new AbortController().signal,
    ports: { clock, chain: { deployment, task: record }, log: { warn: () => {} } },
    send: async (call: ChainCall) => {
      if (refuses > 0) {
        refuses -= 1;
        throw new PouwError('chain_reverted', 'no');
      }
      sent.push(call);
    },
  } as unknown as BringAgainOptions['base'];
  return {
    sent,
    refuse: (times: number) => (refuses = times),
    run: async (which: Parameters<typeof bringAgain>[1]) => {
      const run = bringAgain({ base, miner: () => miner }, which);
      await clock.advance(limits.carryRestoreMs * (limits.carryRestoreLooksMax + 1));
      await run;
      return look;
    },
  };
}

const revealed = { call: 'reveal', task, ...made, resultDigest: cidToDigest(result) };

test('what somebody has brought again is left alone', async () => {
  for (const [which, state, slot] of [
    [removed.precommit, 'executing', 'precommitted'],
    [removed.precommit, 'committed', 'revealed'],
    [removed.reveal, 'committed', 'revealed'],
    [removed.reveal, 'committed', 'dropped'],
    [removed.reveal, 'settled', 'none'],
  ] as const) {
    const chain = chainThat([state, slot]);
    expect(await chain.run(which)).toBe(1);
    expect(chain.sent).toEqual([]);
  }
});

test('what nobody has brought again, the miner brings', async () => {
  const precommits = chainThat(['executing', 'acked']);
  await precommits.run(removed.precommit);
  expect(precommits.sent).toEqual([{ call: 'precommit', task, hash }]);
  const reveals = chainThat(['precommitted', 'precommitted']);
  await reveals.run(removed.reveal);
  expect(reveals.sent).toEqual([revealed]);
});

test('a reveal waits for its turn, and for an assignment that comes again', async () => {
  const chain = chainThat(['queued', 'none'], ['executing', 'acked'], ['precommitted', 'precommitted']);
  expect(await chain.run(removed.reveal)).toBe(3);
  expect(chain.sent).toEqual([revealed]);
});

test('what is refused is looked at again, and given up in the end', async () => {
  const once = chainThat(['precommitted', 'precommitted']);
  once.refuse(1);
  expect(await once.run(removed.reveal)).toBe(2);
  expect(once.sent).toEqual([revealed]);
  const always = chainThat(['precommitted', 'precommitted']);
  always.refuse(1_000);
  expect(await always.run(removed.reveal)).toBe(limits.carryRestoreLooksMax);
  expect(always.sent).toEqual([]);
});

test("others' parts, and tasks that are not on chain any more, are nobody's business", async () => {
  const chain = chainThat(['precommitted', 'precommitted']);
  expect(await chain.run({ ...removed.reveal, miner: bob })).toBe(0);
  expect(await chain.run(fact(5, { type: 'SessionDraining', session }))).toBe(0);
  expect(await chainThat('no task').run(removed.reveal)).toBe(1);
});

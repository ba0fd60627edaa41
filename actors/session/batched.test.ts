import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ActorRun } from '../../test/actors/actor-run.ts';
import {
  alice,
  bob,
  bytes32,
  client,
  dave,
  fact,
  genesisAt,
  router,
  session,
  task,
  terms,
  validators,
  vera,
  victor,
} from '../../test/actors/chain-facts.ts';
import { wish as submission } from '../../test/actors/samples/session.ts';
import type { ChainFactBody } from '../../src/core/chain-fact.ts';
import { contentCid } from '../../src/core/cid.ts';
import { wei, zeroWei } from '../../src/core/wei.ts';
import type { SignVerdict } from '../task/batched.ts';
import type { TaskFact } from '../task/decide.ts';
import type { SessionContext } from './context.ts';
import type { SessionCommand } from './decide.ts';
import { sessionActor } from './definition.ts';
import { isConserved } from './money.ts';
import { taskOf } from './tasks.ts';

type Run = ActorRun<SessionContext, SessionCommand>;
const of = { session, task } as const;
const signature = { r: bytes32(21), vs: bytes32(22) } as const;
const member = { batch: 7, poster: router, position: 0, leaves: contentCid('leaves'), block: 9 } as const;

/** What nodes have signed, as the owner tells it. */
function signed(body: ChainFactBody, more: object = {}): SessionCommand {
  return { type: 'SeeTaskFact', fact: { ...body, place: null } as TaskFact, ...more };
}

/** The commands that take a task from its submission to the verdict, in order. */
const life: readonly SessionCommand[] = [
  submission,
  { type: 'TakeTask', task, afterBlock: 4 },
  signed({
    type: 'MinersAssigned',
    ...of,
    miners: [alice, bob],
    validators: [...validators],
    beaconBlock: 5,
    beacon: bytes32(5),
    selectionDigest: bytes32(6),
    ackBy: genesisAt + 5_000,
  }),
  signed({ type: 'TaskAcked', ...of, miner: alice, precommitBy: genesisAt + 9_000 }),
  signed({ type: 'TaskAcked', ...of, miner: bob, precommitBy: genesisAt + 9_000 }),
  signed({ type: 'TaskPrecommitted', ...of, miner: alice, hash: bytes32(11) }, { signature }),
  signed({ type: 'TaskPrecommitted', ...of, miner: bob, hash: bytes32(12) }, { signature }),
  signed({ type: 'AllPrecommitted', ...of, revealBy: genesisAt + 20_000 }, { batch: member }),
  signed(
    { type: 'TaskRevealed', ...of, miner: alice, resultRoot: bytes32(13), resultDigest: bytes32(14) },
    { salt: bytes32(15) },
  ),
  signed(
    { type: 'TaskRevealed', ...of, miner: bob, resultRoot: bytes32(16), resultDigest: bytes32(17) },
    { salt: bytes32(18) },
  ),
  signed({ type: 'AllRevealed', ...of, attestBy: genesisAt + 40_000 }),
];

function verdict(validator: typeof vera, found: Partial<SignVerdict> = {}): SignVerdict {
  const counted = { promptTokens: 18, outputTokens: 9, reportDigest: bytes32(19) };
  return {
    type: 'SignVerdict',
    task,
    validator,
    winner: alice,
    honest: [alice, bob],
    ...counted,
    signature,
    scores: [],
    ...found,
  };
}

const settlement = signed(
  {
    type: 'TaskSettled',
    ...of,
    priceWei: wei(36),
    returnedWei: wei(14),
    payments: [],
    manifestDigest: bytes32(20),
  },
  { posted: { block: 12, blockHash: bytes32(12), txHash: bytes32(23) } },
);

function opened(settlementMode: 'batched' | 'perTask' = 'batched'): Run {
  const run: Run = new ActorRun<SessionContext, SessionCommand>(sessionActor);
  const own = { ...terms, validators: 2, settlement: settlementMode } as const;
  run.tell({ type: 'SeeSessionFact', fact: fact(1, { type: 'SessionOpened', session, client, terms: own }) });
  const deposit = { type: 'SessionDeposited', session, from: client, amountWei: wei(400) } as const;
  run.tell({ type: 'SeeSessionFact', fact: fact(1, deposit, 1) });
  return run;
}

function lived(steps: number = life.length): Run {
  const run = opened();
  for (const command of life.slice(0, steps)) expect(run.tell(command).rejection).toBeUndefined();
  return run;
}

const stateOf = (run: Run): string | undefined => taskOf(run.state.context, task)?.value;

describe('a task of a batched session', () => {
  it('lives by what its nodes have signed, and its money moves with its batch', () => {
    const run = lived();
    expect(stateOf(run)).toBe('committed');
    expect(run.types(verdict(vera))).toEqual(['VerdictSigned']);
    expect(run.types(verdict(victor))).toEqual(['VerdictSigned', 'ResultValidated']);
    expect(run.state.context.money).toMatchObject({ balanceWei: wei(350), escrowedWei: wei(50), paidWei: zeroWei });
    expect(run.types(settlement)).toEqual(['TaskSettled']);
    expect(run.state.context.money).toMatchObject({ balanceWei: wei(364), escrowedWei: zeroWei, paidWei: wei(36) });
    expect(taskOf(run.state.context, task)?.context).toMatchObject({
      settlement: { block: 12, txHash: bytes32(23) },
      batch: member,
      leaf: [
        { miner: alice, attempt: 0, hash: bytes32(11) },
        { miner: bob, attempt: 0, hash: bytes32(12) },
      ],
    });
    expect(isConserved(run.state.context.money)).toBe(true);
  });

  it('shows each miner its batch, and asks validators about the slots that the batch has', () => {
    const run = lived(7);
    const shown = run.tell(life[7]!).effects;
    expect(shown.map(({ kind, miner }) => [kind, miner])).toEqual([
      ['showBatch', alice],
      ['showBatch', bob],
    ]);
    run.tell(life[8]!);
    // Bob is late: he has no slot any more, but his place in the leaf is for good.
    const late = { type: 'MinerReassigned', ...of, miner: bob, replacement: null, attempt: 1, oracle: router } as const;
    run.tell(signed({ ...late, ackBy: genesisAt }));
    const [asked] = run.tell(life[10]!).effects;
    expect(asked).toMatchObject({ kind: 'requestValidation', batch: { poster: router } });
    expect(taskOf(run.state.context, task)?.context.leaf).toHaveLength(2);
    expect(taskOf(run.state.context, task)?.context.slots).toHaveLength(1);
  });

  it('does not count towards the facts of the chain that are taken, so that none is passed over', () => {
    const run = lived();
    run.tell(verdict(vera));
    run.tell(verdict(victor));
    run.tell(settlement);
    expect(run.state.context.seenTo).toBe(1);
    const late = { type: 'SessionDeposited', session, from: client, amountWei: wei(5) } as const;
    expect(run.types({ type: 'SeeSessionFact', fact: fact(3, late) })).toEqual(['SessionDeposited']);
  });

  it('is moved by no fact of the queue, and a task of the queue by nothing that is signed', () => {
    const run = lived(2);
    const assigned = (life[2] as { fact: TaskFact }).fact;
    const onChain = { ...assigned, place: fact(6, { type: 'SessionDraining', session }).place } as TaskFact;
    expect(run.types({ type: 'SeeTaskFact', fact: onChain })).toEqual([]);
    const other = opened('perTask');
    other.tell(submission);
    expect(other.types(life[2]!)).toEqual([]);
    expect(other.tell(life[1]!).rejection?.code).toBe('not_batched');
  });

  it('counts one word of each validator, of those that are its own and about what was shown', () => {
    const run = lived();
    expect(run.tell(verdict(dave)).rejection?.code).toBe('not_validator');
    expect(run.tell(verdict(vera, { honest: [alice, dave] })).rejection?.code).toBe('invalid_verdict');
    expect(run.tell(verdict(vera, { winner: bob, honest: [alice] })).rejection?.code).toBe('invalid_verdict');
    expect(run.types(verdict(vera))).toEqual(['VerdictSigned']);
    expect(run.types(verdict(vera, { winner: bob }))).toEqual([]);
    expect(stateOf(run)).toBe('committed');
  });

  it('fails once no outcome can have more than half, and its money is back with the batch', () => {
    const run = lived();
    run.tell(verdict(vera));
    expect(run.types(verdict(victor, { outputTokens: 10 }))).toEqual(['VerdictSigned', 'TaskFailed']);
    expect(run.state.context.money.escrowedWei).toBe(wei(50));
    expect(run.types({ type: 'GiveUpTask', task, code: 'no_quorum', reason: 'late' })).toEqual([]);
    const refund = { type: 'TaskRefunded', ...of, returnedWei: wei(50), reason: 'exhausted' } as const;
    expect(run.types(signed(refund))).toEqual(['TaskRefunded']);
    expect(run.state.context.money).toMatchObject({ balanceWei: wei(400), escrowedWei: zeroWei });
  });

  it.each([1, 2, 3, 4, 5, 6, 7])(
    'that is given up after %i steps, before its batch, has its money back at once',
    (steps) => {
      const run = lived(steps);
      const ended = run.types({ type: 'GiveUpTask', task, code: 'task_exhausted', reason: 'late' });
      expect(ended).toEqual(['TaskFailed', 'TaskRefunded']);
      expect(run.state.context.money).toMatchObject({ balanceWei: wei(400), escrowedWei: zeroWei });
    },
  );

  it('ends with the session where no batch has it, and keeps it open where one does', () => {
    const close = (refundedWei: number): SessionCommand => {
      const closed = { type: 'SessionClosed', session, refundedWei: wei(refundedWei) } as const;
      return { type: 'SeeSessionFact', fact: fact(20, closed) };
    };
    expect(lived(7).types(close(400))).toEqual(['TaskFailed', 'TaskRefunded', 'SessionClosed']);
    expect(lived(8).tell(close(400)).rejection?.code).toBe('refund_mismatch');
  });
});

describe('a void batch', () => {
  const voided: SessionCommand = { type: 'VoidBatch', batch: 7, returnedWei: wei(36), fault: 'WrongReveal' };

  it('gives back what its tasks had cost, once', () => {
    const run = lived();
    for (const validator of validators) run.tell(verdict(validator));
    run.tell(settlement);
    expect(run.types(voided)).toEqual(['BatchVoided']);
    expect(run.types(voided)).toEqual([]);
    expect(run.state.context.money).toMatchObject({ balanceWei: wei(400), paidWei: zeroWei });
    expect(isConserved(run.state.context.money)).toBe(true);
  });

  it('gives nothing back that was not paid', () => {
    expect(lived().tell(voided).rejection?.code).toBe('escrow_mismatch');
  });
});

describe('whatever is said to a batched session, in any order,', () => {
  const commands: readonly SessionCommand[] = [
    ...life,
    verdict(vera),
    verdict(victor),
    verdict(victor, { outputTokens: 10 }),
    settlement,
    { type: 'VoidBatch', batch: 7, returnedWei: wei(36), fault: 'WrongReveal' },
    { type: 'GiveUpTask', task, code: 'task_exhausted', reason: 'late' },
    { type: 'CancelTask', task, reason: 'enough' },
    signed({ type: 'TaskRefunded', ...of, returnedWei: wei(50), reason: 'exhausted' }),
    signed({ type: 'MinerReassigned', ...of, miner: bob, replacement: dave, attempt: 1, oracle: router, ackBy: 0 }),
    signed({ type: 'MinerReassigned', ...of, miner: bob, replacement: null, attempt: 1, oracle: router, ackBy: 0 }),
  ];

  it('its money is where it must be', () => {
    // Chaos alone never gets far: what is said is mostly what comes next.
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant('next' as const) },
      { weight: 1, arbitrary: fc.constantFrom(...commands) },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 8, maxLength: 40 }), (steps) => {
        const run = opened();
        let next = 0;
        for (const wanted of steps) {
          const command = wanted === 'next' ? [...life, verdict(vera), verdict(victor), settlement][next++] : wanted;
          if (command === undefined) continue;
          run.tell(command);
          const { money, tasks } = run.state.context;
          expect(isConserved(money)).toBe(true);
          const setAside = Object.values(tasks).reduce((sum, { context }) => sum + BigInt(context.escrowWei), 0n);
          expect(setAside).toBe(BigInt(money.escrowedWei));
        }
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionContext } from '../../../../actors/session/context.ts';
import type { SessionCommand } from '../../../../actors/session/decide.ts';
import { sessionActor } from '../../../../actors/session/definition.ts';
import { taskOf } from '../../../../actors/session/tasks.ts';
import type { TaskFact } from '../../../../actors/task/decide.ts';
import { accountOfKey } from '../../../adapters/chain/accounts.ts';
import { createSigning } from '../../../adapters/chain/signing.ts';
import { batchPrecommitDigest } from '../../../core/batch/precommit-message.ts';
import { verdictDigest } from '../../../core/batch/verdict.ts';
import { contentCid } from '../../../core/cid.ts';
import { errorCode, PouwError } from '../../../core/errors.ts';
import { type Hex, keccakWords } from '../../../core/hash.ts';
import { type Address, toAddress } from '../../../core/ids.ts';
import { precommitHash } from '../../../core/precommit.ts';
import { wei } from '../../../core/wei.ts';
import type { AttestationPart, CarryBody, PrecommitPart, RevealPart } from '../../../messages/carry.ts';
import { ActorRun } from '../../../../test/actors/actor-run.ts';
import {
  bytes32,
  client,
  fact,
  genesisAt,
  prompt,
  router,
  session,
  task,
  terms,
} from '../../../../test/actors/chain-facts.ts';
import { verdictLeaf } from '../../../core/batch/verdict-slots.ts';
import type { SessionRuntime } from '../session-effects.ts';
import { takePart } from './parts.ts';

const accounts = [1, 2, 3, 4].map((number) => accountOfKey(keccakWords([number])));
const [alice, bob, vera, victor] = accounts.map(({ address }) => toAddress(address)) as [
  Address,
  Address,
  Address,
  Address,
];
const signing = createSigning(accounts);
const deployment = {
  chainId: 31_337,
  batches: toAddress(bytes32(0xba).slice(0, 42)),
  batchDemands: toAddress(bytes32(0xbd).slice(0, 42)),
};

/** A session with a task of two miners and two validators that are at work, as its owner has it. */
class Owner {
  readonly run = new ActorRun<SessionContext, SessionCommand>(sessionActor);
  readonly runtime = {
    base: {
      ports: {
        chain: { deployment, ...signing },
        clock: { now: () => genesisAt },
        content: { get: () => Promise.reject(new PouwError('content_not_found', 'no report', { class: 'not-found' })) },
      },
      stopping: new AbortController().signal,
    },
    feeds: { compare: () => 'match' },
    session: async () => this.run.state,
    dispatch: async (_: unknown, command: SessionCommand) => {
      const { rejection } = this.run.tell(command);
      if (rejection !== undefined) throw new PouwError(rejection.code, rejection.message, { class: rejection.class });
    },
  } as unknown as SessionRuntime;

  constructor() {
    const own = { ...terms, validators: 2, settlement: 'batched' } as const;
    this.run.tell({ type: 'SeeSessionFact', fact: fact(1, { type: 'SessionOpened', session, client, terms: own }) });
    const deposit = { type: 'SessionDeposited', session, from: client, amountWei: wei(400) } as const;
    this.run.tell({ type: 'SeeSessionFact', fact: fact(1, deposit, 1) });
    const asked = { requestId: bytes32(1), by: router, prompt, promptTokens: 18, maxTokens: 16, maxPriceWei: null };
    this.run.tell({ type: 'SubmitTask', ...asked, onChain: null });
    this.run.tell({ type: 'TakeTask', task, afterBlock: 4 });
    const draw = { beaconBlock: 5, beacon: bytes32(5), selectionDigest: bytes32(6), ackBy: genesisAt + 5_000 };
    const nodes = { miners: [alice, bob], validators: [vera, victor] };
    this.see({ type: 'MinersAssigned', session, task, ...nodes, ...draw, place: null });
    for (const miner of nodes.miners) {
      this.see({ type: 'TaskAcked', session, task, miner, precommitBy: genesisAt + 9_000, place: null });
    }
  }

  see(told: TaskFact, more: object = {}): void {
    this.run.tell({ type: 'SeeTaskFact', fact: told, ...more });
  }

  take(from: Address, part: CarryBody): Promise<string> {
    return takePart(this.runtime, from, part, 'test').then(
      () => 'taken',
      (error: unknown) => errorCode(error),
    );
  }

  phases(): (string | undefined)[] {
    return taskOf(this.run.state.context, task)?.context.slots.map(({ phase }) => phase) ?? [];
  }

  bind(): void {
    const member = { batch: 7, poster: router, position: 0, leaves: contentCid('leaves'), block: 9 };
    this.see({ type: 'AllPrecommitted', session, task, revealBy: genesisAt + 20_000, place: null }, { batch: member });
  }
}

const secret = (miner: Address): { resultRoot: Hex; salt: Hex } => ({
  resultRoot: keccakWords([miner, 1]),
  salt: keccakWords([miner, 2]),
});

/** A precommit of a miner, signed by somebody. */
async function precommit(miner: Address, by: Address = miner, attempt = 0): Promise<PrecommitPart> {
  const { chainId, batches } = deployment;
  const of = { session, task, step: 0, attempt };
  const hash = precommitHash({ chainId, queueContract: batches, ...of, miner, ...secret(miner) });
  const digest = batchPrecommitDigest({ chainId, contract: batches }, { task, step: 0, attempt, precommit: hash });
  return { is: 'precommit', ...of, precommit: hash, signature: await signing.signDigest(by, digest) };
}

const reveal = (miner: Address, change: Partial<RevealPart> = {}): RevealPart => {
  const of = { session, task, step: 0, attempt: 0 };
  return { is: 'reveal', ...of, ...secret(miner), resultDigest: bytes32(30), ...change };
};

async function attestation(by: Address, honest = 3, poster: Address = router): Promise<AttestationPart> {
  const slots = await Promise.all(
    [alice, bob].map(async (miner) => ({ miner, attempt: 0, hash: (await precommit(miner)).precommit })),
  );
  const outcome = { winner: 0, honest, promptTokens: 18, outputTokens: 9 };
  const leaf = verdictLeaf({ session, task, poster, slots });
  const place = { chainId: deployment.chainId, contract: deployment.batchDemands };
  const signature = await signing.signDigest(by, verdictDigest(place, poster, leaf, outcome));
  return { is: 'attestation', session, task, step: 0, outcome, reportDigest: bytes32(31), signature };
}

describe('the owner of a batched session takes', () => {
  let owner: Owner;
  beforeEach(() => (owner = new Owner()));

  it('a precommit that its miner has signed, again and again the same', async () => {
    expect(await owner.take(alice, await precommit(alice))).toBe('taken');
    expect(await owner.take(alice, await precommit(alice))).toBe('taken');
    expect(owner.phases()).toEqual(['precommitted', 'acked']);
  });

  it('none that another has signed, none of a stranger, none of another attempt, and not a second one', async () => {
    expect(await owner.take(alice, await precommit(alice, bob))).toBe('part_not_signed');
    expect(await owner.take(vera, await precommit(vera))).toBe('part_not_expected');
    expect(await owner.take(alice, await precommit(alice, alice, 1))).toBe('part_not_expected');
    // Bob has seen what Alice signed and brings it as his own: he is bound by his own signature only.
    expect(await owner.take(bob, await precommit(alice))).toBe('part_not_signed');
    await owner.take(alice, await precommit(alice));
    const other = { ...(await precommit(alice)), precommit: bytes32(99) };
    expect(await owner.take(alice, other)).toBe('part_not_expected');
    expect(owner.phases()).toEqual(['precommitted', 'acked']);
  });

  it('a result once it is bound on chain, and that result only', async () => {
    for (const miner of [alice, bob]) await owner.take(miner, await precommit(miner));
    expect(await owner.take(alice, reveal(alice))).toBe('part_not_expected');
    owner.bind();
    expect(await owner.take(alice, reveal(alice, { salt: bytes32(1) }))).toBe('part_wrong_reveal');
    // A copy of what another has shown is not what the copier is bound to.
    expect(await owner.take(bob, reveal(alice))).toBe('part_wrong_reveal');
    expect(await owner.take(alice, reveal(alice))).toBe('taken');
    expect(await owner.take(alice, reveal(alice))).toBe('taken');
    expect(owner.phases()).toEqual(['committed', 'precommitted']);
  });

  it('the verdicts that its validators have signed for its poster', async () => {
    for (const miner of [alice, bob]) await owner.take(miner, await precommit(miner));
    owner.bind();
    for (const miner of [alice, bob]) await owner.take(miner, reveal(miner));
    expect(await owner.take(vera, await attestation(vera))).toBe('part_not_expected');
    owner.see({ type: 'AllRevealed', session, task, attestBy: genesisAt + 40_000, place: null });
    expect(await owner.take(vera, await attestation(victor))).toBe('part_not_signed');
    expect(await owner.take(vera, await attestation(vera, 3, client))).toBe('part_not_signed');
    expect(await owner.take(alice, await attestation(alice))).toBe('not_validator');
    expect(await owner.take(vera, await attestation(vera, 7))).toBe('part_not_expected');
    expect(await owner.take(vera, await attestation(vera))).toBe('taken');
    expect(await owner.take(victor, await attestation(victor))).toBe('taken');
    expect(taskOf(owner.run.state.context, task)?.value).toBe('validated');
    expect(await owner.take(victor, await attestation(victor))).toBe('taken');
  });
});

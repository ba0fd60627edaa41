import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import type { SessionContext } from '../../actors/session/context.ts';
import type { SessionCommand } from '../../actors/session/decide.ts';
import { sessionActor } from '../../actors/session/definition.ts';
import type { TaskFact } from '../../actors/task/decide.ts';
import { ActorRun } from '../../test/actors/actor-run.ts';
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
} from '../../test/actors/chain-facts.ts';
import { createSigning } from '../adapters/chain/signing.ts';
import { batchPrecommitDigest } from '../core/batch/precommit-message.ts';
import { verdictDigest } from '../core/batch/verdict.ts';
import { verdictLeaf } from '../core/batch/verdict-slots.ts';
import { contentCid } from '../core/cid.ts';
import type { ChainFactBody } from '../core/chain-fact.ts';
import { type Commit, type Event, genesisHash } from '../core/commit.ts';
import type { Hex } from '../core/hash.ts';
import { type Address, streamId, toAddress } from '../core/ids.ts';
import { precommitHash } from '../core/precommit.ts';
import { wei } from '../core/wei.ts';
import type { Deployment } from '../ports/chain.ts';
import { PartChecker } from './check-parts.ts';
import { FaultList } from './fault.ts';

const accounts = [1, 2, 3, 4, 5].map((key) => privateKeyToAccount(bytes32(key)));
const [alice, bob, vera, victor, mallory] = accounts.map(({ address }) => toAddress(address)) as [
  Address,
  Address,
  Address,
  Address,
  Address,
];
const signing = createSigning(accounts);
const deployment = {
  chainId: 31_337,
  batches: toAddress(`0x${'b'.repeat(40)}`),
  batchDemands: toAddress(`0x${'d'.repeat(40)}`),
} as Deployment;
const { chainId, batches, batchDemands } = deployment;
const of = { session, task } as const;
const member = { batch: 7, poster: router, position: 0, leaves: contentCid('leaves'), block: 9 } as const;
const results = new Map([
  [alice, { resultRoot: bytes32(13), salt: bytes32(15) }],
  [bob, { resultRoot: bytes32(16), salt: bytes32(18) }],
]);

const hashOf = (miner: Address, attempt = 0): Hex =>
  precommitHash({ chainId, queueContract: batches, ...of, step: 0, attempt, miner, ...results.get(miner)! });

const seeing = (body: ChainFactBody, more: object = {}): SessionCommand => {
  return { type: 'SeeTaskFact', fact: { ...body, place: null } as TaskFact, ...more };
};

async function precommit(miner: Address, by = miner): Promise<SessionCommand> {
  const hash = hashOf(miner);
  const digest = batchPrecommitDigest({ chainId, contract: batches }, { task, step: 0, attempt: 0, precommit: hash });
  return seeing({ type: 'TaskPrecommitted', ...of, miner, hash }, { signature: await signing.signDigest(by, digest) });
}

const reveal = (miner: Address): SessionCommand => {
  const { resultRoot, salt } = results.get(miner)!;
  return seeing({ type: 'TaskRevealed', ...of, miner, resultRoot, resultDigest: bytes32(14) }, { salt });
};

async function verdict(validator: Address, by = validator): Promise<SessionCommand> {
  const slots = [alice, bob].map((miner) => ({ miner, attempt: 0, hash: hashOf(miner) }));
  const leaf = verdictLeaf({ session, task, poster: router, slots });
  const counted = { promptTokens: 18, outputTokens: 9 };
  const digest = verdictDigest({ chainId, contract: batchDemands }, router, leaf, { winner: 0, honest: 3, ...counted });
  const signature = await signing.signDigest(by, digest);
  const found = { winner: alice, honest: [alice, bob], ...counted, reportDigest: bytes32(19), signature };
  return { type: 'SignVerdict', task, validator, ...found, scores: [] };
}

/** The events of a batched task from its session's opening to the verdict of two validators. */
async function life(): Promise<Event[]> {
  const run = new ActorRun<SessionContext, SessionCommand>(sessionActor);
  const own = { ...terms, validators: 2, settlement: 'batched' } as const;
  const deposit = { type: 'SessionDeposited', session, from: client, amountWei: wei(400) } as const;
  const submission = { requestId: bytes32(1), by: router, prompt, promptTokens: 18, maxTokens: 16 } as const;
  const draw = { beaconBlock: 5, beacon: bytes32(5), selectionDigest: bytes32(6), ackBy: genesisAt + 5_000 };
  const commands: SessionCommand[] = [
    { type: 'SeeSessionFact', fact: fact(1, { type: 'SessionOpened', session, client, terms: own }) },
    { type: 'SeeSessionFact', fact: fact(1, deposit, 1) },
    { type: 'SubmitTask', ...submission, maxPriceWei: null, onChain: null },
    { type: 'TakeTask', task, afterBlock: 4 },
    seeing({ type: 'MinersAssigned', ...of, miners: [alice, bob], validators: [vera, victor], ...draw }),
    seeing({ type: 'TaskAcked', ...of, miner: alice, precommitBy: genesisAt + 9_000 }),
    seeing({ type: 'TaskAcked', ...of, miner: bob, precommitBy: genesisAt + 9_000 }),
    await precommit(alice),
    await precommit(bob),
    seeing({ type: 'AllPrecommitted', ...of, revealBy: genesisAt + 20_000 }, { batch: member }),
    reveal(alice),
    reveal(bob),
    seeing({ type: 'AllRevealed', ...of, attestBy: genesisAt + 40_000 }),
    await verdict(vera),
    await verdict(victor),
  ];
  return commands.flatMap((command) => {
    const { events, rejection } = run.tell(command);
    expect(rejection).toBeUndefined();
    return [...events];
  });
}

/** Checks events, a commit of the session for each. */
function check(events: readonly Event[], where: Deployment | null = deployment, faulty = -1) {
  const faults = new FaultList();
  const checker = new PartChecker(where, faults);
  events.forEach((event, index) => {
    const commit = { stream: streamId('session', session), version: index + 1, prev: genesisHash, events: [event] };
    checker.take({ position: index + 1, commit: commit as unknown as Commit }, index === faulty);
  });
  return { checked: checker.checked, faults: faults.kept.map(({ code, message }) => `${code} ${message}`) };
}

/** The life with the n-th event of a type changed. */
async function forged(type: string, change: object, number = 0): Promise<Event[]> {
  const events = await life();
  const place = events.flatMap((event, index) => (event.type === type ? [index] : []))[number]!;
  return events.with(place, { ...events[place], ...change } as Event);
}

const signedBy = async (part: Promise<SessionCommand>): Promise<object> => {
  return { signature: ((await part) as unknown as { signature: object }).signature };
};

describe('what nodes have signed of a batched task', () => {
  it('is theirs, and their results are those they are bound to', async () => {
    expect(check(await life())).toEqual({ checked: 6, faults: [] });
  });

  it.each([
    ['a precommit that another has signed', 'TaskPrecommitted', () => signedBy(precommit(alice, mallory))],
    ['another precommit than was signed', 'TaskPrecommitted', async () => ({ hash: bytes32(99) })],
    ['a precommit without a signature', 'TaskPrecommitted', async () => ({ signature: undefined })],
    ['a precommit of who has no place', 'TaskPrecommitted', async () => ({ miner: mallory })],
    ['another result than the miner is bound to', 'TaskCommitted', async () => ({ resultRoot: bytes32(99) })],
    ['a result that nothing shows to be bound', 'TaskCommitted', async () => ({ salt: undefined })],
    ['a result of who has no place', 'TaskCommitted', async () => ({ miner: mallory })],
    ['a verdict that another has signed', 'VerdictSigned', () => signedBy(verdict(vera, mallory))],
    ['a verdict with other counts than were signed', 'VerdictSigned', async () => ({ outputTokens: 10 })],
    ['a verdict for another winner than was signed', 'VerdictSigned', async () => ({ winner: bob })],
    ['a verdict that names strangers', 'VerdictSigned', async () => ({ winner: mallory })],
    ['a signature that is none', 'VerdictSigned', async () => ({ signature: { r: bytes32(0), vs: bytes32(0) } })],
  ])('cannot be made up: %s', async (_, type, change) => {
    const { faults } = check(await forged(type, await change()));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^forged_part session\.\S+@\d+: \S/);
  });

  it('of the second node is checked as that of the first', async () => {
    expect(check(await forged('TaskPrecommitted', await signedBy(precommit(alice)), 1)).faults).toHaveLength(1);
    expect(check(await forged('VerdictSigned', await signedBy(verdict(vera)), 1)).faults).toHaveLength(1);
  });

  it('is not judged after another fault of the session, nor where the deployment is not known', async () => {
    const events = await forged('VerdictSigned', { outputTokens: 10 });
    expect(check(events, deployment, 4)).toEqual({ checked: 0, faults: [] });
    expect(check(events, null)).toEqual({ checked: 0, faults: [] });
  });
});

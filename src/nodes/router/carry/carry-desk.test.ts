import { describe, expect, test } from 'vitest';
import { bytes32, router, session, task } from '../../../../test/actors/chain-facts.ts';
import { accountOfKey, addressOfKey } from '../../../adapters/chain/accounts.ts';
import { isMessageSigned, signMessage } from '../../../adapters/chain/messages.ts';
import { PouwError } from '../../../core/errors.ts';
import { type Address, taskId, toAddress } from '../../../core/ids.ts';
import { precommitHash } from '../../../core/precommit.ts';
import type { CarryBody } from '../../../messages/carry.ts';
import type { ChainCall, Deployment } from '../../../ports/chain.ts';
import type { ChainSlotState, ChainTaskRecord, Outcome } from '../../../ports/queue-messages.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';
import { CarryDesk, type CarryDeskOptions } from './carry-desk.ts';

const deployment = { chainId: 31_337, queue: toAddress(`0x${'99'.repeat(20)}`) } as Deployment;
const keys = [1, 2, 3, 4, 5].map(bytes32);
const [alice, bob, carol, vera, victor] = keys.map(addressOfKey) as [Address, Address, Address, Address, Address];
const keyOf = (node: Address) => accountOfKey(keys[[alice, bob, carol, vera, victor].indexOf(node)]!);
const miners = [alice, bob, carol];
const startMs = 1_700_000_000_000;
const dueBy = startMs + 20_000;
const outcome: Outcome = { winner: 0, honest: 0b111, promptTokens: 4, outputTokens: 16 };

/** What a miner is bound to, and what it shows. */
function work(miner: Address) {
  const resultRoot = bytes32(miners.indexOf(miner) + 100);
  const salt = bytes32(miners.indexOf(miner) + 200);
  const { chainId, queue: queueContract } = deployment;
  const hash = precommitHash({ chainId, queueContract, session, task, step: 0, attempt: 0, miner, resultRoot, salt });
  return { resultRoot, salt, hash, resultDigest: bytes32(300) };
}

async function precommit(miner: Address, signedBy = miner): Promise<CarryBody> {
  const { hash } = work(miner);
  const message = { is: 'Precommit', task, step: 0, attempt: 0, precommit: hash } as const;
  const signature = await signMessage(keyOf(signedBy), deployment, message);
  return { is: 'precommit', session, task, step: 0, attempt: 0, precommit: hash, signature };
}

function reveal(miner: Address, salt = work(miner).salt): CarryBody {
  const { resultRoot, resultDigest } = work(miner);
  return { is: 'reveal', session, task, step: 0, attempt: 0, resultRoot, salt, resultDigest };
}

async function attestation(validator: Address, found = outcome): Promise<CarryBody> {
  const reportDigest = bytes32(400);
  const message = { is: 'Attestation', task, step: 0, outcome: found, reportDigest } as const;
  const signature = await signMessage(keyOf(validator), deployment, message);
  return { is: 'attestation', session, task, step: 0, outcome: found, reportDigest, signature };
}

/** A desk over a task that stands on chain in a state, with a chain that takes or refuses what is sent. */
function desk(
  state: 'executing' | 'precommitted' | 'committed' = 'executing',
  options: Partial<CarryDeskOptions> = {},
) {
  const clock = new VirtualClock({ startMs, settle: () => new Promise((resolve) => void setImmediate(resolve)) });
  const before = { executing: 'acked', precommitted: 'precommitted', committed: 'revealed' } as const;
  const states = new Map<Address, ChainSlotState>(miners.map((miner) => [miner, before[state]]));
  const attested = new Set<Address>();
  const sent: { call: ChainCall; id: string }[] = [];
  const dropped: string[] = [];
  let finality: ChainTaskRecord['finality'] = 'immediate';
  let fails: string | undefined;
  let isEnded = false;
  const record = (): ChainTaskRecord => ({
    session,
    state,
    step: 0,
    submittedBlock: 3,
    router,
    outcome: undefined,
    phaseBy: dueBy,
    finality,
    slots: miners.map((miner) => ({
      miner,
      attempt: 0,
      state: states.get(miner)!,
      dueBy,
      precommit: work(miner).hash,
    })),
    validators: [vera, victor].map((validator) => ({ validator, hasAttested: attested.has(validator) })),
  });
  const chain = {
    deployment,
    task: async () => (isEnded ? undefined : record()),
    isSigned: (...[by, message, signature]: Parameters<CarryDeskOptions['base']['ports']['chain']['isSigned']>) =>
      isMessageSigned(by, deployment, message, signature),
  };
  const base = {
    identity: { role: 'router', address: router },
    ports: { clock, chain, log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } },
    stopping: new AbortController().signal,
    drop: (code: string) => void dropped.push(code),
    send: async (call: ChainCall, id: string) => {
      if (fails !== undefined) throw new PouwError(fails, 'no');
      sent.push({ call, id });
      await clock.sleep(50);
      if (!('carried' in call)) return;
      if (call.call === 'precommitMany') for (const { slot } of call.carried) states.set(miners[slot]!, 'precommitted');
      if (call.call === 'revealMany') for (const { slot } of call.carried) states.set(miners[slot]!, 'revealed');
    },
  } as unknown as CarryDeskOptions['base'];
  const made = new CarryDesk({ base, owns: () => true, manifests: async () => bytes32(500), ...options });
  return {
    take: (from: Address, part: CarryBody) => made.take(from, part),
    made,
    clock,
    sent,
    dropped,
    states,
    attested,
    openWindow: () => (finality = 'appealable'),
    end: () => (isEnded = true),
    fail: (code: string | undefined) => (fails = code),
  };
}

/** The slots of the calls that were sent. */
const slots = (sent: readonly { call: ChainCall }[]) =>
  sent.map(({ call }) =>
    'carried' in call ? call.carried.map((one) => ('slot' in one ? one.slot : one.validator)) : [],
  );

describe('a desk that carries', () => {
  test('precommits posts them in one transaction as soon as all are there', async () => {
    const { take, sent, clock } = desk();
    for (const miner of [carol, alice]) await take(miner, await precommit(miner));
    await clock.advance(100);
    expect(sent).toEqual([]);
    await take(bob, await precommit(bob));
    await clock.advance(100);
    expect(sent.map(({ call }) => call.call)).toEqual(['precommitMany']);
    expect(slots(sent)).toEqual([[0, 1, 2]]);
  });

  test('posts what it has when the time is over: a quarter of what is left', async () => {
    const { take, sent, clock } = desk();
    for (const miner of [alice, bob]) await take(miner, await precommit(miner));
    await clock.advance((dueBy - startMs) / 4 - 1);
    expect(sent).toEqual([]);
    await clock.advance(100);
    expect(slots(sent)).toEqual([[0, 1]]);
    await take(carol, await precommit(carol));
    await clock.advance(100);
    expect(slots(sent)).toEqual([[0, 1], [2]]);
  });

  test('does not wait for who has sent its part itself', async () => {
    const { take, sent, clock, states, made } = desk();
    for (const miner of [alice, bob]) await take(miner, await precommit(miner));
    states.set(carol, 'precommitted');
    made.onFacts([{ type: 'TaskPrecommitted', task } as never]);
    await clock.advance(100);
    expect(slots(sent)).toEqual([[0, 1]]);
  });

  test('leaves out who has sent its part itself meanwhile', async () => {
    const { take, sent, clock, states } = desk();
    for (const miner of [alice, bob]) await take(miner, await precommit(miner));
    states.set(alice, 'precommitted');
    await clock.advance(10_000);
    expect(slots(sent)).toEqual([[1]]);
  });

  test('takes the same part again and posts it once', async () => {
    const { take, sent, clock } = desk();
    for (const miner of [alice, alice, bob, bob, carol, carol, alice]) await take(miner, await precommit(miner));
    await clock.advance(100);
    for (const miner of miners) await take(miner, await precommit(miner));
    await clock.advance(30_000);
    expect(sent).toHaveLength(1);
  });

  test('that could not post forgets, and posts what is brought again under the same effect id', async () => {
    const { take, sent, clock, fail } = desk();
    fail('chain_unreachable');
    for (const miner of miners) await take(miner, await precommit(miner));
    await clock.advance(100);
    fail(undefined);
    for (const miner of miners) await take(miner, await precommit(miner));
    await clock.advance(100);
    const other = desk();
    for (const miner of miners) await other.take(miner, await precommit(miner));
    await other.clock.advance(100);
    expect(sent).toHaveLength(1);
    expect(sent).toEqual(other.sent);
  });

  test('reveals posts them together, each with the preimage of its precommit', async () => {
    const { take, sent, clock } = desk('precommitted');
    for (const miner of miners) await take(miner, reveal(miner));
    await clock.advance(100);
    expect(sent.map(({ call }) => call.call)).toEqual(['revealMany']);
    expect(slots(sent)).toEqual([[0, 1, 2]]);
  });

  test('attestations settles the task with them where more than half agree', async () => {
    const { take, sent, clock, made, end, dropped } = desk('committed');
    expect(await made.settled(task)).toBe(false);
    for (const validator of [victor, vera]) await take(validator, await attestation(validator));
    const settled = made.settled(task);
    await clock.advance(100);
    expect(sent.map(({ call }) => call)).toMatchObject([
      { call: 'settleWith', outcome, carried: [{ validator: 0 }, { validator: 1 }], manifestDigest: bytes32(500) },
    ]);
    expect(await settled).toBe(true);
    // Both bring theirs again until they have seen it, and nothing is amiss.
    end();
    for (const validator of [victor, vera]) await take(validator, await attestation(validator));
    expect(sent).toHaveLength(1);
    expect(dropped).toEqual([]);
  });

  test('attestations settles nothing that may be appealed', async () => {
    const { take, sent, clock, made, openWindow } = desk('committed');
    openWindow();
    for (const validator of [victor, vera]) await take(validator, await attestation(validator));
    const settled = made.settled(task);
    await clock.advance(100);
    expect(sent.map(({ call }) => call)).toMatchObject([
      { call: 'attestMany', outcome, carried: [{ validator: 0 }, { validator: 1 }] },
    ]);
    expect(await settled).toBe(false);
  });

  test('attestations brings each outcome by itself where validators differ, and where the manifest is not known', async () => {
    const { take, sent, clock, made } = desk('committed');
    await take(vera, await attestation(vera));
    await take(victor, await attestation(victor, { ...outcome, honest: 0b011 }));
    await clock.advance(200);
    expect(sent.map(({ call }) => call.call)).toEqual(['attestMany', 'attestMany']);
    expect(slots(sent)).toEqual([[0], [1]]);
    expect(await made.settled(task)).toBe(false);
    const other = desk('committed', { manifests: async () => undefined });
    for (const validator of [vera, victor]) await other.take(validator, await attestation(validator));
    await other.clock.advance(100);
    expect(other.sent.map(({ call }) => call.call)).toEqual(['attestMany']);
  });
});

describe('a desk refuses, with a code, and counts', () => {
  const refused = (code: string) => expect.objectContaining({ code }) as unknown;

  test('what is signed by another, or not at all', async () => {
    const { take, dropped } = desk();
    await expect(take(alice, await precommit(alice, bob))).rejects.toEqual(refused('carry_wrong_signature'));
    const nothing = { r: bytes32(0), vs: bytes32(0) };
    const unsigned = { ...(await precommit(alice)), signature: nothing } as CarryBody;
    await expect(take(alice, unsigned)).rejects.toEqual(refused('carry_wrong_signature'));
    expect(dropped).toEqual(['carry_wrong_signature', 'carry_wrong_signature']);
  });

  test('a signature with the other s, which the contract does not take', async () => {
    const { take } = desk();
    const part = await precommit(alice);
    if (part.is !== 'precommit') throw new Error('not a precommit');
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const vs = BigInt(part.signature.vs);
    const s = order - (vs & ~(1n << 255n));
    const flipped = s | ((vs >> 255n) ^ 1n ? 1n << 255n : 0n);
    const malleable = {
      ...part,
      signature: { r: part.signature.r, vs: `0x${flipped.toString(16).padStart(64, '0')}` },
    };
    await expect(take(alice, malleable as CarryBody)).rejects.toEqual(refused('carry_wrong_signature'));
  });

  test('a result that is not what was precommitted', async () => {
    const { take } = desk('precommitted');
    await expect(take(alice, reveal(alice, bytes32(9)))).rejects.toEqual(refused('carry_wrong_reveal'));
  });

  test('an outcome that the contract would not take', async () => {
    const { take, states } = desk('committed');
    states.set(carol, 'dropped');
    for (const found of [
      outcome,
      { ...outcome, honest: 0 },
      { ...outcome, honest: 0b1011 },
      { ...outcome, honest: 0b011, winner: 2 },
      { ...outcome, honest: 0b011, winner: 3 },
    ])
      await expect(take(vera, await attestation(vera, found))).rejects.toEqual(refused('carry_wrong_outcome'));
    await take(vera, await attestation(vera, { ...outcome, honest: 0b011 }));
  });

  test('who has no part in the task, whose turn it is not, and another session, step or attempt', async () => {
    const { take } = desk();
    for (const [from, part] of [
      [vera, await precommit(alice)],
      [alice, reveal(alice)],
      [vera, await attestation(vera)],
      [alice, { ...(await precommit(alice)), attempt: 1 }],
      [alice, { ...(await precommit(alice)), step: 1 }],
      [alice, { ...(await precommit(alice)), session: '1-00000000-9' }],
    ] as [Address, CarryBody][])
      await expect(take(from, part)).rejects.toEqual(refused('carry_not_expected'));
  });

  test('sessions of others', async () => {
    const { take } = desk('executing', { owns: () => false });
    await expect(take(alice, await precommit(alice))).rejects.toEqual(refused('not_owner'));
  });

  test('more phases than it holds', async () => {
    const { take, clock, sent, states } = desk('executing', { phasesMax: 1 });
    const other = taskId(session, bytes32(2));
    const message = { is: 'Precommit', task: other, step: 0, attempt: 0, precommit: bytes32(7) } as const;
    const signature = await signMessage(keyOf(alice), deployment, message);
    const part = {
      is: 'precommit',
      session,
      task: other,
      step: 0,
      attempt: 0,
      precommit: bytes32(7),
      signature,
    } as const;
    await take(alice, await precommit(alice));
    await expect(take(alice, part)).rejects.toEqual(refused('carry_full'));
    await clock.advance(10_000);
    states.set(alice, 'acked');
    await take(alice, part);
    await clock.advance(10_000);
    expect(sent).toHaveLength(2);
  });
});

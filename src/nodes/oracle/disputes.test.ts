import { beforeEach, describe, expect, test } from 'vitest';
import { pouwError } from '../../../test/features/pouw-error.ts';
import type { Checkpoint, Ruling } from '../../core/checkpoint.ts';
import { PouwError } from '../../core/errors.ts';
import { hashJson } from '../../core/hash.ts';
import { type Address, toAddress } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { oneCor, timesWei, type Wei } from '../../core/wei.ts';
import type { ChainCall } from '../../ports/chain.ts';
import type { PostedCheckpoint, ReputationState } from '../../ports/reputation.ts';
import type { NodeBase } from '../node-base.ts';
import { Disputes } from './disputes.ts';
import type { Verdict } from './own-reading.ts';

const [own, second, third] = ['11', '22', '33'].map((two) => toAddress(`0x${two.repeat(20)}`)) as [
  Address,
  Address,
  Address,
];
const cor = (count: number): Wei => timesWei(oneCor, count);
const checkpoint: Checkpoint = {
  epoch: 7,
  skipped: 0,
  fromPosition: 1,
  toPosition: 9,
  anchorEpoch: 1,
  idleWork: 0,
  nodes: 1,
  revision: 2,
  root: `0x${'33'.repeat(32)}`,
  manifestDigest: `0x${'22'.repeat(32)}`,
};
const found = { checkpoint: { ...checkpoint, root: `0x${'44'.repeat(32)}` as const }, manifest: { v: 1 } };
const isFalse: Verdict = { stands: false, found };
const open: PostedCheckpoint = {
  checkpoint,
  state: 'open',
  endedAt: 0,
  dueAt: 20_000,
  disputer: undefined,
  before: undefined,
};
const disputed: PostedCheckpoint = { ...open, state: 'disputed', disputer: second };
const state = (newest: PostedCheckpoint | undefined, change: Partial<ReputationState> = {}): ReputationState => ({
  at: 1_000,
  endedEpoch: 7,
  endedAt: 0,
  newest,
  revision: 2,
  quorum: 2,
  rulingQuorum: 3,
  disputeMs: 20_000,
  ...change,
});
const all = [own, second, third];

let verdict: Verdict | undefined;
let sent: { readonly call: ChainCall; readonly id: string }[];
let pinned: Json[];
let warned: unknown[];
let money: { heldWei: Wei; allowedWei: Wei; owedWei: Wei; withdrawals: number };
/** What the chain refuses a call with. */
let refusals: Partial<Record<ChainCall['call'], Error>>;
/** Oracles that refuse to sign, and those that answer with another's signature. */
let silent: Address[];
let forging: Address[];
let judged: number;
let chainState: ReputationState;
let disputes: Disputes;

const reverted = new PouwError('chain_reverted', 'NotDisputable', { class: 'conflict' });

beforeEach(() => {
  [verdict, sent, pinned, warned, silent, forging, judged] = [isFalse, [], [], [], [], [], 0];
  money = { heldWei: cor(500), allowedWei: cor(0), owedWei: cor(0), withdrawals: 0 };
  refusals = {};
  chainState = state(disputed);
  const log = {
    info: () => undefined,
    warn: (_: string, fields?: { code?: unknown }) => void warned.push(fields?.code),
  };
  const content = { put: async (value: Json) => void pinned.push(value), flush: async () => undefined };
  const chain = { corBalance: async () => money.heldWei };
  const base = {
    identity: { address: own },
    ports: { log, content, chain },
    send: async (call: ChainCall, id: string) => {
      const refusal = refusals[call.call];
      if (refusal !== undefined) throw refusal;
      sent.push({ call, id });
    },
    ask: async (_role: string, oracle: Address, verb: string, _id: string, body: { ruling: Ruling }) => {
      expect(verb).toBe('sign-ruling');
      if (silent.includes(oracle)) throw new PouwError('ruling_unsure', 'no', { class: 'unavailable' });
      return { signature: signatureOf(forging.includes(oracle) ? third : oracle, body.ruling) };
    },
  };
  const reputation = {
    state: async () => chainState,
    owed: async () => money.owedWei,
    withdrawals: async () => money.withdrawals,
    allowance: async () => money.allowedWei,
    signRuling: async (by: Address, ruling: Ruling) => signatureOf(by, ruling),
    signerOfRuling: async (ruling: Ruling, signature: string) =>
      all.find((oracle) => signatureOf(oracle, ruling) === signature),
  };
  const judge = async () => {
    judged += 1;
    return verdict;
  };
  disputes = new Disputes(base as unknown as NodeBase, reputation as never, { judge } as never);
});

const signatureOf = (by: Address, ruling: Ruling): string => `${by} signs ${JSON.stringify(ruling)}`;
const calls = (): string[] => sent.map(({ call }) => call.call);

describe('an open checkpoint', () => {
  test('is left alone where it stands, cannot be judged, or another one leads', async () => {
    for (const other of [{ stands: true } as const, undefined]) {
      verdict = other;
      expect(await disputes.look(state(open), all, true)).toBeUndefined();
    }
    verdict = isFalse;
    expect(await disputes.look(state(open), all, false)).toBeUndefined();
    expect(await disputes.look(state(open, { at: 10_000 }), all, false), 'half of the time').toBeUndefined();
    expect(sent).toEqual([]);
    expect(judged, 'all judge, so that they know when they are asked').toBe(4);
    expect(await disputes.look(state(open, { at: 10_001 }), all, false)).toBe('disputed');
  });

  test('is disputed with a bond of just what is needed, and what was found is content before', async () => {
    expect(await disputes.look(state(open), all, true)).toBe('disputed');
    const { root } = checkpoint;
    const claim = { v: 1, disputed: { epoch: 7, revision: 2, root }, found: found.checkpoint };
    expect(pinned).toEqual([found.manifest, claim]);
    expect(sent).toEqual([
      {
        call: { call: 'approve', spender: 'reputation', amountWei: cor(100) },
        id: `checkpoint.allow/7.2:${own}:0`,
      },
      {
        call: { call: 'disputeCheckpoint', epoch: 7, claimDigest: `0x${hashJson(claim)}` },
        id: `checkpoint.dispute/7.2:${own}:0`,
      },
    ]);
  });

  test('needs no permission where there is one', async () => {
    money.allowedWei = cor(100);
    expect(await disputes.look(state(open), all, true)).toBe('disputed');
    expect(calls()).toEqual(['disputeCheckpoint']);
  });

  test('is not disputed by who has not the bond, to the wei; it is said once, and done when the bond is there', async () => {
    money.heldWei = (BigInt(cor(100)) - 1n).toString() as Wei;
    for (const _ of [1, 2, 3]) expect(await disputes.look(state(open), all, true)).toBeUndefined();
    expect(warned).toEqual(['dispute_bond_missing']);
    expect([sent, pinned]).toEqual([[], []]);
    money.heldWei = cor(100);
    expect(await disputes.look(state(open), all, true)).toBe('disputed');
  });

  test('is not tried again after the chain has refused it, but the next one is', async () => {
    refusals = { disputeCheckpoint: reverted };
    for (const _ of [1, 2]) expect(await disputes.look(state(open), all, true)).toBeUndefined();
    expect(calls(), 'one permission, one try').toEqual(['approve']);
    expect(warned).toEqual(['chain_reverted']);
    refusals = {};
    const next = { ...open, checkpoint: { ...checkpoint, revision: 3 } };
    expect(await disputes.look(state(next), all, true)).toBe('disputed');
  });

  test('is tried again where the chain could not be reached', async () => {
    refusals = { disputeCheckpoint: new PouwError('chain_unreachable', 'no', { class: 'unavailable' }) };
    await expect(disputes.look(state(open), all, true)).rejects.toEqual(pouwError('chain_unreachable'));
    refusals = {};
    expect(await disputes.look(state(open), all, true)).toBe('disputed');
  });

  test('is left to others by who disputed the one before in vain', async () => {
    const after = { ...open, before: { anchorEpoch: 1, disputer: own } };
    for (const _ of [1, 2]) expect(await disputes.look(state(after), all, true)).toBeUndefined();
    expect(warned).toEqual(['dispute_held_back']);
    const afterOthers = {
      ...open,
      checkpoint: { ...checkpoint, epoch: 8 },
      before: { anchorEpoch: 1, disputer: second },
    };
    expect(await disputes.look(state(afterOthers), all, true)).toBe('disputed');
  });
});

describe('a disputed checkpoint', () => {
  test.each([true, false])(
    'is ruled on by who leads, with the signatures of all who find the same: %s',
    async (stands) => {
      verdict = stands ? { stands: true } : isFalse;
      expect(await disputes.look(state(disputed), all, false)).toBeUndefined();
      expect(await disputes.look(state(disputed), all, true)).toBe('ruled');
      const ruling = { epoch: 7, root: checkpoint.root, revision: 2, stands };
      const signatures = all.map((oracle) => signatureOf(oracle, ruling));
      expect(sent).toEqual([
        { call: { call: 'ruleCheckpoint', epoch: 7, stands, signatures }, id: `checkpoint.rule/7.2:${own}:0` },
      ]);
    },
  );

  test('waits where too few sign, and a signature of somebody else is none', async () => {
    silent = [second];
    expect(await disputes.look(state(disputed), all, true)).toBeUndefined();
    expect(warned).toEqual(['ruling_unsure', undefined]);
    [silent, forging] = [[], [second]];
    expect(await disputes.look(state(disputed), all, true)).toBeUndefined();
    expect(warned.slice(2)).toEqual(['checkpoint_wrong_signature', undefined]);
    expect(await disputes.look(state(disputed, { rulingQuorum: 2 }), all, true)).toBe('ruled');
  });

  test('ends after the time to rule, not before, where nobody can rule', async () => {
    verdict = undefined;
    expect(await disputes.look(state(disputed, { at: 20_000 }), all, true)).toBeUndefined();
    expect(await disputes.look(state(disputed, { at: 20_001 }), all, false)).toBeUndefined();
    expect(await disputes.look(state(disputed, { at: 20_001 }), all, true)).toBe('ended');
    expect(sent).toEqual([{ call: { call: 'endDispute', epoch: 7 }, id: `checkpoint.end/7.2:${own}:0` }]);
  });

  test('is ruled on after the time, too, and ends where the ruling is refused', async () => {
    const late = state(disputed, { at: 20_001 });
    expect(await disputes.look(late, all, true)).toBe('ruled');
    refusals = { ruleCheckpoint: reverted };
    expect(await disputes.look(late, all, true)).toBe('ended');
    refusals = { ruleCheckpoint: new PouwError('chain_unreachable', 'no', { class: 'unavailable' }) };
    await expect(disputes.look(late, all, true)).rejects.toEqual(pouwError('chain_unreachable'));
  });
});

test('nothing is done where there is no checkpoint, or it counts', async () => {
  expect(await disputes.look(state(undefined), all, true)).toBeUndefined();
  expect(await disputes.look(state({ ...open, state: 'final' }), all, true)).toBeUndefined();
  expect([judged, sent]).toEqual([0, []]);
});

describe('a bond that is owed', () => {
  test('is taken under an id that counts those before', async () => {
    expect(await disputes.takeBond()).toBe(false);
    money = { ...money, owedWei: cor(100), withdrawals: 3 };
    expect(await disputes.takeBond()).toBe(true);
    expect(sent).toEqual([{ call: { call: 'withdrawDisputeBond' }, id: `checkpoint.bond/3:${own}:0` }]);
  });

  test('is left for another look where it cannot be taken', async () => {
    money.owedWei = cor(100);
    refusals = { withdrawDisputeBond: reverted };
    expect(await disputes.takeBond()).toBe(false);
    expect(warned).toEqual(['chain_reverted']);
  });
});

describe('a ruling', () => {
  const asked: Ruling = { epoch: 7, root: checkpoint.root, revision: 2, stands: false };

  test('is signed where the same is found', async () => {
    expect(await disputes.sign(asked)).toBe(signatureOf(own, asked));
    verdict = { stands: true };
    expect(await disputes.sign({ ...asked, stands: true })).toBe(signatureOf(own, { ...asked, stands: true }));
  });

  test('is refused where something else is found, or nothing can be', async () => {
    await expect(disputes.sign({ ...asked, stands: true })).rejects.toEqual(pouwError('ruling_differs'));
    verdict = { stands: true };
    await expect(disputes.sign(asked)).rejects.toEqual(pouwError('ruling_differs'));
    verdict = undefined;
    await expect(disputes.sign(asked)).rejects.toEqual(pouwError('ruling_unsure'));
  });

  test('is refused for what is not disputed now', async () => {
    const others = [{ epoch: 6 }, { revision: 1 }, { root: `0x${'55'.repeat(32)}` as const }];
    for (const other of others)
      await expect(disputes.sign({ ...asked, ...other })).rejects.toEqual(pouwError('ruling_not_due'));
    for (const newest of [open, undefined, { ...open, state: 'final' as const }]) {
      chainState = state(newest);
      await expect(disputes.sign(asked)).rejects.toEqual(pouwError('ruling_not_due'));
    }
  });
});

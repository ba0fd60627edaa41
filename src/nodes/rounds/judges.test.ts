import { describe, expect, test } from 'vitest';
import { emptyNetwork, emptyRound, type NetworkContext, type RoundContext } from '../../../actors/network/context.ts';
import { contentCid, cidToDigest } from '../../core/cid.ts';
import type { Folded } from '../../core/fold.ts';
import { keccak256, type Hex } from '../../core/hash.ts';
import { type Address, type Cid, type EffectId, type StreamId, toAddress } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { roundOutcomeDigest } from '../../core/round-outcome.ts';
import type { DatasetContent } from '../../messages/rounds.ts';
import { silentLog } from '../../ports/log.ts';
import { NotYet } from '../../runtime/not-yet.ts';
import type { NodeBase } from '../node-base.ts';
import { RoundJudge } from './judges.ts';
import type { RoundGround } from './round-ground.ts';

const address = (digit: string): Address => toAddress(`0x${digit.repeat(40)}`);
const [vera, victor, walter, stranger] = ['a', 'b', 'c', 'd'].map(address) as [Address, Address, Address, Address];
const validators = [victor, vera, walter];
const deployment = { chainId: 31_337, network: address('9') };
const round = 3;
const context = {
  id: 'network.x:1:0' as EffectId,
  stream: 'network.x' as StreamId,
  signal: new AbortController().signal,
};

const dataset = (more: Partial<DatasetContent> = {}): DatasetContent => ({
  kind: 'dataset',
  v: 1,
  round,
  task: keccak256('round') as DatasetContent['task'],
  topic: contentCid('topic'),
  questions: contentCid('questions'),
  similarityBps: 5_000,
  honest: 0b11,
  rows: [{ question: 'What does tree mean?', answers: [{ miner: stranger, text: 'A plant.' }] }],
  scores: [{ miner: stranger, result: contentCid('answers'), similarityBps: 9_000 }],
  ...more,
});

/** A signature that says whose it is, and of what. */
const signed = (by: Address, digest: Hex) => ({ r: keccak256(`${by}${digest}`), vs: keccak256(digest) });

type Ask = (validator: Address) => unknown;

/** Validators that share content, each with a judgement of its own; questions among them go straight through. */
function bench(ask?: Ask) {
  const kept = new Map<Cid, Json>();
  const sent: { from: Address; call: { call: string; signatures: Hex[] }; id: string }[] = [];
  const judges = new Map<Address, { judge: RoundJudge; tell: (value: string, more: Partial<RoundContext>) => void }>();
  const commands = new Map<Address, (message: { from: Address; body: object }) => Promise<unknown>>();
  let now = 0;
  const put = (value: DatasetContent): Cid => {
    kept.set(contentCid(value), value);
    return contentCid(value);
  };
  for (const own of validators) {
    let state: Folded<NetworkContext> = { value: 'member', context: emptyNetwork };
    const base = {
      identity: { address: own },
      stopping: new AbortController().signal,
      ports: {
        log: silentLog,
        clock: { now: () => now },
        content: { get: async (cid: Cid) => kept.get(cid) },
        chain: {
          deployment,
          signDigest: async (by: Address, digest: Hex) => signed(by, digest),
          signerOf: async (digest: Hex, { r }: { r: Hex }) => validators.find((by) => signed(by, digest).r === r),
        },
      },
      onCommand: (_: string, __: string, ___: unknown, handle: never) => commands.set(own, handle),
      ask: async (_: string, validator: Address, __: string, ___: string, body: object) =>
        ask?.(validator) ?? commands.get(validator)?.({ from: own, body }),
      send: async (call: never, id: string) => void sent.push({ from: own, call, id }),
    } as unknown as NodeBase;
    const ground = {
      base,
      turnMs: 1_000,
      rounds: { quorum: async () => 2 },
      latest: {
        refresh: async () => undefined,
        get state() {
          return state;
        },
      },
    } as unknown as RoundGround;
    const judge = new RoundJudge(ground, {} as never);
    judge.listen();
    const tell = (value: string, more: Partial<RoundContext>): void => {
      const known = { ...emptyRound, round, me: own, as: 'validator', validators, ...more } as const;
      state = { value: 'member', context: { ...emptyNetwork, round: { value, context: known } } };
    };
    judges.set(own, { judge, tell });
  }
  const of = (own: Address) => judges.get(own)!;
  const end = (own: Address, cid: Cid, honest = 0b11) =>
    of(own).judge.endRound({ kind: 'endRound', round, dataset: cid, honest, validators }, context);
  const sign = (own: Address, from: Address, body: object) => commands.get(own)?.({ from, body });
  return { put, of, end, sign, sent, pass: (ms: number) => void (now += ms) };
}

const judged = (cid: Cid, honest = 0b11): Partial<RoundContext> => ({ judgement: { honest, dataset: cid } });

describe('a validator signs', () => {
  test('what it has found itself, for whoever judges the round too', async () => {
    const on = bench();
    const [own, other] = [
      on.put(dataset()),
      on.put(dataset({ scores: [{ ...dataset().scores[0]!, similarityBps: 8_950 }] })),
    ];
    on.of(vera).tell('validating', judged(own));
    const digest = roundOutcomeDigest(deployment.chainId, deployment.network, {
      round,
      datasetDigest: cidToDigest(other),
      honest: 0b11,
    });
    expect(await on.sign(vera, victor, { round, dataset: other, honest: 0b11 })).toEqual({
      signature: signed(vera, digest),
    });
  });

  test('nothing else', async () => {
    const on = bench();
    const [own, wrong] = [on.put(dataset()), on.put(dataset({ honest: 0b01 }))];
    const asked = { round, dataset: own, honest: 0b11 };
    await expect(on.sign(vera, victor, asked)).rejects.toMatchObject({ code: 'round_not_judged' });
    on.of(vera).tell('validating', {});
    await expect(on.sign(vera, victor, asked)).rejects.toMatchObject({ code: 'round_not_judged' });
    on.of(vera).tell('validating', judged(own));
    await expect(on.sign(vera, stranger, asked)).rejects.toMatchObject({ code: 'sender_not_allowed' });
    await expect(on.sign(vera, victor, { ...asked, dataset: wrong, honest: 0b01 })).rejects.toMatchObject({
      code: 'round_differs',
    });
    await expect(on.sign(vera, victor, { ...asked, honest: 0b01 })).rejects.toMatchObject({ code: 'round_differs' });
    on.of(vera).tell('ended', judged(own));
    await expect(on.sign(vera, victor, asked)).rejects.toMatchObject({ code: 'round_not_judged' });
  });
});

describe('a round is ended', () => {
  test('by the first that was drawn, with all signatures in the order of their signers', async () => {
    const on = bench();
    const cid = on.put(dataset());
    for (const own of validators) on.of(own).tell('validating', judged(cid));
    await expect(on.end(vera, cid), 'it is not its turn').rejects.toBeInstanceOf(NotYet);
    expect(on.sent).toEqual([]);
    await expect(on.end(victor, cid)).rejects.toBeInstanceOf(NotYet);
    expect(on.sent).toMatchObject([{ from: victor, call: { call: 'endRound', honest: 0b11 }, id: `${context.id}/1` }]);
    expect(on.sent[0]?.call.signatures).toHaveLength(3);
    on.of(victor).tell('ended', judged(cid));
    await on.end(victor, cid);
    expect(on.sent).toHaveLength(1);
  });

  test('by a quorum once the others were asked often enough, and by the next in turn', async () => {
    const on = bench();
    const cid = on.put(dataset());
    for (const own of [vera, walter]) on.of(own).tell('validating', judged(cid));
    await expect(on.end(vera, cid)).rejects.toBeInstanceOf(NotYet);
    on.pass(1_000);
    for (let asked = 1; asked < 4; asked += 1) await expect(on.end(vera, cid)).rejects.toBeInstanceOf(NotYet);
    expect(on.sent).toEqual([]);
    await expect(on.end(vera, cid)).rejects.toBeInstanceOf(NotYet);
    expect(on.sent).toMatchObject([{ from: vera }]);
    expect(on.sent[0]?.call.signatures).toHaveLength(2);
  });

  test('by nobody with signatures that are not of who was asked', async () => {
    const on = bench(() => ({ signature: signed(stranger, keccak256('other')) }));
    const cid = on.put(dataset());
    on.of(victor).tell('validating', judged(cid));
    for (let asked = 0; asked < 6; asked += 1) await expect(on.end(victor, cid)).rejects.toBeInstanceOf(NotYet);
    expect(on.sent).toEqual([]);
  });
});

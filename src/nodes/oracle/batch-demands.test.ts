import { expect, test } from 'vitest';
import { bytes32, olga, otto, router } from '../../../test/actors/chain-facts.ts';
import type { LeafPlace } from '../../core/batch/check.ts';
import { type BatchFact, batchAnswerS, type BatchOnChain } from '../../core/batch/fact.ts';
import { PouwError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { oneCor, wei } from '../../core/wei.ts';
import { silentLog } from '../../ports/log.ts';
import type { NodeBase } from '../node-base.ts';
import { LeafDemands } from './batch-demands.ts';

type Call = { readonly call: string } & Partial<LeafPlace> & { readonly batch?: number };
const leaves: readonly LeafPlace[] = Array.from({ length: 8 }, (_, position) => ({ kind: 'outcome', position }));
const demandsUntil = 1_000_000;

/** An oracle, the chain that it sees, and what its contract takes. */
function oracle(takes: (call: Call) => boolean = () => true) {
  const sent: Call[] = [];
  const effects: string[] = [];
  const facts: BatchFact[] = [];
  const batches = new Map<number, BatchOnChain>();
  const world = { at: 0, heldWei: oneCor };
  const base = {
    identity: { address: olga },
    ports: {
      clock: { now: () => world.at },
      random: { bytes32: () => bytes32(sent.length) },
      log: silentLog,
      chain: { block: async () => ({ number: 1, at: world.at }), corBalance: async () => world.heldWei },
    },
    send: async (call: Call, effect: string) => {
      effects.push(effect);
      sent.push(call);
      if (!takes(call)) throw new PouwError('chain_reverted', 'The contract says no.');
      const { batch = 0, kind = 'outcome', position = 0 } = call;
      const answerBy = world.at + batchAnswerS * 1_000;
      if (call.call === 'demand') facts.push({ type: 'LeafDemanded', batch, kind, position, asker: olga, answerBy });
    },
  };
  const demands = new LeafDemands(base as unknown as NodeBase);
  const post = (batch: number, state: BatchOnChain['state'] = 'posted'): void =>
    void batches.set(batch, { batch, poster: router, state, header: { demandsUntil } } as BatchOnChain);
  const look = async (): Promise<string[]> => {
    const before = sent.length;
    await demands.look(batches, facts);
    return sent.slice(before).map(({ call }) => call);
  };
  const later = (): void => void (world.at += batchAnswerS * 1_000 + 1);
  return { demands, post, look, later, world, facts, sent, effects };
}

test('one leaf is demanded at a time, and the batch lost where it is not shown', async () => {
  const { demands, post, look, later, sent, effects } = oracle();
  post(1);
  expect(await look()).toEqual([]);
  demands.suspect(1, { leaves, from: 0 });
  expect(await look()).toEqual(['approve', 'demand']);
  expect(await look()).toEqual([]);
  expect(sent[1]).toMatchObject({ batch: 1, kind: 'outcome' });
  expect(effects[0]).toBe(`${effects[1]}/bond`);
  later();
  expect(await look()).toEqual(['proveWithheld']);
  expect(await look()).toEqual([]);
});

test('leaves that are shown are demanded no more, and of one batch only so many', async () => {
  const { demands, post, look, later, sent } = oracle(({ call }) => call !== 'proveWithheld');
  post(1);
  demands.suspect(1, { leaves, from: 0 });
  for (let shown = 0; shown <= limits.batchDemandsMax; shown += 1) {
    await look();
    later();
  }
  const asked = sent.filter(({ call }) => call === 'demand').map(({ position }) => position);
  expect(asked).toHaveLength(limits.batchDemandsMax);
  expect(new Set(asked).size).toBe(limits.batchDemandsMax);
  expect(await look()).toEqual([]);
});

test('of the batches of one poster that stand only so many leaves are demanded within a day', async () => {
  const { demands, post, look, later, sent } = oracle(({ call }) => call !== 'proveWithheld');
  const batches = limits.posterDemandsMax / limits.batchDemandsMax;
  for (let batch = 1; batch <= batches + 1; batch += 1) {
    post(batch);
    demands.suspect(batch, { leaves, from: 0 });
    for (let shown = 0; shown <= limits.batchDemandsMax; shown += 1) {
      await look();
      later();
    }
  }
  expect(sent.filter(({ call }) => call === 'demand')).toHaveLength(limits.posterDemandsMax);
});

test('nothing is demanded before its time, too late, without the deposit, or of a batch that is over', async () => {
  const { demands, post, look, world } = oracle();
  post(1);
  demands.suspect(1, { leaves, from: 5_000 });
  expect(await look()).toEqual([]);
  world.at = 5_000;
  world.heldWei = wei(BigInt(oneCor) - 1n);
  expect(await look()).toEqual([]);
  world.heldWei = oneCor;
  // The contract takes none whose answer could not be challenged any more.
  world.at = demandsUntil * 1_000 - 2 * batchAnswerS * 1_000 - limits.batchLookMs + 1;
  expect(await look()).toEqual([]);
  world.at -= 1;
  expect(await look()).toEqual([]);
  demands.suspect(1, { leaves, from: 0 });
  expect(await look()).toEqual(['approve', 'demand']);
  demands.suspect(2, { leaves, from: 0 });
  post(2, 'final');
  expect(await look()).toEqual([]);
  demands.suspect(3, { leaves, from: 0 });
  post(3);
  demands.clear(3);
  expect(await look()).toEqual([]);
});

test('the deposit comes back where the batch fell by another fault, also after a restart', async () => {
  const { post, look, facts, world } = oracle();
  post(1, 'void');
  post(2);
  facts.push({ type: 'LeafDemanded', batch: 1, kind: 'reveal', position: 3, asker: olga, answerBy: 100 });
  facts.push({ type: 'LeafDemanded', batch: 1, kind: 'reveal', position: 2, asker: otto, answerBy: 100 });
  facts.push({ type: 'LeafDemanded', batch: 2, kind: 'reveal', position: 1, asker: olga, answerBy: 100 });
  world.at = 100;
  expect(await look()).toEqual(['takeBack']);
  world.at = 101;
  expect(await look()).toEqual(['proveWithheld']);
  expect(await look()).toEqual([]);
});

test('the deposit comes back where another one has proven first that a leaf is withheld', async () => {
  const { demands, post, look, later } = oracle(({ call }) => call !== 'proveWithheld');
  post(1);
  demands.suspect(1, { leaves, from: 0 });
  expect(await look()).toEqual(['approve', 'demand']);
  later();
  demands.clear(1);
  expect(await look()).toEqual(['proveWithheld']);
  expect(await look(), 'what the contract refused is not sent again').toEqual([]);
  // Its facts come after what the contract says.
  post(1, 'void');
  expect(await look()).toEqual(['takeBack']);
  expect(await look()).toEqual([]);
});

test('a leaf that somebody else has demanded is left to them, and another one asked for', async () => {
  let refusals = 1;
  const { demands, post, look } = oracle(({ call }) => call !== 'demand' || (refusals -= 1) < 0);
  post(1);
  demands.suspect(1, { leaves, from: 0 });
  expect(await look()).toEqual(['approve', 'demand']);
  expect(await look()).toEqual(['approve', 'demand']);
  expect(await look()).toEqual([]);
});

import { expect, test } from 'vitest';
import type { ScoreResults } from '../../../actors/validator/effects.ts';
import { alice, bob, carol, session, task } from '../../../test/actors/chain-facts.ts';
import { sampleResult } from '../../../test/kit/sample-result.ts';
import { contentCid } from '../../core/cid.ts';
import { PouwError } from '../../core/errors.ts';
import type { Address, Cid } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { resultRoot } from '../../core/precommit.ts';
import { contentWaitMs, scoreResults, type Scores, type ScoringPorts } from './score.ts';

const asked = { kind: 'prompt', v: 1, model: 'm', prompt: 'Hello?' } as const;

/** What a validator makes of results, of which only some can be had. */
function score(
  results: readonly { readonly miner: Address; readonly text: string; readonly tokens?: number[] }[],
  there: readonly Address[],
): Promise<Scores> {
  const made = results.map(({ miner, text, tokens = [1, 2] }) => ({ ...sampleResult(miner, text), tokens }));
  const held = new Map<Cid, Json>(made.map((one) => [contentCid(one), one]));
  for (const { miner, ...rest } of made) if (!there.includes(miner)) held.delete(contentCid({ miner, ...rest }));
  const get = async (cid: Cid): Promise<Json> => {
    const found = held.get(cid);
    if (found === undefined) throw new PouwError('content_not_found', 'Nobody has it.');
    return found;
  };
  const embed = async (_: string, texts: readonly string[]) => ({
    vectors: texts.map((text) => new Float32Array(text === 'other' ? [0, 1] : [1, 0])),
    tokens: 0,
  });
  const inference = { embed, models: () => [] };
  const ports = { content: { get }, clock: { now: () => 0 }, inference, embedder: 'e' } as unknown as ScoringPorts;
  const revealed = made.map((one) => {
    return { miner: one.miner, attempt: 0, resultRoot: resultRoot(one), result: contentCid(one) };
  });
  const request: ScoreResults = {
    kind: 'scoreResults',
    session,
    task,
    prompt: contentCid(asked),
    level: 1,
    attestBy: 0,
    results: revealed,
  };
  return scoreResults(ports, request, new AbortController().signal);
}

const states = ({ results }: Scores): string[] => results.map(({ content }) => content);

test('a result that is gone is known where another of the same root is there', async () => {
  const same = [alice, bob, carol].map((miner) => ({ miner, text: 'same' }));
  const scores = await score(same, [bob]);
  expect(states(scores)).toEqual(['proven', 'matches', 'proven']);
  expect(scores.results.map(({ tokens }) => tokens)).toEqual([2, 2, 2]);
  expect(scores.similarities.flat()).toEqual(Array(9).fill(1));
});

test('a result that is gone and was another is missing, and agrees with nothing', async () => {
  const scores = await score(
    [
      { miner: alice, text: 'other', tokens: [3] },
      { miner: bob, text: 'same' },
    ],
    [bob],
  );
  expect(states(scores)).toEqual(['missing', 'matches']);
  expect(scores.similarities[0]).toEqual([0, 0]);
});

test('results of which none is there are all missing', async () => {
  expect(
    states(
      await score(
        [alice, bob].map((miner) => ({ miner, text: 'same' })),
        [],
      ),
    ),
  ).toEqual(['missing', 'missing']);
});

test('a result has half of the time to the attestations to arrive, and five seconds at least', () => {
  expect(contentWaitMs(61_000, 1_000)).toBe(30_000);
  expect(contentWaitMs(11_002, 1_000)).toBe(5_001);
  expect(contentWaitMs(11_000, 1_000)).toBe(5_000);
  expect(contentWaitMs(0, 1_000)).toBe(5_000);
});

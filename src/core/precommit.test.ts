import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Hex, sha256 } from './hash.ts';
import { sessionId, type TaskId, taskId, toAddress } from './ids.ts';
import { merkleRoot, recordLeaf } from './merkle.ts';
import { precommitHash, resultRoot, samplingSeed, type PrecommitFields } from './precommit.ts';

interface Vector {
  readonly chainId: number;
  readonly queueContract: string;
  readonly sessionNumber: number;
  readonly requestId: Hex;
  readonly task: TaskId;
  readonly step: number;
  readonly attempt: number;
  readonly miner: string;
  readonly resultRoot: Hex;
  readonly salt: Hex;
  readonly hash: Hex;
}

/** The contract is held to the same file by `contracts/test/fuzz/Precommit.t.sol`. */
const file = new URL('../../contracts/test/vectors/precommit.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: readonly Vector[] };

/** The session of a vector; which contract is in the id's name makes no difference to the hash. */
const sessionOf = (vector: Vector) => sessionId(vector.chainId, toAddress(vector.queueContract), vector.sessionNumber);

const fieldsOf = (vector: Vector): PrecommitFields => ({
  ...vector,
  queueContract: toAddress(vector.queueContract),
  session: sessionOf(vector),
  miner: toAddress(vector.miner),
});

const [vector] = vectors as readonly [Vector, ...Vector[]];

test('precommits and task ids are the same on chain and off it', () => {
  expect(vectors).toHaveLength(4);
  for (const each of vectors) {
    expect(taskId(sessionOf(each), each.requestId)).toBe(each.task);
    expect(precommitHash(fieldsOf(each))).toBe(each.hash);
  }
});

test('a precommit binds every field', () => {
  const fields = fieldsOf(vector);
  const other: PrecommitFields = {
    chainId: 1,
    queueContract: toAddress('0x0000000000000000000000000000000000000001'),
    session: sessionId(vector.chainId, fields.queueContract, 2),
    task: vector.hash as TaskId,
    step: 1,
    attempt: 1,
    miner: toAddress('0x0000000000000000000000000000000000000002'),
    resultRoot: vector.hash,
    salt: vector.hash,
  };
  const hashes = (Object.keys(other) as (keyof PrecommitFields)[]).map((name) =>
    precommitHash({ ...fields, [name]: other[name] }),
  );
  expect(new Set([vector.hash, ...hashes]).size).toBe(10);
});

test('a sampling seed differs for every miner and every attempt', () => {
  const { session, task, step, attempt, miner } = fieldsOf(vector);
  const seeds = [
    samplingSeed(session, task, step, attempt, miner),
    samplingSeed(session, task, step, attempt, toAddress('0x0000000000000000000000000000000000000002')),
    samplingSeed(session, task, step, attempt + 1, miner),
    samplingSeed(session, task, step + 1, attempt, miner),
  ];
  expect(new Set(seeds).size).toBe(4);
  expect(samplingSeed(session, task, step, attempt, miner)).toBe(seeds[0]);
});

test('a result is a tree of chunks of 32 tokens and an end', () => {
  const tokens = Array.from({ length: 33 }, (_, index) => index + 7);
  const text = 'words';
  const end = recordLeaf('end', 'stop', 5, 33, sha256(text));
  expect(resultRoot({ tokens, text, finishReason: 'stop', promptTokens: 5, outputTokens: 33 })).toBe(
    merkleRoot([recordLeaf('tokens', 0, ...tokens.slice(0, 32)), recordLeaf('tokens', 32, 39), end]),
  );
  expect(resultRoot({ tokens: [], text, finishReason: 'stop', promptTokens: 5, outputTokens: 33 })).toBe(end);
});

test('another token, text, finish reason or usage is another result', () => {
  const result = {
    tokens: [1, 2, 3],
    text: 'one two three',
    finishReason: 'stop',
    promptTokens: 5,
    outputTokens: 3,
  } as const;
  const roots = [
    result,
    { ...result, tokens: [1, 2, 4] },
    { ...result, tokens: [1, 2] },
    { ...result, text: 'one two four' },
    { ...result, finishReason: 'length' as const },
    { ...result, promptTokens: 6 },
    { ...result, outputTokens: 4 },
  ].map((each) => resultRoot(each));
  expect(new Set(roots).size).toBe(roots.length);
});

import { describe, expect, test } from 'vitest';
import {
  type Commit,
  type CommitDraft,
  type CommitFault,
  checkCommit,
  commitFormat,
  commitHash,
  genesisHash,
  refuseNewerFormat,
  sealCommit,
} from './commit.ts';
import { signerFromSeed } from './ed25519.ts';
import type { Hex } from './hash.ts';
import { streamId, toAddress } from './ids.ts';

const signer = signerFromSeed(new Uint8Array(32).fill(7));
const stranger = signerFromSeed(new Uint8Array(32).fill(8));

const draft: CommitDraft = {
  stream: streamId('session', '31337-abcdef01-1'),
  version: 1,
  at: 1_700_000_000_000,
  author: toAddress(`0x${'ab'.repeat(20)}`),
  cause: 'request 1',
  events: [{ type: 'SessionOpened', deposit: '5' }],
  prev: genesisHash,
};

const first = sealCommit(draft, signer);
const second = sealCommit({ ...draft, version: 2, prev: first.hash, events: [] }, signer);
const nothing = { version: 0, hash: genesisHash };

describe('a sealed commit', () => {
  test('stands, alone and after the one before', () => {
    expect(checkCommit(first, nothing, signer.publicKey)).toBeUndefined();
    expect(checkCommit(second, first, signer.publicKey)).toBeUndefined();
  });

  test('has the current format and a hash that does not depend on the order of members', () => {
    expect(first.v).toBe(commitFormat);
    expect(first.hash).toMatch(/^[0-9a-f]{64}$/);
    const turned = Object.fromEntries(Object.entries(first).toReversed()) as unknown as Commit;
    expect(commitHash(turned)).toBe(first.hash);
  });

  test('has the hash it had in the first release', () => {
    // Golden, computed with another JSON library and SHA-256: if this changes, every log that was ever written fails to verify.
    const atFirst = commitHash({ ...first, v: 1 });
    expect(atFirst).toBe('8f4f388dfcb2d5c414ec96df497557a36e62f28312bfa1952f0568c154527886');
    // Format 2 differs in the number that says so.
    expect(first.hash).toBe('070e230923ca4f1af6614d679c84d448caf3a9e4823f7d1548ac9f0c0de43548');
  });
});

describe('a commit under a lease', () => {
  const fenced = sealCommit({ ...draft, fence: 3 }, signer);

  test('names its fence, and the hash covers it', () => {
    expect(checkCommit(fenced, nothing, signer.publicKey)).toBeUndefined();
    expect(fenced.hash).not.toBe(first.hash);
    expect(checkCommit({ ...fenced, fence: 4 }, nothing, signer.publicKey)).toBe('wrong_hash');
    const { fence: _, ...bare } = fenced;
    expect(checkCommit(bare, nothing, signer.publicKey)).toBe('wrong_hash');
  });

  test('stands under the fence before or a higher one, not under a lower one or none', () => {
    const after = (fence?: number): Commit =>
      sealCommit({ ...draft, version: 2, prev: fenced.hash, ...(fence === undefined ? {} : { fence }) }, signer);
    const previous = { version: 1, hash: fenced.hash, fence: 3 };
    expect(checkCommit(after(3), previous, signer.publicKey)).toBeUndefined();
    expect(checkCommit(after(8), previous, signer.publicKey)).toBeUndefined();
    expect(checkCommit(after(2), previous, signer.publicKey)).toBe('stale_fence');
    expect(checkCommit(after(), previous, signer.publicKey)).toBe('stale_fence');
  });
});

describe('a commit is refused for', () => {
  const changed = (change: Partial<Commit>): Commit => ({ ...first, ...change });
  const cases: readonly [CommitFault, string, Commit, { version: number; hash: string }, Hex | undefined][] = [
    ['newer_format', 'a format to come', changed({ v: commitFormat + 1 }), nothing, signer.publicKey],
    ['wrong_version', 'a gap before it', second, nothing, signer.publicKey],
    ['wrong_version', 'a place that is taken', first, first, signer.publicKey],
    ['broken_chain', 'another history', second, { version: 1, hash: 'f'.repeat(64) }, signer.publicKey],
    [
      'broken_chain',
      'a beginning that is none',
      sealCommit({ ...draft, prev: first.hash }, signer),
      nothing,
      signer.publicKey,
    ],
    ['unknown_author', 'an author without a key', first, nothing, undefined],
    ['wrong_signature', 'the signature of somebody else', sealCommit(draft, stranger), nothing, signer.publicKey],
    ['wrong_signature', 'a signature of another commit', changed({ sig: second.sig }), nothing, signer.publicKey],
    ['wrong_signature', 'a signature that is none', changed({ sig: '' }), nothing, signer.publicKey],
    ['wrong_hash', 'another hash', changed({ hash: second.hash }), nothing, signer.publicKey],
  ];

  test.each(cases)('%s: %s', (fault, _what, commit, previous, key) => {
    expect(checkCommit(commit, previous, key)).toBe(fault);
  });

  test.each<[string, Partial<Commit>]>([
    ['stream', { stream: streamId('session', '31337-abcdef01-2') }],
    ['time', { at: draft.at + 1 }],
    ['author', { author: toAddress(`0x${'ac'.repeat(20)}`) }],
    ['cause', { cause: 'request 2' }],
    ['an event', { events: [{ type: 'SessionOpened', deposit: '6' }] }],
    ['the number of events', { events: [] }],
  ])('wrong_hash where its %s was edited', (_what, change) => {
    expect(checkCommit(changed(change), nothing, signer.publicKey)).toBe('wrong_hash');
  });
});

test('only a newer format is refused on reading, with what to do', () => {
  expect(() => refuseNewerFormat(first)).not.toThrow();
  expect(() => refuseNewerFormat({ ...first, v: commitFormat + 1 })).toThrow(
    expect.objectContaining({ code: 'log_newer_version', class: 'corrupt' }),
  );
});

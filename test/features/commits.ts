import { createHash } from 'node:crypto';
import { type Commit, genesisHash, sealCommit } from '../../src/core/commit.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { type StreamId, streamId, toAddress } from '../../src/core/ids.ts';

const signer = signerFromSeed(createHash('sha256').update('a node of the tests').digest());
const author = toAddress(`0x${'a1'.repeat(20)}`);

/** The public key of the node that writes the commits of the tests. */
export const testNodeKey = signer.publicKey;

/** A stream of the tests. */
export function testStream(key: string | number): StreamId {
  return streamId('session', `31337-abcdef01-${key}`);
}

/** The commit that comes after `previous` in `stream`, with one event that says `note`. */
export function commitAfter(previous: Commit | undefined, stream: StreamId, note = 'noted'): Commit {
  const version = (previous?.version ?? 0) + 1;
  return sealCommit(
    {
      stream,
      version,
      at: 1_700_000_000_000 + version,
      author,
      cause: 'test',
      events: [{ type: 'Noted', note }],
      prev: previous?.hash ?? genesisHash,
    },
    signer,
  );
}

/** The first `count` commits of a stream. */
export function commitChain(stream: StreamId, count: number): Commit[] {
  const chain: Commit[] = [];
  while (chain.length < count) chain.push(commitAfter(chain.at(-1), stream, `event ${chain.length + 1}`));
  return chain;
}

/** Seals a commit again after a change, as a rival with the right key would. */
export function resealed(commit: Commit, change: Partial<Commit>): Commit {
  const { v: _v, hash: _hash, sig: _sig, ...draft } = commit;
  return sealCommit({ ...draft, ...change }, signer);
}

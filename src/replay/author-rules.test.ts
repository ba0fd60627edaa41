import { describe, expect, it } from 'vitest';
import { nodes, type SampleNode } from '../../test/fixtures/signed-log.ts';
import { type Commit, genesisHash, sealCommit } from '../core/commit.ts';
import { streamId } from '../core/ids.ts';
import { CommitChecker } from './check-commits.ts';
import { FaultList } from './fault.ts';
import type { RegisteredKeys } from './source.ts';

const { router, otherRouter, miner } = nodes;
const stream = streamId('session', '31337-abcdef01-1');
const keys: RegisteredKeys = new Map([
  [router.address, { roles: ['router'], key: router.signer.publicKey }],
  [otherRouter.address, { roles: ['router'], key: otherRouter.signer.publicKey }],
  [miner.address, { roles: ['miner'], key: miner.signer.publicKey }],
]);

/** What a commit of the session is made from: its author, the fence it was written under, the routers it names. */
interface Step {
  readonly by: SampleNode;
  readonly fence?: number;
  readonly names?: readonly SampleNode[];
}

/** The codes and versions of what is wrong with a session whose commits are well signed and follow each other. */
function faultsOf(...steps: readonly Step[]): string[] {
  const faults = new FaultList();
  const checker = new CommitChecker(keys, faults);
  let previous: Commit | undefined;
  for (const [index, { by, fence, names }] of steps.entries()) {
    const opened = { type: 'SessionOpened', terms: { routers: names?.map(({ address }) => address) ?? [] } };
    previous = sealCommit(
      {
        stream,
        version: index + 1,
        at: 1,
        author: by.address,
        cause: 'test',
        events: [names === undefined ? { type: 'Noted' } : opened],
        prev: previous?.hash ?? genesisHash,
        ...(fence === undefined ? {} : { fence }),
      },
      by.signer,
    );
    checker.take({ position: index + 1, commit: previous });
  }
  return faults.kept.map(({ code, version }) => `${code}@${version}`);
}

describe('a session is written', () => {
  it('by the routers of its terms, one after the other, each under a fence of its own', () => {
    const names = [router, otherRouter];
    expect(
      faultsOf(
        { by: router, fence: 1, names },
        { by: router, fence: 1 },
        { by: otherRouter, fence: 2 },
        { by: router, fence: 4 },
      ),
    ).toEqual([]);
  });

  it('by no registered router that its terms do not name', () => {
    const opened = { by: router, fence: 1, names: [router] };
    expect(faultsOf(opened, { by: otherRouter, fence: 1 })).toEqual(['forbidden_author@2']);
    expect(faultsOf(opened, { by: otherRouter, fence: 2 })).toEqual(['forbidden_author@2']);
    expect(faultsOf(opened, { by: otherRouter, fence: 2 }, { by: router, fence: 3 })).toEqual(['forbidden_author@2']);
  });

  it('under terms that no later commit changes', () => {
    const opened = { by: router, fence: 1, names: [router] };
    const again = { by: router, fence: 1, names: [router, otherRouter] };
    expect(faultsOf(opened, again, { by: otherRouter, fence: 2 })).toEqual(['forbidden_author@3']);
  });

  it('by a router that its own first commit names', () => {
    expect(faultsOf({ by: otherRouter, fence: 1, names: [router] })).toEqual(['forbidden_author@1']);
  });

  it('by one author under one fence', () => {
    const names = [router, otherRouter];
    const opened = { by: router, fence: 3, names };
    expect(faultsOf(opened, { by: otherRouter, fence: 3 })).toEqual(['shared_fence@2']);
    expect(faultsOf(opened, { by: otherRouter, fence: 3 }, { by: router, fence: 3 })).toEqual(['shared_fence@2']);
    expect(faultsOf({ by: router, names }, { by: otherRouter })).toEqual(['shared_fence@2']);
  });

  it('by nobody who is no router', () => {
    expect(faultsOf({ by: router, fence: 1, names: [router, miner] }, { by: miner, fence: 2 })).toEqual([
      'forbidden_author@2',
    ]);
  });
});

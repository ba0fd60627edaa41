import { describe, expect, it } from 'vitest';
import { nodes, type SampleNode } from '../../test/fixtures/signed-log.ts';
import { type Claim, signClaim } from '../core/claim.ts';
import { genesisHash, sealCommit } from '../core/commit.ts';
import { sessionId, streamId, type TaskId, toAddress } from '../core/ids.ts';
import { CommitChecker } from './check-commits.ts';
import { FaultList } from './fault.ts';
import type { RegisteredKeys } from './source.ts';

const { router, miner, oracle, stranger } = nodes;
const session = sessionId(31_337, toAddress(`0x${'ab'.repeat(20)}`), 1);
const keys: RegisteredKeys = new Map([
  [router.address, { roles: ['router'], key: router.signer.publicKey }],
  [miner.address, { roles: ['miner'], key: miner.signer.publicKey }],
  [oracle.address, { roles: ['oracle'], key: oracle.signer.publicKey }],
]);
const claimOf = ({ address }: SampleNode): Claim => {
  return { session, task: `0x${'1'.repeat(64)}` as TaskId, place: 1, offer: 'o', miner: address };
};

/** What is wrong with a session's commit that holds a claim which was signed so, and is written down so. */
function faultsOf(signed: Claim, by: SampleNode, written: Partial<Claim> = {}): string[] {
  const faults = new FaultList();
  const { session: _, ...claim } = { ...signed, ...written };
  const event = { type: 'OfferClaimed', at: 1, ...claim, signature: signClaim(signed, by.signer) };
  const stream = streamId('session', session);
  const draft = {
    stream,
    version: 1,
    at: 1,
    author: router.address,
    cause: 'test',
    events: [{ type: 'SessionOpened', terms: { routers: [router.address] } }, event],
    prev: genesisHash,
  };
  new CommitChecker(keys, faults).take({ position: 1, commit: sealCommit(draft, router.signer) });
  return faults.kept.map(({ code }) => code);
}

describe('a claim in the log', () => {
  it('is the miner’s own', () => {
    expect(faultsOf(claimOf(miner), miner)).toEqual([]);
  });

  it('cannot be made up by the router that writes the session', () => {
    expect(faultsOf(claimOf(miner), router)).toEqual(['forged_claim']);
  });

  it.each([{ place: 0 }, { offer: 'another' }, { task: `0x${'2'.repeat(64)}` as TaskId }, { miner: stranger.address }])(
    'cannot be moved: %o',
    (written) => {
      expect(faultsOf(claimOf(miner), miner, written)).toEqual(['forged_claim']);
    },
  );

  it('cannot be of another session', () => {
    const other = sessionId(31_337, toAddress(`0x${'ab'.repeat(20)}`), 2);
    expect(faultsOf({ ...claimOf(miner), session: other }, miner)).toEqual(['forged_claim']);
  });

  it('is one of a registered miner', () => {
    expect(faultsOf(claimOf(oracle), oracle)).toEqual(['forged_claim']);
    expect(faultsOf(claimOf(stranger), stranger)).toEqual(['forged_claim']);
  });
});

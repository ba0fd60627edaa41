import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SampleLog, sampleLog } from '../../test/fixtures/signed-log.ts';
import {
  type Anchor,
  type AnchoredHead,
  type AnchorManifest,
  anchorManifest,
  anchorRoot,
  manifestDigest,
} from '../core/anchor.ts';
import { digestToCid } from '../core/cid.ts';
import { type ChainAnchor, withChain } from './source.ts';
import { verifyLog, type VerifyReport } from './verify.ts';

let sample: SampleLog;
beforeAll(async () => {
  sample = await sampleLog();
});
afterAll(() => sample.close());

const elsewhere = `0x${'12'.repeat(32)}` as const;

/** The sample's anchor of an epoch. */
function epoch(number: number): ChainAnchor {
  const anchor = sample.chain.anchors[number - 1];
  if (anchor === undefined) throw new Error(`the sample has no epoch ${number}`);
  return anchor;
}

/** What an anchor after this one builds on. */
function previous(anchor: ChainAnchor): Pick<Anchor, 'cid' | 'root'> {
  return { cid: digestToCid(anchor.manifestDigest), root: anchor.root };
}

function onChain(number: number, { manifest, digest, root }: Anchor): ChainAnchor {
  return { ...epoch(1), epoch: number, manifest, manifestDigest: digest, root };
}

async function codesWith(...anchors: ChainAnchor[]): Promise<string[]> {
  const { faults }: VerifyReport = await verifyLog(withChain(sample.source, { ...sample.chain, anchors }));
  return faults.map(({ code }) => code);
}

describe('anchors', () => {
  it('stand as the chain has them', async () => {
    expect(await codesWith(epoch(1), epoch(2), epoch(3))).toEqual([]);
  });

  it('must have the root that their manifest leads to', async () => {
    expect(await codesWith(epoch(1), epoch(2), { ...epoch(3), root: elsewhere })).toEqual(['anchor_wrong_manifest']);
  });

  it('must have the manifest that the chain names', async () => {
    const anchors = [epoch(1), epoch(2), { ...epoch(3), manifestDigest: elsewhere }] as const;
    expect(await codesWith(...anchors)).toEqual(['anchor_wrong_manifest']);
  });

  it('must have a manifest at all, since what they say is not known otherwise', async () => {
    expect(await codesWith(epoch(1), epoch(2), { ...epoch(3), manifest: null })).toEqual(['anchor_manifest_missing']);
  });

  it('must be there without gaps', async () => {
    expect(await codesWith(epoch(1), epoch(3))).toEqual(['anchor_broken_chain', 'anchor_broken_chain']);
    expect(await codesWith(epoch(2), epoch(3))).toContain('anchor_broken_chain');
  });

  it('must follow an anchor that was there before', async () => {
    const stray = anchorManifest({ cid: digestToCid(elsewhere), root: elsewhere }, [], null);
    expect(await codesWith(epoch(1), onChain(2, stray))).toEqual(['anchor_broken_chain']);
    const rightRootOnly = anchorManifest({ cid: digestToCid(elsewhere), root: epoch(1).root }, [], null);
    expect(await codesWith(epoch(1), onChain(2, rightRootOnly))).toEqual(['anchor_broken_chain']);
  });

  it('must be the first where it follows none', async () => {
    const { manifest } = epoch(1);
    const rootless = { ...(manifest as AnchorManifest), prevRoot: elsewhere };
    const anchor = {
      ...epoch(1),
      manifest: rootless,
      manifestDigest: manifestDigest(rootless),
      root: anchorRoot(rootless),
    };
    expect(await codesWith(anchor)).toEqual(['anchor_broken_chain']);
  });

  it('may fork, for two routers may anchor at once and both follow the same one', async () => {
    const heads = epoch(3).manifest?.heads ?? [];
    const fork = anchorManifest(previous(epoch(1)), heads, null);
    expect(await codesWith(epoch(1), epoch(2), onChain(3, fork))).toEqual([]);
  });

  it('must not name two commits for one version', async () => {
    const heads: AnchoredHead[] = (epoch(1).manifest?.heads ?? []).map(([stream, version]) => [
      stream,
      version,
      'ab'.repeat(32),
    ]);
    const rival = anchorManifest(previous(epoch(1)), heads.slice(0, 1), null);
    expect(await codesWith(epoch(1), onChain(2, rival))).toEqual(['anchor_mismatch']);
  });

  it('must name commits of the log', async () => {
    const [head] = epoch(1).manifest?.heads ?? [];
    const [stream, version] = head as AnchoredHead;
    const changed = anchorManifest(undefined, [[stream, version, 'ab'.repeat(32)]], null);
    expect(await codesWith(onChain(1, changed))).toEqual(['anchor_mismatch']);
    const beyond = anchorManifest(undefined, [[stream, 99, 'ab'.repeat(32)]], null);
    expect(await codesWith(onChain(1, beyond))).toEqual(['tail_cut']);
  });
});

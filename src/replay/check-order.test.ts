import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgedExport, nodes, type SampleLog, sampleLog, seal, streams } from '../../test/fixtures/signed-log.ts';
import { type AnchoredHead, anchorManifest } from '../core/anchor.ts';
import { type AnchoredOrder, anchoredOrder } from '../core/anchored-order.ts';
import { type Commit, genesisHash } from '../core/commit.ts';
import { streamId } from '../core/ids.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { type ChainAnchor, withChain } from './source.ts';
import { verifyLog, type VerifyReport } from './verify.ts';

let sample: SampleLog;
beforeAll(async () => {
  sample = await sampleLog();
});
afterAll(() => sample.close());

const commits = (): Commit[] => sample.stored.map(({ commit }) => commit);
const nameAt = (position: number): { stream: string; version: number } => {
  const { stream, version } = sample.stored[position - 1]?.commit ?? {};
  if (stream === undefined || version === undefined) throw new Error(`nothing is at ${position}`);
  return { stream, version };
};

/** The verification of commits at the positions 1, 2, 3 and so on of a store. */
function verified(all: readonly Commit[], anchors = sample.chain.anchors): Promise<VerifyReport> {
  async function* readAll(): AsyncGenerator<StoredCommit> {
    yield* all.map((commit, index) => ({ position: index + 1, commit }));
  }
  return verifyLog({ ...withChain(sample.source, { ...sample.chain, anchors }), readAll });
}

/** The sample with the commits of two positions exchanged. */
function exchanged(a: number, b: number): Commit[] {
  const all = commits();
  return all.with(a - 1, all[b - 1] as Commit).with(b - 1, all[a - 1] as Commit);
}

const placesOf = ({ faults }: VerifyReport): string[] => faults.map(({ code, position }) => `${code} ${position}`);

describe('commits of two streams that have changed places', () => {
  it('are found and named, within what one anchor covers', async () => {
    const report = await verified(exchanged(6, 7));
    expect(report.first).toMatchObject({ code: 'wrong_position', ...nameAt(7), position: 6 });
    expect(report.first?.message).toContain('was at position 7 when it was anchored');
    expect(placesOf(report)).toEqual(['wrong_position 6', 'wrong_position 7']);
  });

  it('are found across anchors', async () => {
    expect(nameAt(4).stream).not.toBe(nameAt(5).stream);
    const report = await verified(exchanged(4, 5));
    expect(report.first).toMatchObject({ code: 'wrong_position', ...nameAt(5), position: 4 });
    expect(placesOf(report)).toEqual(['wrong_position 4', 'wrong_position 5']);
  });

  it('are found in an export whose header agrees with them', async () => {
    const report = await verifyLog(await forgedExport(exchanged(6, 7), sample.chain));
    expect(report.first).toMatchObject({ code: 'wrong_position', ...nameAt(7), position: 6 });
  });

  it('are not found behind the newest anchor, of which nothing is proved', async () => {
    expect((await verified(exchanged(9, 10))).ok).toBe(false);
    const twoAnchors = sample.chain.anchors.slice(0, 2);
    expect(await verified(exchanged(9, 10), twoAnchors)).toMatchObject({ ok: true, ordered: 8 });
  });

  it('are named before a later fault, and beside an earlier one', async () => {
    const spoil = (position: number): Commit[] => {
      const all = exchanged(6, 7);
      return all.with(position - 1, { ...(all[position - 1] as Commit), at: 1 });
    };
    expect(placesOf(await verified(spoil(10)))).toEqual(['wrong_position 6', 'wrong_position 7', 'wrong_hash 10']);
    expect(placesOf(await verified(spoil(2)))).toEqual(['wrong_hash 2', 'wrong_position 6', 'wrong_position 7']);
  });
});

describe('the positions that the anchors name', () => {
  it('tell where a commit was put in of which no stream knows', async () => {
    const stream = streamId('session', '31337-abcdef01-9');
    const put = seal({ ...(commits()[0] as Commit), stream, version: 1, prev: genesisHash }, nodes.router);
    const report = await verified(commits().toSpliced(4, 0, put));
    expect(report.first).toMatchObject({ code: 'wrong_position', stream, version: 1, position: 5 });
    expect(report.faultCount).toBe(1);
  });

  it('leave the name of a commit that was taken out to the one that misses it', async () => {
    const report = await verified(commits().toSpliced(4, 1));
    const gone = nameAt(5);
    expect(report.first).toMatchObject({ code: 'wrong_version', ...gone });
    expect(report.faults.filter(({ code }) => code === 'wrong_position')).toEqual([
      expect.objectContaining({ stream: null, position: 5 }),
    ]);
  });

  it('name the first commit of a history that was rewritten, not only the one an anchor has as a head', async () => {
    let prev: string | undefined;
    const rewritten = commits().map((commit) => {
      if (commit.stream !== streams.session) return commit;
      const events = [...commit.events.slice(0, -1), { type: 'Noted', note: 'better' }];
      const next = seal({ ...commit, events, prev: prev ?? commit.prev });
      prev = next.hash;
      return next;
    });
    const report = await verified(rewritten);
    expect(report.first).toMatchObject({ code: 'anchor_mismatch', stream: streams.session, version: 1, position: 1 });
  });

  it('say that the log ends too early where the heads do not', async () => {
    const report = await verified([], [onChain(1, [], orderOf(1, 3))]);
    expect(report).toMatchObject({ ordered: 0, faultCount: 1, first: { code: 'tail_cut', position: 1 } });
  });
});

describe('orders of several anchors', () => {
  it('may overlap where they agree', async () => {
    const anchors = [onChain(1, [], orderOf(1, 5)), onChain(2, [], orderOf(3, 9)), onChain(3, [], orderOf(4, 6))];
    expect(await verified(commits(), anchors)).toMatchObject({ ok: true, ordered: 9 });
    expect((await verified(exchanged(6, 7), anchors)).first).toMatchObject({ code: 'wrong_position', position: 6 });
  });

  it('are at fault where they do not', async () => {
    const other = anchoredOrder(3, ['ab'.repeat(32)]);
    const report = await verified(commits(), [onChain(1, [], orderOf(1, 5)), onChain(2, [], other)]);
    expect(report.first).toMatchObject({ code: 'anchor_mismatch', position: 3 });
  });

  it('must leave no position out', async () => {
    const report = await verified(commits(), [onChain(1, [], orderOf(1, 5)), onChain(2, [], orderOf(7, 9))]);
    expect(report).toMatchObject({ ordered: 5, first: { code: 'anchor_broken_chain' } });
  });

  it('are held to their digest, not only to the digits they list', async () => {
    const order = { ...(orderOf(1, 5) as AnchoredOrder), digest: `0x${'12'.repeat(32)}` as const };
    const report = await verified(commits(), [onChain(1, [], order)]);
    expect(report).toMatchObject({ faultCount: 1, first: { code: 'anchor_mismatch', position: 1 } });
    expect(report.first?.message).toContain('positions 1 to 5');
  });
});

/** The order of the sample's commits of some positions. */
function orderOf(from: number, to: number): AnchoredOrder | null {
  return anchoredOrder(
    from,
    commits()
      .slice(from - 1, to)
      .map(({ hash }) => hash),
  );
}

function onChain(epoch: number, heads: readonly AnchoredHead[], order: AnchoredOrder | null): ChainAnchor {
  const { manifest, digest, root } = anchorManifest(undefined, heads, order);
  const [first] = sample.chain.anchors;
  if (first === undefined) throw new Error('the sample has no anchor');
  return { ...first, epoch, manifest, manifestDigest: digest, root };
}

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  exportedLines,
  forgedExport,
  nodes,
  openExport,
  type SampleLog,
  type SampleNode,
  sampleLog,
  seal,
  streams,
  writerOf,
} from '../../test/fixtures/signed-log.ts';
import type { AnchoredHead } from '../core/anchor.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { type Commit, commitHash } from '../core/commit.ts';
import { errorCode } from '../core/errors.ts';
import type { StreamId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { type LogClaims, withChain } from './source.ts';
import { verifyLog, type VerifyReport } from './verify.ts';

let sample: SampleLog;
let lines: string[];
beforeAll(async () => {
  sample = await sampleLog();
  lines = await exportedLines(sample.source);
});
afterAll(() => sample.close());

const codesOf = (report: VerifyReport): string[] => report.faults.map(({ code }) => code);
const nameOf = ({ first }: VerifyReport): string => `${first?.stream}@${first?.version}`;
const commits = (): Commit[] => sample.stored.map(({ commit }) => commit);

function find(stream: StreamId, version: number): StoredCommit {
  const found = sample.stored.find(({ commit }) => commit.stream === stream && commit.version === version);
  if (found === undefined) throw new Error(`the sample has no ${stream}@${version}`);
  return found;
}

/** The export with the line of one commit rewritten, as somebody with an editor would. */
async function edited(stream: StreamId, version: number, change: (commit: Commit) => Commit): Promise<VerifyReport> {
  const { position, commit } = find(stream, version);
  const line = canonicalJson({ commit: change(commit), position });
  return verifyLog(await openExport(lines.with(position, line)));
}

/** All commits with one replaced, under a header that agrees. */
async function forged(stream: StreamId, version: number, change: (commit: Commit) => Commit): Promise<VerifyReport> {
  const { position, commit } = find(stream, version);
  return verifyLog(await forgedExport(commits().with(position - 1, change(commit)), sample.chain));
}

/** A stream rewritten from a version on, every hash and signature made anew: what the writer itself could do. */
function rewritten(stream: StreamId, fromVersion: number, author = writerOf(stream)): Commit[] {
  let prev: string | undefined;
  return commits().map((commit) => {
    if (commit.stream !== stream || commit.version < fromVersion) return commit;
    const events = [{ type: 'Noted', note: 'a better story' }];
    const next = seal({ ...commit, events, prev: prev ?? commit.prev }, author);
    prev = next.hash;
    return next;
  });
}

describe('a sound log', () => {
  const sound = {
    ok: true,
    commits: 14,
    streams: 4,
    events: 30,
    anchors: 3,
    parts: 0,
    ordered: 12,
    first: null,
    faults: [],
    faultCount: 0,
    passedOver: { count: 0, first: [] },
  };

  it('verifies in the store', async () => {
    expect(await verifyLog(sample.source)).toEqual(sound);
  });

  it('verifies as an export, and as the export of an export', async () => {
    const source = await openExport(lines);
    expect(await verifyLog(source)).toEqual(sound);
    expect(await exportedLines(source)).toEqual(lines);
  });

  it('verifies without anchors and with nothing in it', async () => {
    expect((await verifyLog(withChain(sample.source, { ...sample.chain, anchors: [] }))).ok).toBe(true);
    const empty = await verifyLog(await forgedExport([], { ...sample.chain, anchors: [] }));
    expect(empty).toEqual({ ...sound, commits: 0, streams: 0, events: 0, anchors: 0, ordered: 0 });
  });
});

const allBytes = (): Uint8Array => Buffer.from(lines.map((line) => `${line}\n`).join(''));

/** Whether a log with one byte changed is told from a sound one. */
async function detects(bytes: Uint8Array, at: number, to: number): Promise<boolean> {
  const copy = Uint8Array.from(bytes);
  copy[at] = to === copy[at] ? (to + 1) % 256 : to;
  try {
    return !(await verifyLog(await openExport(copy))).ok;
  } catch (error) {
    return ['log_malformed', 'log_newer_version'].includes(errorCode(error));
  }
}

describe('one byte', () => {
  const value = fc.integer({ min: 0, max: 255 });

  it('changed to any other, anywhere in any commit, is detected', async () => {
    const bytes = allBytes();
    const place = fc.integer({ min: Buffer.byteLength(`${lines[0]}\n`), max: bytes.length - 1 });
    await fc.assert(
      fc.asyncProperty(place, value, async (at, to) => {
        expect(await detects(bytes, at, to)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('changed in the header is detected', async () => {
    const bytes = allBytes();
    const place = fc.nat(Buffer.byteLength(lines[0] as string));
    await fc.assert(
      fc.asyncProperty(place, value, async (at, to) => {
        expect(await detects(bytes, at, to)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('changed in a commit names that commit', async () => {
    const { position, commit } = find(streams.session, 2);
    const line = (lines[position] as string).replace('"ratio":0.5', '"ratio":0.7');
    const report = await verifyLog(await openExport(lines.with(position, line)));
    expect(report.first).toMatchObject({ code: 'wrong_hash', stream: commit.stream, version: 2, position });
    expect(report.faultCount).toBe(1);
  });

  it('that makes a line unreadable still names its commit', async () => {
    const { position } = find(streams.miner, 2);
    const line = (lines[position] as string).replace('{', '(');
    const report = await verifyLog(await openExport(lines.with(position, line)));
    expect(report.first).toMatchObject({ code: 'log_malformed', stream: streams.miner, version: 2, position });
    expect(report.first?.message).toContain(`Line ${position + 1} of sample.ndjson`);
  });

  it('changed in the name of the stream names the damaged commit first', async () => {
    const { position, commit } = find(streams.session, 2);
    const line = (lines[position] as string).replace(`"stream":"${commit.stream}","v"`, '"stream":"session.other","v"');
    expect(line).not.toBe(lines[position]);
    const report = await verifyLog(await openExport(lines.with(position, line)));
    expect(report.first).toMatchObject({ code: 'wrong_hash', stream: 'session.other', version: 2, position });
    expect(codesOf(report).slice(0, 2)).toEqual(['wrong_hash', 'wrong_version']);
  });
});

describe('a dropped commit', () => {
  it('is named, in the middle of a stream', async () => {
    const { position } = find(streams.session, 2);
    const report = await verifyLog(await openExport(lines.toSpliced(position, 1)));
    expect(nameOf(report)).toBe(`${streams.session}@2`);
    expect(codesOf(report)).toContain('wrong_position');
    expect(codesOf(report)).toContain('wrong_version');
  });

  it('is named although positions and header were made to fit', async () => {
    const { position } = find(streams.session, 1);
    const report = await verifyLog(await forgedExport(commits().toSpliced(position - 1, 1), sample.chain));
    expect(report.first).toMatchObject({ code: 'wrong_version', stream: streams.session, version: 1 });
  });

  it('is missed by the anchor that names it', async () => {
    const [stream, version] = sample.chain.anchors[0]?.manifest?.heads.find(([one]) => one === streams.session) ?? [];
    expect(version).toBeLessThan(4);
    const kept = commits().filter((commit) => commit.stream !== stream || commit.version !== version);
    const report = await verifyLog(await forgedExport(kept, sample.chain));
    expect(report.faults.find(({ code }) => code === 'anchor_mismatch')).toMatchObject({ stream, version });
  });

  it('does not hide that the one after it was forged', async () => {
    const forgery = commits()
      .filter(({ stream, version }) => stream !== streams.session || version !== 1)
      .map((commit) =>
        commit.stream === streams.session && commit.version === 2 ? { ...commit, sig: '00'.repeat(64) } : commit,
      );
    const report = await verifyLog(await forgedExport(forgery, sample.chain));
    expect(codesOf(report).slice(0, 2)).toEqual(['wrong_version', 'wrong_signature']);
  });

  it('is named at the end of the file', async () => {
    const report = await verifyLog(await openExport(lines.slice(0, -1)));
    expect(report.first).toMatchObject({ code: 'tail_cut', stream: streams.otherSession, version: 5 });
  });
});

const swapped = (a: number, b: number): string[] => lines.with(a, lines[b] as string).with(b, lines[a] as string);

describe('two swapped commits', () => {
  it('are detected within a stream', async () => {
    const [a, b] = [find(streams.session, 1).position, find(streams.session, 2).position];
    const report = await verifyLog(await openExport(swapped(a, b)));
    expect(report.ok).toBe(false);
    expect(report.first?.stream).toBe(streams.session);
  });

  it('are detected across streams, by their positions', async () => {
    const report = await verifyLog(await openExport(swapped(2, 3)));
    expect(report.first).toMatchObject({
      code: 'wrong_position',
      stream: sample.stored[1]?.commit.stream,
      position: 2,
    });
  });

  it('are detected within a stream although positions and header were made to fit', async () => {
    const all = commits();
    const [a, b] = [find(streams.session, 1).position - 1, find(streams.session, 2).position - 1];
    const forgery = all.with(a, all[b] as Commit).with(b, all[a] as Commit);
    const report = await verifyLog(await forgedExport(forgery, sample.chain));
    expect(report.first).toMatchObject({ code: 'wrong_version', stream: streams.session, version: 1 });
  });

  it('are detected when a commit comes twice', async () => {
    const all = commits();
    const report = await verifyLog(await forgedExport([...all, all[0] as Commit], sample.chain));
    expect(report.first).toMatchObject({ code: 'wrong_version', stream: all[0]?.stream, version: 1, position: 15 });
  });
});

describe('a cut tail', () => {
  it('is not hidden by exporting what is left once more', async () => {
    const cut = await openExport(lines.slice(0, -2));
    await expect(exportedLines(cut)).rejects.toMatchObject({ code: 'export_incomplete' });
  });

  it('is detected behind an anchor, whatever the header says, and the first missing commit is named', async () => {
    const kept = commits().filter(({ stream, version }) => stream !== streams.otherSession || version < 2);
    const report = await verifyLog(await forgedExport(kept, sample.chain));
    expect(report.first).toMatchObject({ code: 'tail_cut', stream: streams.otherSession, version: 2 });
    expect(report.first?.message).toContain('version 3 was anchored in epoch 3');
  });

  it('is detected when a whole stream is gone', async () => {
    const kept = commits().filter(({ stream }) => stream !== streams.miner);
    const report = await verifyLog(await forgedExport(kept, sample.chain));
    expect(report.first).toMatchObject({ code: 'tail_cut', stream: streams.miner, version: 1 });
  });

  it('is detected after the last anchor by the header only', async () => {
    const kept = commits().slice(0, -2);
    const cut = lines.slice(0, -2);
    expect((await verifyLog(await openExport(cut))).first).toMatchObject({ code: 'tail_cut', version: 4 });
    expect((await verifyLog(await forgedExport(kept, sample.chain))).ok).toBe(true);
  });
});

const resign = (author: SampleNode) => (commit: Commit) => seal(commit, author);

describe('a forged author', () => {
  it('is detected when only the name was changed', async () => {
    const report = await edited(streams.session, 2, (commit) => ({ ...commit, author: nodes.otherRouter.address }));
    expect(report.first).toMatchObject({ code: 'wrong_hash', stream: streams.session, version: 2 });
  });

  it('is detected when the hash was made to fit but not the signature', async () => {
    const report = await edited(streams.session, 2, (commit) => {
      const content = { ...commit, author: nodes.otherRouter.address };
      return { ...content, hash: commitHash(content) };
    });
    expect(report.first).toMatchObject({ code: 'wrong_signature', stream: streams.session, version: 2 });
  });

  it('is detected when a node that is not registered signed', async () => {
    const report = await forged(streams.session, 2, resign(nodes.stranger));
    expect(report.first).toMatchObject({ code: 'unknown_author', stream: streams.session, version: 2 });
  });

  it('is detected when a registered node signed that may not write the stream', async () => {
    for (const [stream, author] of [
      [streams.session, nodes.miner],
      [streams.session, nodes.oracle],
      [streams.miner, nodes.router],
      [streams.oracle, nodes.miner],
    ] as const) {
      const report = await forged(stream, 2, resign(author));
      expect(report.first, stream).toMatchObject({ code: 'forbidden_author', stream, version: 2 });
    }
  });

  it('is detected by the commit after it when another router signed', async () => {
    const report = await forged(streams.session, 2, resign(nodes.otherRouter));
    expect(codesOf(report)).toContain('broken_chain');
    expect(report.faults.find(({ code }) => code === 'broken_chain')).toMatchObject({
      stream: streams.session,
      version: 3,
    });
  });

  it('is detected when the key of another node was used under the right name', async () => {
    const report = await edited(streams.session, 1, (commit) => ({
      ...commit,
      sig: nodes.miner.signer.sign(commit.hash),
    }));
    expect(report.first).toMatchObject({ code: 'wrong_signature', version: 1 });
  });
});

describe('a rewritten history', () => {
  it('is detected by the anchors although every hash and signature is good', async () => {
    const report = await verifyLog(await forgedExport(rewritten(streams.session, 2), sample.chain));
    expect(report.first).toMatchObject({ code: 'anchor_mismatch', stream: streams.session, version: 2 });
    expect(new Set(codesOf(report))).toEqual(new Set(['anchor_mismatch']));
  });

  it('stands where nothing was anchored yet: an anchor is what makes it final', async () => {
    expect((await verifyLog(await forgedExport(rewritten(streams.otherSession, 4), sample.chain))).ok).toBe(true);
  });

  it('is detected when members were added that the hash does not cover', async () => {
    const report = await edited(streams.session, 1, (commit) => ({ ...commit, approved: true }) as Commit);
    expect(report.first).toMatchObject({ code: 'log_malformed', stream: streams.session, version: 1 });
    const stored = sample.stored.map((one) => ({ ...one, commit: { ...one.commit, approved: true } as Commit }));
    const source = {
      ...sample.source,
      async *readAll() {
        yield* stored;
      },
    };
    const { first } = await verifyLog(source);
    const [head] = stored;
    expect(first).toMatchObject({ code: 'wrong_form', stream: head?.commit.stream, version: 1, position: 1 });
  });
});

describe('the report', () => {
  it('says where the header does not fit', async () => {
    const { claims } = await openExport(lines);
    const messagesFor = async (change: Partial<LogClaims>): Promise<string[]> => {
      const { faults } = await verifyLog({ ...sample.source, claims: { ...(claims as LogClaims), ...change } });
      expect(faults.every(({ code }) => code === 'header_mismatch')).toBe(true);
      return faults.map(({ message }) => message);
    };
    const heads = claims?.heads ?? [];
    const [[stream, version, hash]] = heads as [AnchoredHead];
    const another = `The header has another head of ${stream} than the log.`;
    expect(await messagesFor({})).toEqual([]);
    expect(await messagesFor({ commits: 5 })).toEqual([
      'The header counts 5 commits, the log has 14 up to position 14.',
    ]);
    expect(await messagesFor({ streams: 5 })).toEqual(['The header counts 5 streams, the log has 4.']);
    expect(await messagesFor({ heads: heads.slice(1) })).toHaveLength(1);
    expect(await messagesFor({ heads: heads.with(0, [stream, version, 'ab'.repeat(32)]) })).toEqual([another]);
    expect(await messagesFor({ heads: heads.with(0, [stream, version - 1, hash]) })).toEqual([another]);
  });

  it('lists a bounded number of faults and counts all', async () => {
    const one = commits()[0] as Commit;
    const alone = { ...sample.chain, anchors: [] };
    for (const faults of [limits.logFaultsMax, limits.logFaultsMax + 1]) {
      const many = Array.from({ length: faults }, (_, index) => ({ ...one, version: 1, at: index }));
      const report = await verifyLog(await forgedExport(many, alone));
      expect(report.faults).toHaveLength(limits.logFaultsMax);
      expect(report.faultCount).toBeGreaterThanOrEqual(faults);
    }
  });

  it('throws where the log cannot be read at all', async () => {
    const source = {
      ...sample.source,
      // oxlint-disable-next-line require-yield
      async *readAll(): AsyncGenerator<StoredCommit> {
        throw new Error('disk on fire');
      },
    };
    await expect(verifyLog(source)).rejects.toThrow('disk on fire');
  });
});

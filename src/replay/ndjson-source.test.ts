import { appendFile, open, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  collect,
  exportedLines,
  nodes,
  openExport,
  type SampleLog,
  sampleLog,
  streams,
} from '../../test/fixtures/signed-log.ts';
import { scratchDirectory } from '../../test/features/scratch-directory.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { commitFormat } from '../core/commit.ts';
import { hashJson } from '../core/hash.ts';
import { streamId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { exportLog } from './export.ts';
import { parseHeader } from './log-header.ts';
import { openNdjsonFile } from './ndjson-source.ts';

let sample: SampleLog;
let lines: string[];
beforeAll(async () => {
  sample = await sampleLog();
  lines = await exportedLines(sample.source);
});
afterAll(() => sample.close());

const code = (expected: string): unknown => expect.objectContaining({ name: 'PouwError', code: expected });

async function readThrough(content: readonly string[] | Uint8Array): Promise<StoredCommit[]> {
  return collect((await openExport(content)).readAll());
}

/** The header with something changed and its hash made to fit. */
function resealedHeader(change: Record<string, unknown>): string {
  const { headerHash: _headerHash, ...header } = { ...(JSON.parse(lines[0] as string) as object), ...change } as Record<
    string,
    unknown
  >;
  return canonicalJson({ ...header, headerHash: hashJson(header) });
}

describe('an export', () => {
  it('begins with a header that says what follows', () => {
    const header = parseHeader(lines[0] as string, 'the export');
    expect(header).toMatchObject({ pouw: 'log', v: 2, exportedAt: 1_700_000_100_000, commits: 14, streams: 4 });
    expect(header.deployment).toEqual(sample.chain.deployment);
    expect(header.anchors).toEqual(sample.chain.anchors);
    expect(header.keys[nodes.router.address]).toEqual({ roles: ['router'], key: nodes.router.signer.publicKey });
    expect(header.heads.map(([stream, version]) => `${stream}@${version}`)).toEqual(
      [`${streams.miner}@3`, `${streams.oracle}@2`, `${streams.session}@4`, `${streams.otherSession}@5`].toSorted(),
    );
  });

  it('holds every commit with its position, in the order of the store', async () => {
    expect(lines).toHaveLength(15);
    expect(await readThrough(lines)).toEqual(sample.stored);
  });

  it('leaves out what is appended while it is written', async () => {
    let appended = false;
    const growing = {
      ...sample.source,
      async *readAll() {
        const shown = appended ? sample.stored : sample.stored.slice(0, 9);
        appended = true;
        yield* shown;
      },
    };
    const exported = await collect(exportLog(growing, { exportedAt: 1 }));
    expect(exported).toHaveLength(10);
    expect(parseHeader((exported[0] as string).trimEnd(), 'the export').commits).toBe(9);
  });
});

describe('an exported file as a source', () => {
  it('says what the header says', async () => {
    const source = await openExport(lines);
    expect(source.deployment).toEqual(sample.chain.deployment);
    expect(await source.keys()).toEqual(sample.chain.keys);
    expect(await source.anchors()).toEqual(sample.chain.anchors);
    expect(source.claims).toMatchObject({ commits: 14, streams: 4 });
  });

  it('has the heads and streams that the store has', async () => {
    const source = await openExport(lines);
    expect(await collect(source.heads())).toEqual(await collect(sample.source.heads()));
    for (const stream of [...Object.values(streams), streamId('session', '31337-abcdef01-99')]) {
      for (const options of [{}, { toVersion: 2 }, { toVersion: 99 }]) {
        const read = await collect(source.read(stream, options));
        expect(read).toEqual(await collect(sample.source.read(stream, options)));
      }
    }
  });

  it('is read from a real file, twice if need be, and without a last line end', async () => {
    const scratch = scratchDirectory();
    try {
      await writeFile(scratch.file('log.ndjson'), lines.join('\n'));
      const source = await openNdjsonFile(scratch.file('log.ndjson'));
      for (let time = 0; time < 2; time += 1) expect(await collect(source.readAll())).toEqual(sample.stored);
    } finally {
      scratch.remove();
    }
  });

  it('is not read to its end by who wants its beginning', async () => {
    const scratch = scratchDirectory();
    try {
      const path = scratch.file('log.ndjson');
      await writeFile(path, `${lines.join('\n')}\n`);
      // A gigabyte of nothing, which takes no room on the disk: reading it all would fail, and take seconds.
      const file = await open(path, 'a');
      await file.truncate(1e9);
      await file.close();
      const read = await collect((await openNdjsonFile(path)).read(streams.session, { toVersion: 1 }));
      expect(read).toHaveLength(1);
    } finally {
      scratch.remove();
    }
  });

  it('says log_unreadable where there is no such file', async () => {
    const scratch = scratchDirectory();
    try {
      await expect(openNdjsonFile(scratch.file('none.ndjson'))).rejects.toEqual(code('log_unreadable'));
      await expect(openNdjsonFile(scratch.path)).rejects.toEqual(code('log_unreadable'));
    } finally {
      scratch.remove();
    }
  });
});

describe('a header that is none', () => {
  it('is refused with log_malformed', async () => {
    const wrong: Record<string, string> = {
      empty: '',
      text: 'hello',
      'other JSON': '{}',
      'a commit': lines[1] as string,
      'a space more': (lines[0] as string).replace('{', '{ '),
      'a wrong hash': (lines[0] as string).replace('"commits":14', '"commits":13'),
      'a member more': resealedHeader({ more: 1 }),
      'a wrong count': resealedHeader({ commits: -1 }),
      'a wrong head': resealedHeader({ heads: [['session.a', 0, 'ab']] }),
      'a wrong key': resealedHeader({
        keys: { [nodes.miner.address]: { roles: ['king'], key: nodes.miner.signer.publicKey } },
      }),
      'a wrong anchor': resealedHeader({ anchors: [{ ...sample.chain.anchors[0], root: '0x' }] }),
      'a wrong deployment': resealedHeader({ deployment: { chainId: 1 } }),
    };
    for (const [name, header] of Object.entries(wrong)) {
      await expect(openExport([header, ...lines.slice(1)]), name).rejects.toEqual(code('log_malformed'));
    }
    await expect(openExport(new Uint8Array())).rejects.toEqual(code('log_malformed'));
  });

  it('is refused with log_newer_version where a newer pouw wrote it', async () => {
    await expect(openExport([resealedHeader({ v: 3, more: 'things' })])).rejects.toEqual(code('log_newer_version'));
  });
});

describe('a line that is none', () => {
  const [position, stream] = [2, streams.miner];
  const line = (): string => lines[position] as string;
  const reading = (text: string): Promise<unknown> =>
    readThrough(lines.with(position, text)).catch((error: unknown) => error);

  const nested = (depth: number): string =>
    line().replace('"deep":[]', `"deep":${'['.repeat(depth)}${']'.repeat(depth)}`);

  it('is refused with log_malformed, its number, and the commit it was', async () => {
    const wrong: Record<string, string> = {
      'cut off': line().slice(0, -1),
      'a space more': `${line()} `,
      'a member more': line().replace('"position"', '"more":1,"position"'),
      'members in another order': line().replace(
        /^\{"commit":(.*),"position":(\d+)\}$/s,
        '{"position":$2,"commit":$1}',
      ),
      'another spelling of a number': line().replace('"ratio":0.5', '"ratio":5e-1'),
      'another spelling of a text': line().replace('Noted', 'Note\\u0064'),
      'half a character': line().replace('Noted', 'Note\\ud800'),
      'a number no double holds': line().replace('"ratio":0.5', '"ratio":1e999'),
      'no events': line().replace(/"events":\[.*\],"hash"/s, '"events":[],"hash"'),
      'an author in capitals': line().replace(/"author":"0x[0-9a-f]{40}"/, (author) =>
        author.toUpperCase().replace('AUTHOR', 'author'),
      ),
    };
    for (const [name, text] of Object.entries(wrong)) {
      expect(text, name).not.toBe(line());
      const error = await reading(text);
      expect(error, name).toMatchObject({ code: 'log_malformed', details: { line: position + 1, stream, version: 1 } });
    }
    expect(await reading('')).toMatchObject({ code: 'log_malformed', details: { line: position + 1 } });
  });

  it('is refused where it is not UTF-8, even where U+FFFD would be in its place', async () => {
    const text = lines.map((one) => `${one}\n`).join('');
    const bytes = Buffer.from(text);
    const replacement = bytes.lastIndexOf('\uFFFD');
    expect(replacement).toBeGreaterThan(0);
    // F0 BF BD before ASCII decodes to one U+FFFD where decoding is lenient.
    bytes[replacement] = 0xf0;
    expect(bytes.toString()).toBe(text);
    await expect(readThrough(bytes)).rejects.toEqual(code('log_malformed'));
  });

  it('is refused with log_newer_version where a newer pouw wrote the commit', async () => {
    const newer = line()
      .replace(`"v":${commitFormat},`, `"v":${commitFormat + 1},`)
      .replace('"version":1}', '"version":1,"witness":"x"}');
    expect(newer).not.toBe(line());
    expect(await reading(newer)).toMatchObject({ code: 'log_newer_version' });
  });

  it('is refused where it is nested beyond the limit, and taken at it', async () => {
    // The commit, its events, the event, its parts, the part: five levels around `deep`.
    expect(await reading(nested(limits.logJsonDepthMax - 5))).toHaveLength(14);
    expect(await reading(nested(limits.logJsonDepthMax - 4))).toMatchObject({ code: 'log_malformed' });
    expect(await reading(nested(100_000))).toMatchObject({ code: 'log_malformed' });
  });

  it('is refused where it is longer than the limit', async () => {
    const scratch = scratchDirectory();
    try {
      const path = scratch.file('long.ndjson');
      await writeFile(path, `${lines[0]}\n`);
      await appendFile(path, 'x'.repeat(limits.logLineBytesMax + 1));
      const read = collect((await openNdjsonFile(path)).readAll());
      await expect(read).rejects.toMatchObject({
        code: 'log_malformed',
        why: `It is longer than ${limits.logLineBytesMax} bytes.`,
      });
    } finally {
      scratch.remove();
    }
  });
});

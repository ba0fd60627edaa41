import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Command, CommanderError } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ScratchDirectory, scratchDirectory } from '../../test/features/scratch-directory.ts';
import { exportedLines, type SampleLog, sampleLog, streams } from '../../test/fixtures/signed-log.ts';
import { PouwError } from '../core/errors.ts';
import { hashJson } from '../core/hash.ts';
import { logCommand } from './log-command.ts';
import { replayCommand } from './replay-command.ts';
import { WrongUsage } from './report-error.ts';

const session = streams.session.slice('session.'.length);
let scratch: ScratchDirectory;
let sample: SampleLog;
let directory: string;
let exported: string;

beforeAll(async () => {
  scratch = scratchDirectory();
  directory = scratch.file('data');
  exported = scratch.file('log.ndjson');
  mkdirSync(directory);
  // Types that a session knows, though none that it takes before it is opened: replay refuses those it does not know.
  sample = await sampleLog(scratch.file('data/log.sqlite'), ['TaskPrecommitted', 'TaskAcked']);
  writeFileSync(exported, `${(await exportedLines(sample.source)).join('\n')}\n`);
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

afterAll(async () => {
  await sample.close();
  scratch.remove();
});

/** Runs a command in this process; answers with what it printed to standard output. */
async function run(...args: string[]): Promise<string> {
  let printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const program = new Command().addCommand(logCommand()).addCommand(replayCommand().exitOverride()).exitOverride();
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    vi.restoreAllMocks();
  }
  return printed;
}

/** The code of the error that a command ends with: ours, or commander's for wrong usage. */
async function refusal(...args: string[]): Promise<string> {
  try {
    return `no error, but: ${await run(...args)}`;
  } catch (error) {
    if (error instanceof PouwError || error instanceof CommanderError) return error.code;
    if (error instanceof WrongUsage) return `wrong usage: ${error.cause.code}`;
    throw error;
  }
}

describe('log list and show', () => {
  it('read a data directory while somebody writes to it, and an export, alike', async () => {
    const list = await run('log', 'list', directory);
    expect(
      list
        .split('\n')
        .slice(2, 6)
        .map((line) => line.split(/ +/).slice(0, 5)),
    ).toEqual([
      [streams.miner, 'miner', '3', '6', 'TaskAcked'],
      [streams.oracle, 'oracle', '2', '4', 'TaskAcked'],
      [streams.session, 'session', '4', '9', 'TaskAcked'],
      [streams.otherSession, 'session', '5', '11', 'TaskAcked'],
    ]);
    expect(await run('log', 'list', exported)).toBe(list);
  });

  it('show all sessions, under a heading wherever another one goes on', async () => {
    const lines = (await run('log', 'show', directory)).trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('  '))).toHaveLength(20);
    const headings = lines.filter((line) => line.startsWith('session.'));
    expect(headings.slice(0, 3)).toEqual([streams.session, streams.otherSession, streams.session]);
  });

  it('say that a log is empty or has no sessions', async () => {
    const empty = scratch.file('empty.sqlite');
    const database = new DatabaseSync(scratch.file('data/log.sqlite'), { readOnly: true });
    database.exec(`VACUUM INTO '${empty}'`);
    database.close();
    const copy = new DatabaseSync(empty);
    copy.exec('DELETE FROM commits; DELETE FROM streams');
    copy.close();
    expect(await run('log', 'list', empty)).toBe('The log is empty.\n');
    expect(await run('log', 'show', empty)).toBe('The log has no sessions.\n');
    expect(await run('replay', empty)).toBe('The log has no sessions.\n');
  });
});

describe('log verify', () => {
  it('reports how much is anchored, and checks an older export up to an epoch', async () => {
    const report = JSON.parse(await run('log', 'verify', exported, '--json')) as object;
    expect(report).toMatchObject({
      ok: true,
      source: exported,
      against: { kind: 'header' },
      epoch: 3,
      anchored: 12,
      ordered: 12,
    });
    const older = JSON.parse(await run('log', 'verify', exported, '--epoch', '1', '--json')) as object;
    expect(older).toMatchObject({ ok: true, epoch: 1, anchored: 4, ordered: 4 });
    expect(await run('log', 'verify', exported)).toContain(
      'epoch 3: the last 2 commits could be cut off or reordered unnoticed',
    );
    expect(process.exitCode).toBeUndefined();
  });

  it('ends with exit code 1 and lists further faults where something is wrong', async () => {
    const bad = scratch.file('bad.ndjson');
    const text = readFileSync(exported, 'utf8').replaceAll('"ratio":0.5', '"ratio":0.6');
    writeFileSync(bad, text);
    const report = await run('log', 'verify', bad);
    expect(report).toMatch(
      /^BAD: 14 faults\.\nfirst bad commit {2}session\.31337-abcdef01-1@1, position 1\n {2}wrong_hash: /m,
    );
    expect(report).toMatch(/and 3 more\n$/);
    expect(process.exitCode).toBe(1);
  });

  it('reports a log that cannot be opened in the same form', async () => {
    const bad = scratch.file('header.ndjson');
    writeFileSync(bad, readFileSync(exported, 'utf8').replace('"commits":14', '"commits":15'));
    const report = JSON.parse(await run('log', 'verify', bad, '--json')) as object;
    expect(report).toMatchObject({ ok: false, first: { code: 'log_malformed', stream: null }, faultCount: 1 });
    expect(process.exitCode).toBe(1);
  });
});

describe('replay', () => {
  it('prints one object per session, or the one that is named', async () => {
    const all = (await run('replay', exported, '--json')).trimEnd().split('\n');
    const [first] = all.map((line) => JSON.parse(line) as { stream: string; stateHash: string; state: unknown });
    expect(all).toHaveLength(2);
    expect(first?.stream).toBe(streams.session);
    expect(hashJson(first?.state)).toBe(first?.stateHash);
    expect(await run('replay', directory, '--session', session, '--json')).toBe(`${all[0]}\n`);
    const third = JSON.parse(await run('replay', directory, '--session', session, '--at', '3', '--json')) as object;
    expect(third).toMatchObject({ stream: streams.session, version: 3 });
  });
});

describe('wrong arguments', () => {
  it('are refused as wrong usage', async () => {
    expect(await refusal('log', 'verify')).toBe('commander.missingArgument');
    expect(await refusal('log', 'nonsense', directory)).toBe('commander.unknownCommand');
    expect(await refusal('log', 'list', directory, '--nonsense')).toBe('commander.unknownOption');
    expect(await refusal('log', 'verify', exported, '--rpc', 'nonsense')).toBe('commander.invalidArgument');
    expect(await refusal('log', 'verify', exported, '--epoch', '0')).toBe('commander.invalidArgument');
    expect(await refusal('replay', exported, '--session', session, '--at', '-1')).toBe('commander.invalidArgument');
    const both = ['--session', session, '--stream', streams.miner];
    expect(await refusal('log', 'show', exported, ...both)).toBe('commander.conflictingOption');
    expect(await refusal('replay', exported, ...both)).toBe('commander.conflictingOption');
    expect(await refusal('replay', exported, '--at', '3')).toBe('wrong usage: version_without_stream');
  });

  it('are refused where there is no log', async () => {
    expect(await refusal('log', 'list', scratch.file('nothing'))).toBe('log_not_found');
    expect(await refusal('log', 'list', scratch.file('log.ndjson/nothing'))).toBe('log_not_found');
    mkdirSync(scratch.file('folder'));
    expect(await refusal('replay', scratch.file('folder'))).toBe('log_not_found');
    writeFileSync(scratch.file('text.md'), '# Not a log');
    expect(await refusal('log', 'show', scratch.file('text.md'))).toBe('not_a_log');
    writeFileSync(scratch.file('empty'), '');
    expect(await refusal('log', 'show', scratch.file('empty'))).toBe('not_a_log');
    writeFileSync(scratch.file('some.json'), '{"name":"not a log"}');
    expect(await refusal('log', 'show', scratch.file('some.json'))).toBe('log_malformed');
  });

  it('are refused for sessions, streams and versions that are not there', async () => {
    for (const source of [directory, exported]) {
      expect(await refusal('replay', source, '--session', '31337-abcdef01-999')).toBe('session_not_found');
      expect(await refusal('log', 'show', source, '--session', '31337-abcdef01-999')).toBe('session_not_found');
      expect(await refusal('log', 'show', source, '--session', 'no session')).toBe('session_not_found');
      expect(await refusal('log', 'show', source, '--stream', 'session.nothing')).toBe('session_not_found');
      expect(await refusal('log', 'show', source, '--stream', 'no.stream')).toBe('stream_not_found');
      expect(await refusal('replay', source, '--stream', 'miner.nobody')).toBe('stream_not_found');
      expect(await refusal('replay', source, '--session', session, '--at', '0')).toBe('version_not_found');
      expect(await refusal('replay', source, '--session', session, '--at', '5')).toBe('version_not_found');
    }
  });

  it('are refused where the log does not say on which chain it was anchored', async () => {
    expect(await refusal('log', 'verify', directory)).toBe('deployment_unknown');
    expect(await refusal('log', 'verify', directory, '--rpc', 'http://127.0.0.1:9')).toBe('deployment_unknown');
    expect(await refusal('log', 'export', directory)).toBe('deployment_unknown');
  });
});

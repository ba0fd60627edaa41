import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { sessionActor } from '../../actors/session/definition.ts';
import { commitFormat, commitHash } from '../../src/core/commit.ts';
import { hashJson } from '../../src/core/hash.ts';
import { repository } from '../kit/pouw-process.ts';
import type { StoppedNetwork } from '../kit/stopped-network.ts';
import { tamperableDatabase, tamperableFile } from '../kit/tamper.ts';

type Network = () => StoppedNetwork;

/** What `log list` shows. */
export function listChecks(on: Network): void {
  it('shows every stream with its kind, versions, last event and time', async () => {
    const { commands, data, exported, stream, states } = on();
    const { stdout } = await commands.run('log', 'list', data);
    const version = states.get(stream)?.version;
    expect(stdout).toMatch(/^stream +kind +versions +events +last event +time \(UTC\)$/m);
    const row = new RegExp(`^${stream} +session +${version} +\\d+ +TaskSettled +\\d{4}-\\d\\d-\\d\\d [\\d:.]+$`, 'm');
    expect(stdout).toMatch(row);
    expect((await commands.run('log', 'list', exported)).stdout).toBe(stdout);
  });

  it('gives the same as one JSON object', async () => {
    const { commands, data, stream, states } = on();
    const { report } = await commands.json('log', 'list', data);
    expect(report['source']).toBe(data);
    expect(report['streams']).toHaveLength(13);
    const session = { stream, kind: 'session', versions: states.get(stream)?.version, lastEvent: 'TaskSettled' };
    expect(report['streams']).toContainEqual(expect.objectContaining(session));
  });
}

/** What `log show` shows. */
export function showChecks(on: Network): void {
  it('shows the history of a session, one line per event', async () => {
    const { commands, data, exported, session, stream } = on();
    const { stdout } = await commands.run('log', 'show', data, '--session', session);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe(stream);
    expect(lines[1]).toMatch(/^ {2}\d{4}-\d\d-\d\d [\d:.]+ {2}v1 +SessionOpened .*client=0x/);
    expect(
      lines.filter((line) => / TaskSettled +task=0x.* price=[\d.]+ COR .* seen=block \d+$/.test(line)),
    ).toHaveLength(3);
    // One session: all sessions are the same as that one.
    expect((await commands.run('log', 'show', exported)).stdout).toBe(stdout);
  });

  it('gives whole events as NDJSON', async () => {
    const { commands, data, stream } = on();
    const { stdout } = await commands.run('log', 'show', data, '--stream', stream, '--json');
    const entries = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const commits = tamperableDatabase(data)
      .commits()
      .filter(({ commit }) => commit.stream === stream);
    expect(entries).toEqual(
      commits.flatMap(({ position, commit: { version, at, author, cause, events } }) =>
        events.map((event) => ({ position, stream, version, at, author, cause, event })),
      ),
    );
  });

  it('ends without a word when its reader has enough', async () => {
    const { data } = on();
    const command = 'set -o pipefail; "$NODE" bin/pouw.js log show "$DATA" --json | head -c 10';
    const env = { ...process.env, NODE: process.execPath, DATA: data };
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', command], { cwd: repository, env });
    expect([stdout, stderr]).toEqual(['{"position', '']);
  });
}

/** What `log export` writes. */
export function exportChecks(on: Network): void {
  it('writes the same to standard output as to a file, but for the time in the header', async () => {
    const { commands, data, exported } = on();
    const { stdout } = await commands.run('log', 'export', data);
    const [header, ...commits] = stdout.split('\n');
    const [fileHeader, ...fileCommits] = readFileSync(exported, 'utf8').split('\n');
    expect(commits).toEqual(fileCommits);
    const facts = (line = ''): object => ({ ...(JSON.parse(line) as object), exportedAt: 0, headerHash: '' });
    expect(facts(header)).toEqual(facts(fileHeader));
  });

  it('exports an export byte for byte', async () => {
    const { commands, exported } = on();
    const { stdout } = await commands.run('log', 'export', exported);
    expect(stdout).toBe(readFileSync(exported, 'utf8'));
  });

  it('leaves the old file where the new one cannot be made whole', async () => {
    const { commands, data, copyExport } = on();
    const file = copyExport();
    const log = tamperableFile(file);
    const [, second] = log.commits();
    if (second === undefined) throw new Error('the log has no second commit');
    log.flipByteIn(second);
    const before = readFileSync(file);
    const broken = on().copyExport();
    writeFileSync(broken, `${readFileSync(broken, 'utf8')}{"no":"commit"}\n`);
    const { code, stderr } = await commands.run('log', 'export', broken, '--out', file);
    expect(stderr).toMatch(/^error log_malformed: /);
    expect(code).toBe(1);
    expect(readFileSync(file)).toEqual(before);
    const nowhere = await commands.run('log', 'export', data, '--out', join(dirname(file), 'no', 'log.ndjson'));
    expect(nowhere.stderr).toMatch(/^error file_unwritable: /);
    expect(nowhere.code).toBe(1);
  });
}

/** What `replay` folds. */
export function replayChecks(on: Network): void {
  it('leads to the state that the live router had', () => {
    const { afterFirstTask, stream, live } = on();
    const { state, ...rest } = live.replay.report;
    expect(rest).toEqual({ stream, ...afterFirstTask });
    expect(hashJson(state)).toBe(afterFirstTask.stateHash);
  });

  it('leads to the last live state of every kind of actor', async () => {
    const { commands, data, states } = on();
    for (const [stream, last] of states) {
      // The end of the network was logged after the look, so the log may go on: at the version that was seen.
      const { report } = await commands.json('replay', data, '--stream', stream, '--at', String(last.version));
      expect(report, stream).toMatchObject({ stream, ...last });
    }
  });

  it('stops at a version', async () => {
    const { commands, exported, session, afterFirstTask } = on();
    const at = String(afterFirstTask.version);
    const { report } = await commands.json('replay', exported, '--session', session, '--at', at);
    expect(report).toMatchObject({ ...afterFirstTask });
    const first = await commands.json('replay', exported, '--session', session, '--at', '1');
    expect(first.report).toMatchObject({ version: 1, state: { value: 'opening' } });
    expect(first.report['stateHash']).not.toBe(hashJson(sessionActor.fold.initial));
  });

  it('tells a person how every session stands', async () => {
    const { commands, data, stream, states } = on();
    const { stdout } = await commands.run('replay', data);
    expect(stdout).toMatch(new RegExp(`^${stream}@${states.get(stream)?.version}$`, 'm'));
    expect(stdout).toMatch(/^ {2}tasks +3 submitted, 3 settled, 0 refunded, 0 unfinished$/m);
    expect(stdout).toContain(`state hash  ${states.get(stream)?.stateHash}`);
  });
}

/** Errors that need a real network's data, each with its code; `src/cli/log-command.test.ts` has the others. */
export function badInputChecks(on: Network): void {
  const refusal = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await on().commands.run(...args);
    expect([code, stdout], stderr).toEqual([1, '']);
    return stderr;
  };

  it('is refused where the database is not a log', async () => {
    expect(await refusal('log', 'verify', join(on().data, 'pins.db'))).toMatch(/^error log_corrupt: /);
  });

  it('is refused where the log is of a newer version', async () => {
    const path = on().copyData();
    const database = new DatabaseSync(join(path, 'log.sqlite'));
    database.exec('PRAGMA user_version = 99');
    database.close();
    const newer = /^error log_newer_version: [\s\S]*next: Run the newer version/;
    expect(await refusal('log', 'verify', path)).toMatch(newer);
    expect(await refusal('start', '--json', '--port', '0', '--data', path)).toMatch(newer);
    const file = on().copyExport();
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"v":2}\n/, '"v":3}\n'));
    expect(await refusal('replay', file)).toMatch(newer);
  });

  it('is refused by every command where a commit in it is of a newer version', async () => {
    const { commands, copyData, stream } = on();
    const path = copyData();
    const log = tamperableDatabase(path);
    const last = log.commits().findLast(({ commit }) => commit.stream === stream);
    if (last === undefined) throw new Error('the session has no commit');
    const next = { ...last.commit, v: commitFormat + 1 };
    log.replace(last, { ...next, hash: commitHash(next) });
    const newer = new RegExp(
      `^error log_newer_version: Commit ${stream}@${last.commit.version} has format ${commitFormat + 1}, `,
    );
    for (const command of [['log', 'list'], ['log', 'show'], ['log', 'export'], ['replay']])
      expect(await refusal(...command, path), command.join(' ')).toMatch(newer);
    const { code, report } = await commands.json('log', 'verify', path);
    expect([code, report['first']]).toMatchObject([1, { code: 'log_newer_version', stream }]);
    expect(await refusal('start', '--json', '--port', '0', '--data', path)).toMatch(newer);
  });

  it('is refused where a commit to be folded is damaged', async () => {
    const { copyData, stream } = on();
    const path = copyData();
    const log = tamperableDatabase(path);
    const bad = log.commits().find(({ commit }) => commit.stream === stream && commit.version === 5);
    if (bad === undefined) throw new Error('the session has no fifth commit');
    log.flipByteIn(bad);
    expect(await refusal('replay', path)).toMatch(/^error commit_damaged: .*position/);
  });

  it('is refused where the chain of a directory is gone, and never passed over', async () => {
    const path = on().copyData();
    rmSync(join(path, 'chain', 'state.json'));
    expect(await refusal('log', 'verify', path)).toMatch(/^error chain_state_missing: [\s\S]*--rpc/);
    expect(await refusal('log', 'export', path)).toMatch(/^error chain_state_missing: /);
    rmSync(join(path, 'chain'), { recursive: true });
    expect(await refusal('log', 'verify', path)).toMatch(/^error deployment_unknown: /);
    mkdirSync(join(path, 'chain'));
    copyFileSync(join(on().data, 'chain', 'deployment.json'), join(path, 'chain', 'deployment.json'));
    expect(await refusal('log', 'verify', path, '--rpc', 'http://127.0.0.1:9')).toMatch(/^error chain_unreachable: /);
    writeFileSync(join(path, 'chain', 'state.json'), '{');
    expect(await refusal('log', 'verify', path)).toMatch(/^error anvil_failed: /);
  });
}

import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { startAnvil } from '../../src/adapters/chain/anvil-process.ts';
import { copyChain } from '../../src/adapters/chain/chain-copy.ts';
import { signerFromSeed } from '../../src/core/ed25519.ts';
import { sha256 } from '../../src/core/hash.ts';
import { toAddress } from '../../src/core/ids.ts';
import type { StoredCommit } from '../../src/ports/event-store.ts';
import { headerLine, type LogHeader } from '../../src/replay/log-header.ts';
import { processesNaming, spawnPouw } from '../kit/pouw-process.ts';
import type { JsonAnswer, StoppedNetwork } from '../kit/stopped-network.ts';
import { renamed, signedBy, tamperableDatabase, tamperableFile, type TamperableLog } from '../kit/tamper.ts';

type Network = () => StoppedNetwork;

/** A log that nobody touched verifies, in whatever form it comes. */
export function soundLogChecks(on: Network): void {
  it('finds nothing wrong while the network is up, against its chain', () => {
    const { code, report } = on().live.verify;
    expect(report).toMatchObject({ ok: true, first: null, against: { kind: 'chain', chainId: 31_337 } });
    expect(report['anchored']).toBeGreaterThan(0);
    expect(report['ordered']).toBeGreaterThan(0);
    expect(code).toBe(0);
  });

  it('finds nothing wrong in its directory when it has stopped, and leaves that as it was', async () => {
    const { commands, data } = on();
    const before = filesIn(data);
    const { code, stdout } = await commands.run('log', 'verify', data);
    expect(stdout).toMatch(/^against  chain 31337 as it was saved/m);
    expect(stdout).toMatch(/^OK: every hash, signature and author is right/m);
    expect(code).toBe(0);
    expect(filesIn(data)).toEqual(before);
    expect(readdirSync(commands.tmp)).toEqual([]);
  });

  it('says so in one JSON object', async () => {
    const { commands, data } = on();
    const { code, report } = await commands.json('log', 'verify', join(data, 'log.sqlite'));
    const against = { kind: 'saved-chain', chainId: 31_337 };
    expect(report).toMatchObject({ ok: true, against, streams: 13, first: null, faults: [], faultCount: 0 });
    expect(report['anchors']).toBe(report['epoch']);
    expect(code).toBe(0);
  });

  it('finds nothing wrong in the export, by its own word', async () => {
    const { commands, exported } = on();
    const { code, stdout } = await commands.run('log', 'verify', exported);
    expect(stdout).toMatch(/^against  the keys and anchors in the file’s own header/m);
    expect(stdout).toMatch(/^OK:/m);
    expect(code).toBe(0);
  });

  it('ends its chain when it is told to stop, and leaves nothing behind', async () => {
    const { commands, data } = on();
    const { tmp } = commands;
    const running = spawnPouw(['log', 'verify', data], { TMPDIR: tmp });
    const started = (): boolean => readdirSync(tmp).some((name) => existsSync(join(tmp, name, 'anvil.json')));
    await expect.poll(started, { timeout: 60_000, interval: 5 }).toBe(true);
    running.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' });
    expect(readdirSync(tmp)).toEqual([]);
    await expect.poll(() => processesNaming(tmp)).toEqual([]);
  });
}

interface Tampered {
  readonly path: string;
  readonly log: TamperableLog;
}

const forms: readonly { readonly name: string; readonly make: (on: StoppedNetwork) => Tampered }[] = [
  {
    name: 'a data directory',
    make: (on) => {
      const path = on.copyData();
      return { path, log: tamperableDatabase(path) };
    },
  },
  {
    name: 'an exported file',
    make: (on) => {
      const path = on.copyExport();
      return { path, log: tamperableFile(path) };
    },
  },
];

/** The tampered commit, in the middle of the first task. */
const version = 9;

/** Whatever was done to a log, the verification fails and names the first bad commit. */
export function tamperingChecks(on: Network): void {
  describe.each(forms)('in $name it names', ({ make }) => {
    const faultOf = async (path: string): Promise<unknown> => {
      const { code, report } = await on().commands.json('log', 'verify', path);
      expect([report['ok'], code]).toEqual([false, 1]);
      return report['first'];
    };

    it('the commit of which one byte was changed', async () => {
      const { path, log } = make(on());
      const { stream, commands } = on();
      const at = commitOf(on(), log, version);
      log.flipByteIn(at);
      const { code, stdout } = await commands.run('log', 'verify', path);
      expect(stdout).toContain(`first bad commit  ${stream}@${version}, position ${at.position}\n  wrong_hash: `);
      expect(code).toBe(1);
    });

    it('a commit that was dropped', async () => {
      const { path, log } = make(on());
      log.drop(commitOf(on(), log, version));
      expect(await faultOf(path)).toMatchObject({ code: 'wrong_version', stream: on().stream, version });
    });

    it('the first of two that were swapped', async () => {
      const { path, log } = make(on());
      const [a, b] = [commitOf(on(), log, version), commitOf(on(), log, version + 1)];
      log.swap(a, b);
      // In a file each line brings its position along; in the database the positions are the rows.
      const expected = { stream: on().stream, position: path.endsWith('.ndjson') ? b.position : a.position };
      expect(await faultOf(path)).toMatchObject(expected);
    });

    it('the first of two neighbours of different streams whose positions were exchanged', async () => {
      const { path, log } = make(on());
      const all = log.commits();
      const at = all.findIndex(({ commit }, index) => index > 20 && commit.stream !== all[index + 1]?.commit.stream);
      const [a, b] = all.slice(at, at + 2);
      if (a === undefined || b === undefined) throw new Error('the log has one stream only');
      log.exchange(a, b);
      const { stream, version: of } = b.commit;
      expect(await faultOf(path)).toMatchObject({ code: 'wrong_position', stream, version: of, position: a.position });
    });

    it('the first commit of a tail that was cut after its anchor', async () => {
      const { path, log } = make(on());
      log.cutFrom(commitOf(on(), log, version));
      const { code, report } = await on().commands.json('log', 'verify', path);
      expect(report).toMatchObject({ ok: false, first: { code: 'tail_cut' } });
      const fault: unknown = expect.objectContaining({ code: 'tail_cut', stream: on().stream, version });
      expect(report['faults']).toContainEqual(fault);
      expect(code).toBe(1);
    });

    it('a commit that was given another author', async () => {
      const { path, log } = make(on());
      const at = commitOf(on(), log, version);
      const other = on().members.find(({ role, address }) => role === 'router' && address !== at.commit.author);
      log.replace(at, renamed(at.commit, other?.address ?? at.commit.author));
      expect(await faultOf(path)).toMatchObject({ code: 'wrong_signature', stream: on().stream, version });
    });

    it('a commit signed by a node that may not write the stream, or by nobody the registry knows', async () => {
      const { path, log } = make(on());
      const at = commitOf(on(), log, version);
      const miner = on().members.find(({ role }) => role === 'miner');
      if (miner === undefined) throw new Error('the network has no miner');
      log.replace(at, signedBy(at.commit, miner.address, miner.signer));
      expect(await faultOf(path)).toMatchObject({ code: 'forbidden_author', stream: on().stream, version });
      const stranger = signerFromSeed(Buffer.from(sha256('stranger'), 'hex'));
      log.replace(at, signedBy(at.commit, toAddress(`0x${'77'.repeat(20)}`), stranger));
      expect(await faultOf(path)).toMatchObject({ code: 'unknown_author', stream: on().stream, version });
    });
  });
}

/** Damage that reading the commits in order does not show, or stops at. */
export function databaseChecks(on: Network): void {
  const spoiled = (sql: string): string => {
    const path = on().copyData();
    const { position } = commitOf(on(), tamperableDatabase(path), version);
    const database = new DatabaseSync(join(path, 'log.sqlite'));
    database.prepare(sql).run(position);
    database.close();
    return path;
  };

  it('names a commit whose text is no JSON any more', async () => {
    const path = spoiled("UPDATE commits SET body = '(' || body WHERE position = ?");
    const { code, report } = await on().commands.json('log', 'verify', path);
    expect(report['first']).toMatchObject({ code: 'log_corrupt', stream: on().stream, version });
    expect(code).toBe(1);
  });

  it('names a commit that the database lists under another version than it has', async () => {
    const path = spoiled('UPDATE commits SET version = 900 WHERE position = ?');
    const { report } = await on().commands.json('log', 'verify', path);
    expect(report).toMatchObject({ ok: false, first: { code: 'log_corrupt', stream: on().stream, version: 900 } });
  });

  it('says that the file is no database any more', async () => {
    const path = on().copyData();
    const bytes = readFileSync(join(path, 'log.sqlite'));
    writeFileSync(join(path, 'log.sqlite'), bytes.fill(0x2a, 16, 1_000));
    const { code, stderr } = await on().commands.run('log', 'verify', path);
    expect(stderr).toMatch(/^error log_corrupt: /);
    expect(code).toBe(1);
    const answer = await on().commands.json('log', 'verify', path);
    expect(answer).toMatchObject({ code: 1, report: { ok: false, first: { code: 'log_corrupt', stream: null } } });
  });
}

/** What only the chain can tell about an exported file. */
export function chainChecks(on: Network): void {
  it('stands where it is whole and falls where its end was cut together with the anchors in its header', async () => {
    const { commands, data, exported } = on();
    const chain = await copyChain(join(data, 'chain'));
    const verify = (...args: string[]): Promise<JsonAnswer> => commands.json('log', 'verify', ...args);
    try {
      const whole = await verify(exported, '--rpc', chain.url);
      expect(whole.report).toMatchObject({ ok: true, against: { kind: 'chain', rpcUrl: chain.url } });
      const { path, epoch } = forgetLastAnchor(on());
      expect((await verify(path)).report).toMatchObject({ ok: true, epoch });
      const fallen = await verify(path, '--rpc', chain.url);
      expect(fallen).toMatchObject({ code: 1, report: { ok: false, first: { code: 'anchor_manifest_missing' } } });
      const asOfThen = await verify(path, '--rpc', chain.url, '--epoch', String(epoch));
      expect(asOfThen.report).toMatchObject({ ok: true, epoch });
    } finally {
      await chain.close();
    }
  });

  it('is refused on another chain, as its directory is', async () => {
    const { commands, data, exported } = on();
    const anvil = await startAnvil({ directory: mkdtempSync(join(dirname(data), 'other-chain-')) });
    try {
      const ofFile = await commands.run('log', 'verify', exported, '--rpc', anvil.url);
      expect(ofFile.stderr).toMatch(/^error contracts_missing: /);
      const ofDirectory = await commands.run('log', 'verify', data, '--rpc', anvil.url);
      expect(ofDirectory.stderr).toMatch(/^error wrong_chain: /);
      expect([ofFile.code, ofDirectory.code]).toEqual([1, 1]);
    } finally {
      await anvil.stop();
    }
  });
}

/** What a careful forger makes: a shorter log whose header agrees with it and has no later anchor. */
function forgetLastAnchor(on: StoppedNetwork): { path: string; epoch: number } {
  const path = on.copyExport();
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const { headerHash: _, ...header } = JSON.parse(lines[0] ?? '') as LogHeader;
  const anchors = header.anchors.slice(0, -1);
  const covered = new Map(
    anchors.flatMap(({ manifest }) => manifest?.heads ?? []).map(([stream, last]) => [stream, last]),
  );
  const stored = lines.slice(1).map((line) => JSON.parse(line) as StoredCommit);
  const end = stored.findLastIndex(({ commit }) => commit.version <= (covered.get(commit.stream) ?? 0)) + 1;
  const newest = new Map(
    stored.slice(0, end).map(({ commit }) => [commit.stream, [commit.stream, commit.version, commit.hash] as const]),
  );
  const heads = [...newest.values()].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const forged = headerLine({ ...header, anchors, heads, streams: heads.length, commits: end });
  writeFileSync(path, `${[forged, ...lines.slice(1, end + 1)].join('\n')}\n`);
  return { path, epoch: anchors.length };
}

/** The session's commit of a version. */
function commitOf({ stream }: StoppedNetwork, log: TamperableLog, wanted: number): StoredCommit {
  const found = log.commits().find(({ commit }) => commit.stream === stream && commit.version === wanted);
  if (found === undefined) throw new Error(`${stream}@${wanted} is not in the log`);
  return found;
}

/** Every file below a folder with the hash of its content. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => `${name} ${sha256(readFileSync(join(folder, name)))}`)
    .toSorted();
}

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorMessage } from '../../../core/errors.ts';
import { type AptCandidate, aptCandidates, parseAptSources, parseOsRelease, renderAptSource } from './apt-sources.ts';
import { readProgramVersion } from './program-version.ts';

const run = promisify(execFile);

/** Milliseconds one run of apt or dpkg may take. */
const aptTimeoutMs = 180_000;
const packageName = 'nats-server';

/** A suite that was looked in, and why it gave no server. */
export interface AptRefusal {
  readonly suite: string;
  readonly why: string;
}

/** What looking in the mirror of the system came to. */
export type AptOutcome =
  | { readonly installed: { readonly path: string; readonly version: string; readonly suite: string } }
  | { readonly refusals: readonly AptRefusal[] };

/** What an installation needs to know. */
export interface AptInstallOptions {
  /** The folder that gets `<version>/nats-server`. */
  readonly folder: string;
  /** Whether a version is new enough. */
  readonly accepts: (version: string) => boolean;
  /** Suites to look in, best first; those of the system where it is left out. */
  readonly candidates?: readonly AptCandidate[];
  /** Told what is being done, for a person who waits. */
  readonly onProgress?: (what: string) => void;
}

/**
 * Gets a server from the mirror that the system's own apt uses, without changing the system: lists, cache and sources
 * are private and thrown away, and the package is unpacked and not installed. apt verifies the signature of the suite
 * and the hash of the package against the keys that the system trusts; a suite it cannot verify is refused.
 */
export async function installFromApt(options: AptInstallOptions): Promise<AptOutcome> {
  const candidates = options.candidates ?? (await systemCandidates());
  const refusals: AptRefusal[] = [];
  for (const candidate of candidates) {
    options.onProgress?.(`looking for ${packageName} in ${candidate.suite} at ${candidate.uri}`);
    try {
      return { installed: await installFrom(candidate, options) };
    } catch (error) {
      refusals.push({ suite: candidate.suite, why: whyOf(error) });
    }
  }
  return { refusals };
}

/** The suites that the system's own sources lead to; none where there is no apt. */
export async function systemCandidates(etc = '/etc'): Promise<readonly AptCandidate[]> {
  const osRelease = await readFile(join(etc, 'os-release'), 'utf8').catch(() => '');
  const parts = await readdir(join(etc, 'apt', 'sources.list.d')).catch(() => []);
  const names = parts.filter((name) => /\.(list|sources)$/.test(name)).toSorted();
  const files = ['sources.list', ...names.map((name) => join('sources.list.d', name))];
  const archives = await Promise.all(
    files.map(async (file) => parseAptSources(file, await readFile(join(etc, 'apt', file), 'utf8').catch(() => ''))),
  );
  return aptCandidates(parseOsRelease(osRelease), archives.flat());
}

async function installFrom(
  candidate: AptCandidate,
  { folder, accepts }: AptInstallOptions,
): Promise<{ path: string; version: string; suite: string }> {
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, 'install-'));
  try {
    // apt fetches as a user of its own, which must be able to enter.
    await chmod(scratch, 0o755);
    const apt = await privateApt(scratch, candidate);
    await apt(['update']);
    await apt(['download', packageName]);
    const archive = (await readdir(scratch)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt downloaded no package.');
    const unpacked = join(scratch, 'unpacked');
    await run('dpkg', ['--extract', join(scratch, archive), unpacked], { timeout: aptTimeoutMs });
    const { path: program, version } = await findProgram(unpacked);
    if (!accepts(version)) throw new Error(`It has version ${version}, which is too old.`);
    return { path: await keep(program, folder, version), version, suite: candidate.suite };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** An apt-get that sees one source and writes to one folder. */
async function privateApt(
  scratch: string,
  candidate: AptCandidate,
): Promise<(args: readonly string[]) => Promise<void>> {
  const source = join(scratch, 'private.sources');
  await writeFile(source, renderAptSource(candidate));
  for (const folder of ['lists/partial', 'cache/archives/partial']) {
    await mkdir(join(scratch, folder), { recursive: true });
  }
  await writeFile(join(scratch, 'status'), '');
  const settings = [
    `Dir::State=${scratch}`,
    `Dir::State::Lists=${join(scratch, 'lists')}`,
    `Dir::State::status=${join(scratch, 'status')}`,
    `Dir::Cache=${join(scratch, 'cache')}`,
    `Dir::Etc::SourceList=${source}`,
    'Dir::Etc::SourceParts=/dev/null',
    // A person's pins are about what is installed on the system, which this is not.
    'Dir::Etc::Preferences=/dev/null',
    'Dir::Etc::PreferencesParts=/dev/null',
    'Acquire::AllowInsecureRepositories=false',
    'Acquire::AllowWeakRepositories=false',
    'Acquire::AllowDowngradeToInsecureRepositories=false',
    'APT::Get::AllowUnauthenticated=false',
    'APT::Update::Error-Mode=any',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=30',
    'Acquire::https::Timeout=30',
    // Only the list of packages is wanted, neither descriptions nor what app stores show.
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled=false',
    'Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled=false',
    'Acquire::IndexTargets::deb::DEP-11-icons-hidpi::DefaultEnabled=false',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false',
  ].flatMap((setting) => ['-o', setting]);
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  return async (args) => {
    await run('apt-get', ['--quiet', ...settings, ...args], { cwd: scratch, env, timeout: aptTimeoutMs });
  };
}

/** The program in an unpacked package. It is run once: a package of a newer suite may need a newer system. */
async function findProgram(unpacked: string): Promise<{ path: string; version: string }> {
  for (const path of ['usr/sbin', 'usr/bin'].map((folder) => join(unpacked, folder, packageName))) {
    const version = await readProgramVersion(path);
    if (version !== undefined) return { path, version };
  }
  throw new Error('Its server does not run on this system.');
}

/** Moves the program to its place. Another process may have brought the same version meanwhile, which is as good. */
async function keep(program: string, folder: string, version: string): Promise<string> {
  const place = join(folder, version);
  await mkdir(place, { recursive: true });
  const path = join(place, packageName);
  await rename(program, path);
  return path;
}

/** What apt says: the lines that it marks as errors, else as warnings. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return errorMessage(error);
  if ('code' in error && error.code === 'ENOENT') return 'There is no apt-get or no dpkg on this system.';
  const lines = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim().split('\n') : [];
  const said = ['E: ', 'W: ', ''].map((mark) => lines.filter((line) => line !== '' && line.startsWith(mark)));
  return said.find((found) => found.length > 0)?.join(' ') ?? error.message;
}

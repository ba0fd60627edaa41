import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { PouwError } from '../../../core/errors.ts';
import { type AptInstallOptions, type AptRefusal, installFromApt } from './apt-install.ts';
import { readProgramVersion } from './program-version.ts';
import { compareNatsVersions, isNatsVersionEnough, natsVersionFloor, requireNatsVersion } from './server-version.ts';

/** A server program that is new enough. */
export interface NatsProgram {
  readonly path: string;
  readonly version: string;
  /** How it was found: named by the caller, on `PATH`, in the cache folder, or brought there just now. */
  readonly origin: 'given' | 'path' | 'cache' | 'installed';
}

/** Where to look for a server program. */
export interface FindNatsServerOptions {
  /** The user's cache folder for pouw; servers are kept below it in `nats-server/<version>`. */
  readonly cacheFolder: string;
  /** The program to use, and no other. */
  readonly given?: string;
  /** Whether one may be fetched where none is found. Default true. */
  readonly install?: boolean;
  /** The oldest version to take. Default: what pouw needs. */
  readonly floor?: string;
  /** Suites of apt to look in; those of the system where it is left out. */
  readonly candidates?: AptInstallOptions['candidates'];
  /** The search path. Default: this process's. */
  readonly searchPath?: string;
  /** Told what is being done while a server is fetched. */
  readonly onProgress?: (what: string) => void;
}

const programName = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';

/**
 * Finds a NATS server program: the given one, else the first on `PATH` that is new enough, else the newest in the
 * cache folder, else one that is fetched into it with apt. npm has none, which is why this is not a dependency.
 *
 * @throws PouwError `nats_server_missing`; `nats_too_old` where a given program is too old.
 */
export async function findNatsServer(options: FindNatsServerOptions): Promise<NatsProgram> {
  const floor = options.floor ?? natsVersionFloor;
  if (options.given !== undefined) return givenProgram(options.given, floor);
  const tooOld: string[] = [];
  for (const folder of (options.searchPath ?? process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, programName);
    const version = folder === '' ? undefined : await readProgramVersion(path);
    if (version === undefined) continue;
    if (isNatsVersionEnough(version, floor)) return { path, version, origin: 'path' };
    tooOld.push(`${path} has version ${version}`);
  }
  const folder = join(options.cacheFolder, 'nats-server');
  const cached = await newestIn(folder, floor);
  if (cached !== undefined) return cached;
  if (options.install === false) throw missing(floor, tooOld);
  const outcome = await installFromApt({
    folder,
    accepts: (version) => isNatsVersionEnough(version, floor),
    ...(options.candidates === undefined ? {} : { candidates: options.candidates }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  if ('refusals' in outcome) throw missing(floor, [...tooOld, ...outcome.refusals.map(refusalText)]);
  return { path: outcome.installed.path, version: outcome.installed.version, origin: 'installed' };
}

async function givenProgram(path: string, floor: string): Promise<NatsProgram> {
  const version = await readProgramVersion(path);
  if (version === undefined) {
    throw new PouwError('nats_server_missing', `${path} is no NATS server that runs here.`, {
      class: 'unavailable',
      why: 'The program does not exist, does not run on this system, or is something else.',
      hint: 'Name the program nats-server of a release, or leave it out and one is looked for.',
      details: { path },
    });
  }
  requireNatsVersion(version, path, floor);
  return { path, version, origin: 'given' };
}

async function newestIn(folder: string, floor: string): Promise<NatsProgram | undefined> {
  const names = await readdir(folder).catch(() => []);
  const versions = names
    .filter((name) => isNatsVersionEnough(name, floor))
    .toSorted(compareNatsVersions)
    .toReversed();
  for (const name of versions) {
    const path = join(folder, name, programName);
    const version = await readProgramVersion(path);
    if (version !== undefined && isNatsVersionEnough(version, floor)) return { path, version, origin: 'cache' };
  }
  return undefined;
}

function refusalText({ suite, why }: AptRefusal): string {
  return `suite ${suite}: ${why}`;
}

function missing(floor: string, reasons: readonly string[]): PouwError {
  return new PouwError('nats_server_missing', `No NATS server of version ${floor} or newer is on this system.`, {
    class: 'unavailable',
    why:
      reasons.length > 0
        ? reasons.join('; ')
        : 'None is on PATH or in the cache folder, and there is no apt to get one with.',
    hint:
      'On macOS: brew install nats-server. Elsewhere: unpack a release archive of nats-server and put the program on ' +
      'PATH. Or name a server that runs already with --nats URL.',
    details: { floor, reasons },
  });
}

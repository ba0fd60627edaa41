/** The part of a package-lock.json (format 3) that this module reads and writes. */
export interface Lockfile {
  readonly packages: Record<string, LockedPackage>;
}

/** One entry under `packages`. */
export interface LockedPackage {
  version?: string;
  cpu?: string[];
  dev?: boolean;
  libc?: string[];
  optional?: boolean;
  os?: string[];
  optionalDependencies?: Record<string, string>;
}

/** An optional dependency that a locked package asks for and the lockfile does not hold. */
export interface MissingOptional {
  readonly name: string;
  readonly version: string;
  /** The lockfile key of the package that asks for it. */
  readonly by: string;
}

const systems: Readonly<Record<string, string>> = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  openharmony: 'openharmony',
  win32: 'win32',
};

const processors: Readonly<Record<string, string>> = {
  amd64: 'x64',
  x64: 'x64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
};

/**
 * Optional dependencies of locked packages that are themselves not locked. npm leaves out a platform package that
 * its registry could not serve when the lockfile was written; `npm ci` then fails on other platforms, and with a
 * recent npm on every platform.
 */
export function missingOptionals(lockfile: Lockfile): MissingOptional[] {
  const missing: MissingOptional[] = [];
  for (const [by, entry] of Object.entries(lockfile.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (resolve(lockfile, by, name) === undefined) missing.push({ name, version, by });
    }
  }
  return missing;
}

/** The lockfile key under which Node would find `name` from the package at `from`, or undefined. */
function resolve(lockfile: Lockfile, from: string, name: string): string | undefined {
  let folder = from;
  for (;;) {
    const key = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (key in lockfile.packages) return key;
    if (folder === '') return undefined;
    folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0));
  }
}

/**
 * The lockfile with an entry for every missing platform package: exact version, and system, processor and C library
 * from its name. Such an entry has no integrity hash, since nobody has seen the package; the next `npm install` on a
 * registry that serves it adds one.
 *
 * @throws Error for a name that tells no system, or a version that is a range.
 */
export function completeLockfile(lockfile: Lockfile): Lockfile {
  const packages = { ...lockfile.packages };
  for (const { name, version, by } of missingOptionals(lockfile)) {
    packages[`node_modules/${name}`] = platformEntry(name, version, packages[by]?.dev === true);
  }
  const sorted = Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lockfile, packages: Object.fromEntries(sorted) };
}

function platformEntry(name: string, version: string, dev: boolean): LockedPackage {
  if (!/^\d+\.\d+\.\d+/.test(version))
    throw new Error(`${name}@${version}: only an exact version can be locked unseen`);
  const words = name.split(/[-/]/);
  const system = words.map((word) => systems[word]).find((found) => found !== undefined);
  if (system === undefined) throw new Error(`${name}: its name tells no operating system`);
  const processor = words.map((word) => processors[word]).find((found) => found !== undefined);
  const libc = /musl/.test(name) ? 'musl' : /-gnu/.test(name) ? 'glibc' : undefined;
  return {
    version,
    ...(processor === undefined ? {} : { cpu: [processor] }),
    ...(dev ? { dev } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    os: [system],
  };
}

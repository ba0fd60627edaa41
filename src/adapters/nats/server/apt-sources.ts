/** An archive that the system's apt uses, as far as a private source needs it. */
export interface AptArchive {
  /** The mirror, as the system names it. */
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** What the archive must be signed by: paths of keyrings or a key; undefined for the system's trusted keys. */
  readonly signedBy: string | undefined;
}

/** Reads the system's sources: `.sources` files are stanzas of fields, `.list` files have a line per source. */
export function parseAptSources(fileName: string, text: string): readonly AptArchive[] {
  return fileName.endsWith('.sources') ? parseStanzas(text) : text.split('\n').flatMap(parseLine);
}

function parseStanzas(text: string): readonly AptArchive[] {
  const withoutComments = text.replaceAll(/^#.*\n?/gm, '');
  return withoutComments.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const fields = fieldsOf(stanza);
    const words = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
    if (!words('types').includes('deb') || fields.get('enabled') === 'no') return [];
    const [suites, components] = [words('suites'), words('components')];
    return words('uris').map((uri) => ({ uri, suites, components, signedBy: fields.get('signed-by') }));
  });
}

/** Field names in lower case; lines that start with a space go on with the field above them. */
function fieldsOf(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let name: string | undefined;
  for (const line of stanza.split('\n')) {
    const start = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
    if (start !== null) {
      name = start[1]?.toLowerCase() ?? '';
      fields.set(name, start[2]?.trim() ?? '');
    } else if (name !== undefined && /^\s/.test(line)) {
      fields.set(name, `${fields.get(name) ?? ''}\n${line.trimEnd()}`);
    }
  }
  return fields;
}

/** `deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror/debian bookworm main contrib`. */
function parseLine(line: string): readonly AptArchive[] {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
  if (match === null) return [];
  const [, options = '', uri = '', suite = '', components = ''] = match;
  const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1]?.replaceAll(',', ' ');
  return [{ uri, suites: [suite], components: components.trim().split(/\s+/), signedBy }];
}

/** Reads `/etc/os-release`: names and values without their quotes. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').map((line) => /^([A-Z_]+)=(.*)$/.exec(line));
  return new Map(lines.flatMap((match) => (match === null ? [] : [[match[1] ?? '', unquoted(match[2] ?? '')]])));
}

function unquoted(value: string): string {
  return value.replace(/^(["'])(.*)\1$/, '$2');
}

/** Where to look for a package: one suite of the system's own mirror. */
export interface AptCandidate extends Omit<AptArchive, 'suites'> {
  readonly suite: string;
}

/** Names of suites that stand for another one and are kept by every mirror of Debian. */
const debianAliases = new Set(['sid', 'unstable', 'testing', 'stable', 'oldstable']);

/**
 * The suites to look in, best first: the newest that the distribution has, and at last the system's own. Empty for a
 * system that is neither Debian nor Ubuntu, or one whose sources name no mirror.
 */
export function aptCandidates(
  osRelease: ReadonlyMap<string, string>,
  archives: readonly AptArchive[],
): readonly AptCandidate[] {
  const kin = `${osRelease.get('ID') ?? ''} ${osRelease.get('ID_LIKE') ?? ''}`.split(' ');
  const isUbuntu = kin.includes('ubuntu');
  if (!isUbuntu && !kin.includes('debian')) return [];
  const own = (isUbuntu ? osRelease.get('UBUNTU_CODENAME') : undefined) ?? osRelease.get('VERSION_CODENAME') ?? 'sid';
  const component = isUbuntu ? 'universe' : 'main';
  const isMain = ({ suites, components }: AptArchive): boolean =>
    components.includes('main') && suites.some((suite) => suite === own || debianAliases.has(suite));
  const archive = archives.find(isMain);
  if (archive === undefined) return [];
  const suites = new Set(isUbuntu ? ['devel', own] : ['sid', 'trixie', own]);
  const { uri, signedBy } = archive;
  return [...suites].map((suite) => ({ uri, suite, components: [component], signedBy }));
}

/** A private source of one suite, in the form of a `.sources` file. */
export function renderAptSource({ uri, suite, components, signedBy }: AptCandidate): string {
  const fields = ['Types: deb', `URIs: ${uri}`, `Suites: ${suite}`, `Components: ${components.join(' ')}`];
  return [...fields, ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy}`]), ''].join('\n');
}

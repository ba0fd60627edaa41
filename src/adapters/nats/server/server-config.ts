import { assert } from '../../../core/assert.ts';
import { limits } from '../../../core/limits.ts';
import { openedApi, streamsDomain } from '../streams-api.ts';

/** Certificate files in PEM form. */
export interface NatsTlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Who signed the other side's certificate; the system's authorities where it is left out. */
  readonly caFile?: string;
}

/** A user that proves itself with an nkey, and the subjects it may use. */
export interface NatsUser {
  /** The public nkey, `U…`. */
  readonly nkey: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** One of several servers that act as one. */
export interface NatsClusterSettings {
  readonly name: string;
  /** The port for the other servers. */
  readonly port: number;
  /** `host:port` of all servers of the cluster, this one included or not. */
  readonly routes: readonly string[];
  /** Encrypts and authenticates what servers tell each other; each side shows its certificate. */
  readonly tls?: Required<NatsTlsFiles>;
}

/** What a server's configuration says. */
export interface NatsServerSettings {
  /** Unique in a cluster: JetStream tells its members apart by it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Where health is asked for, on 127.0.0.1 only; nowhere where it is left out. */
  readonly monitorPort?: number;
  /** The log file; standard error where it is left out. */
  readonly logFile?: string;
  /** Bytes of a message, headers included. Default `limits.natsPayloadBytesMax`. */
  readonly maxPayloadBytes?: number;
  /** The event log's store; no JetStream where it is left out. */
  readonly jetStream?: {
    readonly directory: string;
    /** Bytes on disk. Default: three quarters of what is free. */
    readonly maxFileBytes?: number;
    /**
     * When what was acknowledged goes to the disk: before it is acknowledged, or each so many milliseconds, in which
     * case a power failure takes acknowledged commits with it. Default `always`.
     */
    readonly sync?: 'always' | number;
  };
  readonly tls?: NatsTlsFiles & {
    /** Whether clients must show a certificate too. Default false. */
    readonly verifyClients?: boolean;
  };
  readonly cluster?: NatsClusterSettings;
  /** Who may connect; anybody where it is left out. */
  readonly users?: readonly NatsUser[];
  /** Who may connect, where JetStream is to be apart from those who use it. */
  readonly accounts?: NatsAccounts;
}

/** Two accounts: one that keeps the streams, and one that reaches of it what is named here and nothing else. */
export interface NatsAccounts {
  /** The users beside the streams. */
  readonly keepers: readonly NatsUser[];
  /** The users of the other account. */
  readonly members: readonly NatsUser[];
  /** What members may ask for, each with one answer. */
  readonly served: readonly string[];
  /** What members may ask for that has many answers. */
  readonly servedInMany: readonly string[];
  /** What members hear of the streams. */
  readonly heard: readonly string[];
}

const [keepersAccount, membersAccount] = ['POUW_LOG', 'POUW_NODES'];
/** How JetStream's subjects begin in the account that has it. */
const ownApi = '$JS.API';
/** How long the way back of a request is kept from its newest answer on, where it may have many. */
const waysBackKept = '10s';

/** Bytes after which a server's log file is put aside, and how many of those are kept. */
const logFileBytesMax = 10 * 1_024 * 1_024;
const logFilesKept = 3;

/** The text of a server's configuration file. The same settings give the same text. */
export function renderServerConfig(settings: NatsServerSettings): string {
  const { name, host, port, monitorPort, logFile, jetStream, tls, cluster, users, accounts } = settings;
  const lines = [
    `server_name: ${quoted(name)}`,
    `listen: ${quoted(`${host}:${port}`)}`,
    `max_payload: ${settings.maxPayloadBytes ?? limits.natsPayloadBytesMax}`,
    `max_pending: ${limits.natsPendingBytesMax}`,
    `max_subscriptions: ${limits.natsSubscriptionsMax}`,
    ...(monitorPort === undefined ? [] : [`http: "127.0.0.1:${monitorPort}"`]),
    ...(logFile === undefined ? [] : logLines(logFile)),
    ...(jetStream === undefined ? [] : jetStreamLines(jetStream, accounts !== undefined)),
    ...(tls === undefined ? [] : block('tls', tlsLines(tls, tls.verifyClients ?? false))),
    ...(cluster === undefined ? [] : clusterLines(host, cluster)),
    ...(users === undefined ? [] : block('authorization', list('users', users.map(userLines)))),
    ...(accounts === undefined ? [] : block('accounts', accountLines(accounts))),
  ];
  return `${lines.join('\n')}\n`;
}

function logLines(file: string): string[] {
  return [`log_file: ${quoted(file)}`, `logfile_size_limit: ${logFileBytesMax}`, `logfile_max_num: ${logFilesKept}`];
}

function jetStreamLines(store: NonNullable<NatsServerSettings['jetStream']>, isApart: boolean): string[] {
  const { directory, maxFileBytes, sync = 'always' } = store;
  return block('jetstream', [
    `store_dir: ${quoted(directory)}`,
    ...(isApart ? [`domain: ${streamsDomain}`] : []),
    ...(maxFileBytes === undefined ? [] : [`max_file_store: ${maxFileBytes}`]),
    `sync_interval: ${sync === 'always' ? sync : quoted(`${sync}ms`)}`,
  ]);
}

function tlsLines({ certFile, keyFile, caFile }: NatsTlsFiles, verify: boolean): string[] {
  return [
    `cert_file: ${quoted(certFile)}`,
    `key_file: ${quoted(keyFile)}`,
    ...(caFile === undefined ? [] : [`ca_file: ${quoted(caFile)}`]),
    ...(verify ? ['verify: true'] : []),
  ];
}

function clusterLines(host: string, { name, port, routes, tls }: NatsClusterSettings): string[] {
  const urls = routes.map((route) => [quoted(`nats-route://${route}`)]);
  return block('cluster', [
    `name: ${quoted(name)}`,
    `listen: ${quoted(`${host}:${port}`)}`,
    ...list('routes', urls),
    ...(tls === undefined ? [] : block('tls', tlsLines(tls, true))),
  ]);
}

/** What the keepers' account calls a subject by which others reach its streams. */
function inside(subject: string): string {
  return subject.replace(`${openedApi}.`, `${ownApi}.`);
}

function accountLines({ keepers, members, served, servedInMany, heard }: NatsAccounts): string[] {
  const to = `accounts: [${membersAccount}]`;
  const from = (subject: string): string => `{ account: ${keepersAccount}, subject: ${quoted(inside(subject))} }`;
  const exports = [
    ...served.map((subject) => `{ service: ${quoted(inside(subject))}, ${to} }`),
    ...servedInMany.map(
      (subject) =>
        `{ service: ${quoted(inside(subject))}, response_type: stream, response_threshold: ${quoted(waysBackKept)}, ${to} }`,
    ),
    ...heard.map((subject) => `{ stream: ${quoted(subject)}, ${to} }`),
  ];
  const imports = [
    ...[...served, ...servedInMany].map((subject) => `{ service: ${from(subject)}, to: ${quoted(subject)} }`),
    ...heard.map((subject) => `{ stream: ${from(subject)} }`),
  ];
  const oneEach = (lines: readonly string[]): string[][] => lines.map((line) => [line]);
  return [
    ...block(keepersAccount, [
      'jetstream: enabled',
      // So that its own users may use the same subjects as everybody.
      `mappings: { ${quoted(`${openedApi}.>`)}: ${quoted(`${ownApi}.>`)} }`,
      ...list('users', keepers.map(userLines)),
      ...list('exports', oneEach(exports)),
    ]),
    ...block(membersAccount, [...list('users', members.map(userLines)), ...list('imports', oneEach(imports))]),
  ];
}

function userLines({ nkey, publish, subscribe }: NatsUser): string[] {
  return [
    '{',
    ...indented([
      `nkey: ${quoted(nkey)}`,
      ...block('permissions', [...subjectLines('publish', publish), ...subjectLines('subscribe', subscribe)]),
    ]),
    '}',
  ];
}

/** The subjects of an allow list. To the server an empty one means everything, so that nothing is said by a denial. */
function subjectLines(name: string, subjects: readonly string[]): string[] {
  if (subjects.length === 0) return block(name, ['deny: ">"']);
  return list(
    name,
    subjects.map((subject) => [quoted(subject)]),
  );
}

function block(name: string, lines: readonly string[]): string[] {
  return [`${name} {`, ...indented(lines), '}'];
}

function list(name: string, items: readonly (readonly string[])[]): string[] {
  return [`${name}: [`, ...indented(items.flat()), ']'];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Text in quotes: the escapes of JSON that can occur here are those of the server's own format. */
function quoted(text: string): string {
  // oxlint-disable-next-line no-control-regex -- These are what the format cannot carry.
  assert(!/[\u0000-\u001f\u007f]/.test(text), 'names and paths of a server have no control characters');
  return JSON.stringify(text);
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a node writes when a server refuses it a subject, and what the server writes. */
const refusal = /NATS refused a subject|(?:Publish|Subscription) Violation/;

/**
 * What is refused and means nothing. A process that stood still answers too late: the permission to answer, which a server
 * gives with each request, has run out by then. And the client of JetStream clears up consumers behind itself, which no node
 * may, for it could be another's; the server forgets them by itself.
 */
const harmless = /_INBOX_0x[0-9a-f]{40}\.|\$JS\.nodes\.API\.CONSUMER\.DELETE\./;

/**
 * The lines of nodes and NATS servers that tell of a subject somebody wanted and may not use: there are none where the
 * permissions have all that the nodes need, and the nodes ask for nothing else.
 */
export function refusals(folder: string): string[] {
  return logFiles(folder).flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => refusal.test(line) && !harmless.test(line)),
  );
}

function logFiles(folder: string): string[] {
  const ofNodes = readdirSync(folder).map((name) => join(folder, name, 'pouw.log'));
  const nats = join(folder, 'nats');
  const servers = existsSync(nats) ? [nats, ...readdirSync(nats).map((name) => join(nats, name))] : [];
  return [...ofNodes, ...servers.map((server) => join(server, 'server.log'))].filter((file) => existsSync(file));
}

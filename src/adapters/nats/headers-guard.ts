import { MsgHdrsImpl } from 'nats';
import { limits } from '../../core/limits.ts';

/** A server gives this to what it reads from a stream for somebody, behind what the author has written. */
const streamHeader = 'Nats-Stream';
const statusPattern = /^NATS\/1\.0\s+(\d{3})\b\s*(.*)$/s;
/** Printable characters but for the colon. */
const namePattern = /^[!-9;-~]+$/;
const lineEnd = Buffer.from('\r\n');

/**
 * The headers of a message, whoever wrote them, in time that grows with their bytes up to a bound. The vendor's client reads
 * headers within the loop that reads the connection: what it cannot read ends the connection, many of them hold it up, and a
 * status that an author has put there counts as the server's. So lines that cannot be read are left out, of more than
 * `limits.natsHeadersMax` the last are read, where a server writes its own, and what comes from a stream has no status.
 */
export function decodeHeaders(bytes: Uint8Array): MsgHdrsImpl {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = all.subarray(0, limits.natsHeadersBytesMax).indexOf(lineEnd);
  const status = first < 0 ? '' : all.subarray(0, first).toString();
  const found = new Map<string, string[]>();
  for (const line of lastLines(all.subarray(Math.max(first, 0)))) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (colon < 1 || !namePattern.test(name) || /[\r\n]/.test(value)) continue;
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  const said = found.has(streamHeader) ? null : statusPattern.exec(status);
  const headers = new MsgHdrsImpl(Number(said?.[1] ?? 0), said?.[2] ?? '');
  headers.headers = found;
  return headers;
}

/** The last lines, of those that begin within the bound. */
function lastLines(text: Buffer): string[] {
  const cut = text.length - limits.natsHeadersBytesMax;
  const from = cut <= 0 ? 0 : text.indexOf(lineEnd, cut);
  return from < 0 ? [] : text.subarray(from).toString().split('\r\n').slice(-limits.natsHeadersMax);
}

/** Has the vendor's client read headers so, from now on and for all connections. */
export function guardHeaders(): void {
  MsgHdrsImpl.decode = decodeHeaders;
}

import { headers as noHeaders, MsgHdrsImpl } from 'nats';

/** A server gives this to what it reads from a stream for somebody, behind what the author has written. */
const streamHeader = 'Nats-Stream';
const version = 'NATS/1.0';

const decodeStrictly = MsgHdrsImpl.decode.bind(MsgHdrsImpl);

/**
 * The headers of a message, whoever wrote them. The vendor's client reads headers within the loop that reads the
 * connection: what it cannot read ends the connection, and a status that an author has put there counts as the server's.
 * So lines that cannot be read are left out, and what comes from a stream has no status.
 */
export function decodeHeaders(bytes: Uint8Array): MsgHdrsImpl {
  const text = Buffer.from(bytes).toString();
  const [status = '', ...lines] = text.split('\r\n');
  const readable = lines.filter(isReadable);
  const decoded = readable.length === lines.length ? decodeStrictly(bytes) : decode(status, readable);
  return decoded.code !== 0 && decoded.has(streamHeader) ? decode(version, readable) : decoded;
}

function isReadable(line: string): boolean {
  const colon = line.indexOf(':');
  if (colon < 0) return true;
  try {
    noHeaders().append(line.slice(0, colon), line.slice(colon + 1));
    return true;
  } catch {
    return false;
  }
}

function decode(status: string, lines: readonly string[]): MsgHdrsImpl {
  return decodeStrictly(Buffer.from([status, ...lines].join('\r\n')));
}

/** Has the vendor's client read headers so, from now on and for all connections. */
export function guardHeaders(): void {
  MsgHdrsImpl.decode = decodeHeaders;
}

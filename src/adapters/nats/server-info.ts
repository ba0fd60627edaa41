import { connect } from 'node:net';

/** What a server says of itself before anything is agreed on. */
export interface NatsServerInfo {
  readonly version?: string;
  readonly tls_required?: boolean;
  /** Whether clients must show a certificate. */
  readonly tls_verify?: boolean;
}

const answerTimeoutMs = 2_000;
/** Bytes a first line may have; a list of a large cluster's servers makes it long. */
const lineBytesMax = 65_536;

/** Reads the first line of a server; undefined where nobody answers or it is no NATS server. */
export function readServerInfo(url: string): Promise<NatsServerInfo | undefined> {
  const { hostname, port } = new URL(url.replace(/^(\w+:\/\/)?/, 'http://'));
  return new Promise((resolve) => {
    let line = '';
    const socket = connect({ host: hostname.replaceAll(/[[\]]/g, ''), port: port === '' ? 4222 : Number(port) });
    const answer = (info: NatsServerInfo | undefined): void => {
      socket.destroy();
      resolve(info);
    };
    socket.setEncoding('utf8').setTimeout(answerTimeoutMs, () => answer(undefined));
    socket.once('error', () => answer(undefined));
    socket.once('close', () => answer(undefined));
    socket.on('data', (text: string) => {
      line += text;
      if (line.includes('\n') || line.length > lineBytesMax) answer(parseInfo(line));
    });
  });
}

function parseInfo(line: string): NatsServerInfo | undefined {
  try {
    return line.startsWith('INFO ') ? (JSON.parse(line.slice(5)) as NatsServerInfo) : undefined;
  } catch {
    return undefined;
  }
}

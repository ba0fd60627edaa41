import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { PouwError } from '../../core/errors.ts';

/**
 * Where free ports are looked for: below the ports that systems give to outgoing connections. A client that tries
 * again and again to reach a stopped server on one of those may be given that very port and then talks to itself.
 */
const firstPort = 12_000;
const lastPort = 32_000;
const triesMax = 64;
const portTimeoutMs = 1_000;

/**
 * A port on 127.0.0.1 that nobody listens on and no outgoing connection is given.
 *
 * @throws PouwError `no_free_port`.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < triesMax; tries++) {
    const port = randomInt(firstPort, lastPort);
    if (await canListen(port)) return port;
  }
  throw new PouwError('no_free_port', `No free port was found between ${firstPort} and ${lastPort}.`, {
    class: 'unavailable',
    hint: 'Stop programs that hold many ports, or name a port.',
  });
}

/** Whether somebody listens on a port of 127.0.0.1. */
export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.setTimeout(portTimeoutMs, () => answer(true));
  });
}

/** Waits, a second at most, for a port of a process that has just ended: it loses its command line before its sockets. */
export async function untilPortFree(port: number): Promise<void> {
  const giveUpAt = performance.now() + portTimeoutMs;
  while (performance.now() < giveUpAt && (await isPortTaken(port))) await sleep(20);
}

function canListen(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

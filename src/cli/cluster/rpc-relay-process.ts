import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../adapters/process/end-with-us.ts';
import { freePort } from '../../adapters/process/port.ts';

/** The chain's RPC endpoint as a process of its own, which can die without the chain. */
export interface RpcRelay {
  readonly url: string;
  readonly pid: number | undefined;
  kill(): Promise<void>;
  pause(isPaused: boolean): void;
  /** Starts it again on its port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('rpc-relay.ts', import.meta.url));

/** Starts a relay in front of a port of 127.0.0.1. */
export async function startRpcRelay(target: number): Promise<RpcRelay> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();
  const start = async (): Promise<void> => {
    const started = spawn(process.execPath, [program, String(port), String(target)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child = started;
    endWithUs(started);
    exited = new Promise((resolve) => started.once('exit', () => resolve()));
    await Promise.race([new Promise((resolve) => started.stdout.once('data', resolve)), exited]);
  };
  const kill = async (): Promise<void> => {
    child?.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return child?.pid;
    },
    kill,
    pause: (isPaused) => void child?.kill(isPaused ? 'SIGSTOP' : 'SIGCONT'),
    restart: async () => {
      await kill();
      await start();
    },
    stop: kill,
  };
}

import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { readFileSync } from 'node:fs';

/** Where figures were taken. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly os: string;
  /** Processes that wanted a core, over the last minute, at the start. */
  readonly load: number;
}

/** This machine, now. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    os: operatingSystem(),
    load: loadavg()[0] ?? 0,
  };
}

function operatingSystem(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
    if (name !== undefined) return `${name}, ${type()} ${release()}`;
  } catch {
    // Not a Linux with such a file: what Node knows has to do.
  }
  return `${type()} ${release()}`;
}

/** The machine in one line. */
export function machineLine({ cpu, cores, memoryGiB, node, os, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB; Node ${node}; ${os}; load ${load.toFixed(1)} at the start`;
}

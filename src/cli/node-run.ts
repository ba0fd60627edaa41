import { join } from 'node:path';
import { systemClock } from '../adapters/local/system-clock.ts';
import type { Role } from '../core/ids.ts';
import { errorMessage } from '../core/errors.ts';
import { type RunningNode, startNode } from './compose/node-start.ts';
import { readConfig } from './config/read-config.ts';
import type { NodeConfig } from './config/schema.ts';
import type { Clock } from '../ports/clock.ts';
import { defaultDataFolder } from './data-folder.ts';
import { exitCodes } from './report-error.ts';
import { untilStopped } from './until-stopped.ts';

/** What the command line of a node says: settings by name, and how to print. */
export interface NodeRunOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly [name: string]: string | number | boolean | undefined;
}

/** Runs one node until it is told to stop. */
export async function runNode(role: Role, { config: file, json, ...flags }: NodeRunOptions): Promise<void> {
  const config = readConfig({ flags: flags as Record<string, string>, environment: process.env, file });
  const folder = folderOf(role, config);
  const starting = new AbortController();
  const stopped = untilStopped();
  let bound: NodeJS.Timeout | undefined;
  let isUp = false;
  const say = (line: string): void => void (json === true || process.stderr.write(`${line}\n`));
  void stopped.then(({ again }) => {
    if (isUp) return;
    say('Stopping: the node was not up yet. Again stops at once.');
    starting.abort(new Error('stopped'));
    void again.then(() => process.exit(interruptedCode));
    // What it waits for may not be able to hear that nobody wants it any more.
    bound = setTimeout(() => process.exit(exitCodes.failed), closeWithinMs).unref();
  });
  let node: RunningNode;
  try {
    node = await startNode({ role, config, folder, signal: starting.signal, onStep: say });
    isUp = true;
    clearTimeout(bound);
  } catch (error) {
    // It was told to stop while it still waited: nothing ran, so nothing is lost.
    if (starting.signal.aborted && errorMessage(error) === 'stopped') return;
    throw error;
  }
  if (json === true) process.stdout.write(`${JSON.stringify({ role, data: folder, ...node.ready })}\n`);
  else process.stdout.write(banner(role, node));
  const stop = await stopped;
  void stop.again.then(() => {
    warnOfLeft('Stopped at once', node.left());
    process.exit(interruptedCode);
  });
  say('Stopping: what runs ends or is handed over. Again stops at once.');
  const hasEnded = await endsInTime(node, node.stop(config.drainMs, say), config.drainMs);
  const left = node.left();
  warnOfLeft('Stopped', left);
  if (hasEnded) {
    if (left.length === 0) say('Stopped.');
    return;
  }
  say('Stopped without a farewell: NATS or the chain does not answer. Nothing that was acknowledged is lost.');
  process.exit(exitCodes.failed);
}

/** What an operator has to know whatever was asked for: a task that is left may cost stake. */
function warnOfLeft(how: string, left: readonly string[]): void {
  if (left.length === 0) return;
  const lines = left.map((one) => `  task ${one}\n`).join('');
  process.stderr.write(`Warning: ${how}, with this left undone:\n${lines}`);
}

/** The exit code of a process that was interrupted. */
const interruptedCode = 130;

/** How long closing may take once the drain is over; what is waited for longer does not answer. */
const closeWithinMs = 5_000;

/** How often it is looked whether a node still waits for something, in milliseconds. */
const lookMs = 500;

/**
 * Waits for a node's end: for its drain, for what it must not leave, and for a while after.
 *
 * @returns whether it has ended.
 */
export async function endsInTime(
  node: Pick<RunningNode, 'waitsUntil'>,
  ending: Promise<void>,
  drainMs: number,
  clock: Clock = systemClock,
): Promise<boolean> {
  const drainedAt = clock.now() + drainMs;
  const until = (): number => Math.max(drainedAt, node.waitsUntil()) + closeWithinMs;
  const patience = new AbortController();
  const ended = ending.then(() => true);
  try {
    while (clock.now() < until()) {
      // What it waits for may come long before its time: then only the close is waited for.
      const over = clock.sleep(Math.min(lookMs, until() - clock.now()), patience.signal).then(
        () => false,
        () => false,
      );
      if (await Promise.race([ended, over])) return true;
    }
    return false;
  } finally {
    patience.abort();
  }
}

/** Each role has a folder of its own below the user's data folder unless it is told another. */
function folderOf(role: Role, { data }: NodeConfig): string {
  return data ?? join(defaultDataFolder(), role);
}

/** What a person reads once a node is up. */
export function banner(role: Role, { ready }: Pick<RunningNode, 'ready'>): string {
  const width = Math.max(10, ...Object.keys(ready).map((name) => name.length + 2));
  const lines = Object.entries(ready).map(([name, value]) => `  ${name.padEnd(width)}${value}`);
  return `The ${role} is up.\n\n${lines.join('\n')}\n`;
}

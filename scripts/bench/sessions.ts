import { join } from 'node:path';
import { inProcess } from './in-process.ts';
import { median } from './interleave.ts';
import type { Figure, FigureOptions, FigureResult, Row } from './figure.ts';

/** What a process that holds sessions prints: see `sessions-process.ts`. */
export interface SessionsMeasure {
  /** Resident memory of the process once everything is loaded. */
  readonly rssBytes: number;
  /** What the sessions added to the resident memory and to the JavaScript heap. */
  readonly addedRssBytes: number;
  readonly addedHeapBytes: number;
  /** Milliseconds to open one more session: load, decide, sign, append, fold. The median of many. */
  readonly openMs: number;
}

/** Memory of many live sessions. Each measurement is a process of its own, so that nothing is left from another. */
export const sessions: Figure = {
  name: 'sessions',
  title: 'memory of live sessions, each an actor in a host with one ended task',
  run: measure,
};

async function measure({ quick, scratch, onStep }: FigureOptions): Promise<FigureResult> {
  const count = quick ? 500 : 10_000;
  const rounds = quick ? 1 : 3;
  const path = join(scratch, 'log.sqlite');
  onStep('writing the log');
  await runSessions('write', count, path);
  const samples: Record<'ours' | 'raw' | 'few', SessionsMeasure[]> = { ours: [], raw: [], few: [] };
  for (let round = 0; round < rounds; round += 1) {
    onStep(`round ${round + 1} of ${rounds}`);
    // Each opens sessions of its own beside those of the log.
    const first = (2 * round + 1) * 1_000_000;
    samples.ours.push(await measureIn('actors', count, path, first));
    samples.raw.push(await measureIn('objects', count, path, 0));
    samples.few.push(await measureIn('actors', 1, path, first + 1_000_000));
  }
  const of = (side: keyof typeof samples, key: keyof SessionsMeasure): number =>
    median(samples[side].map((sample) => sample[key]));
  const row = (what: string, unit: string, ours: number, raw: number, against: string): Row => ({
    what,
    unit,
    ours,
    raw,
    against,
    ratio: ours / raw,
  });
  const sessionsText = `${count.toLocaleString('en-US')} live sessions`;
  return {
    rows: [
      row(
        `RSS with ${sessionsText}`,
        'MiB',
        of('ours', 'rssBytes') / 2 ** 20,
        of('few', 'rssBytes') / 2 ** 20,
        'the same process with 1 session',
      ),
      row(
        'resident bytes per session',
        'bytes',
        of('ours', 'addedRssBytes') / count,
        of('raw', 'addedRssBytes') / count,
        'the same states as plain objects',
      ),
      row(
        'heap bytes per session',
        'bytes',
        of('ours', 'addedHeapBytes') / count,
        of('raw', 'addedHeapBytes') / count,
        'the same states as plain objects',
      ),
      row(
        `one more session beside ${sessionsText}`,
        'ms',
        of('ours', 'openMs'),
        of('few', 'openMs'),
        'one more beside 1 session',
      ),
    ],
    notes: [],
  };
}

async function measureIn(
  mode: 'actors' | 'objects',
  count: number,
  path: string,
  first: number,
): Promise<SessionsMeasure> {
  return JSON.parse(await runSessions(mode, count, path, String(first))) as SessionsMeasure;
}

/** Runs `sessions-process.ts`. @returns what it printed. */
function runSessions(mode: 'write' | 'actors' | 'objects', count: number, ...rest: string[]): Promise<string> {
  return inProcess('sessions-process.ts', mode, String(count), ...rest);
}

import { Command, Option } from 'commander';
import type { SessionContext } from '../../actors/session/context.ts';
import { PouwError } from '../core/errors.ts';
import type { Folded } from '../core/fold.ts';
import { parseStreamId, type StreamId } from '../core/ids.ts';
import { formatCor } from '../core/wei.ts';
import { foldAll, type FoldedStream, foldStream, type StreamFold } from '../replay/fold-stream.ts';
import { soundSource } from '../replay/sound-source.ts';
import type { LogSource } from '../replay/source.ts';
import { momentText } from '../replay/timeline.ts';
import { openLog } from './log/open-log.ts';
import { noSuchStream, streamOption, type StreamOptions } from './log/stream-option.ts';
import { wholeNumber } from './parse-options.ts';
import { print, printJson } from './print.ts';
import { WrongUsage } from './report-error.ts';

interface ReplayOptions extends StreamOptions {
  readonly at?: number;
  readonly json?: boolean;
}

/** `pouw replay`. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('Fold a log and print the state it leads to; of all sessions unless one is named.')
    .argument('<source>', 'a data directory, or a file that `pouw log export` wrote')
    .addOption(new Option('--session <id>', 'this session only').conflicts('stream'))
    .option('--stream <name>', 'this stream only, of any kind')
    .option(
      '--at <version>',
      'the state after this version of the stream, not after its newest',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--json', 'print one JSON object {stream, version, stateHash, state} per stream')
    .action(runReplay);
}

async function runReplay(path: string, options: ReplayOptions): Promise<void> {
  const { at, json = false } = options;
  if (at !== undefined && options.session === undefined && options.stream === undefined) throw atNeedsStream();
  const log = await openLog(path);
  try {
    const source = soundSource(log.source);
    const stream = streamOption(source, options);
    const folded = stream === undefined ? await foldSessions(source) : [await foldOne(source, stream, at)];
    for (const one of folded) await (json ? printJson(jsonOf(one)) : print(`${textOf(one)}\n`));
    if (folded.length === 0 && !json) await print('The log has no sessions.\n');
  } finally {
    await log.close();
  }
}

/** The actors bring xstate: only who folds loads it. */
async function loadFolds(): Promise<(stream: StreamId) => StreamFold<Folded<unknown>>> {
  return (await import('../replay/actor-folds.ts')).actorFold;
}

type FoldedActor = FoldedStream<Folded<unknown>>;

async function foldSessions(source: LogSource): Promise<readonly FoldedActor[]> {
  const actorFold = await loadFolds();
  const folded = await foldAll(source, (stream) => (stream.startsWith('session.') ? actorFold(stream) : undefined));
  return folded as readonly FoldedActor[];
}

async function foldOne(source: LogSource, stream: StreamId, atVersion: number | undefined): Promise<FoldedActor> {
  const actorFold = await loadFolds();
  try {
    return await foldStream(source, stream, actorFold(stream), atVersion === undefined ? {} : { atVersion });
  } catch (error) {
    if (error instanceof PouwError && error.code === 'stream_not_found') throw noSuchStream(source, stream);
    throw error;
  }
}

function jsonOf({ stream, version, stateHash, state }: FoldedActor): object {
  return { stream, version, stateHash, state };
}

function textOf(folded: FoldedActor): string {
  const { stream, version, at, state, stateHash } = folded;
  const summary =
    parseStreamId(stream).kind === 'session'
      ? sessionLines(state.context as SessionContext)
      : contextLines(state.context);
  return [
    `${stream}@${version}`,
    line('written', momentText(at)),
    line('state', state.value),
    ...summary,
    line('state hash', stateHash),
    '',
  ].join('\n');
}

function sessionLines({ client, terms, money, tasks, counts }: SessionContext): string[] {
  const { depositedWei, balanceWei, escrowedWei, paidWei, refundedWei } = money;
  const unfinished = Object.values(tasks).filter(({ value }) => value !== 'settled' && value !== 'refunded').length;
  const shares = { balance: balanceWei, 'in escrow': escrowedWei, paid: paidWei, refunded: refundedWei };
  const parts = Object.entries(shares).map(([name, wei]) => `${formatCor(wei)} ${name}`);
  return [
    line('client', client ?? 'unknown'),
    ...(terms === null
      ? []
      : [line('terms', `${terms.model}, ${terms.redundancy} miners, ${terms.validators} validators`)]),
    line('money', `${formatCor(depositedWei)} COR deposited = ${parts.join(' + ')}`),
    line(
      'tasks',
      `${counts.submitted} submitted, ${counts.settled} settled, ${counts.refunded} refunded, ${unfinished} unfinished`,
    ),
  ];
}

/** Any other actor: how many entries each part of its context has, or its value where it is a plain one. */
function contextLines(context: unknown): string[] {
  return Object.entries(context as Readonly<Record<string, unknown>>).map(([name, value]) =>
    line(name, sizeText(value)),
  );
}

function sizeText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const size = Array.isArray(value) ? value.length : Object.keys(value).length;
  return `${size} ${size === 1 ? 'entry' : 'entries'}`;
}

function line(name: string, text: string): string {
  return `  ${name.padEnd(12)}${text}`;
}

function atNeedsStream(): WrongUsage {
  const error = new PouwError('version_without_stream', '--at says a version, but not of which stream.', {
    class: 'invalid',
    why: 'Every stream counts its own versions.',
    hint: 'Name the session with --session, or a stream of another kind with --stream.',
    param: 'at',
  });
  return new WrongUsage(error);
}

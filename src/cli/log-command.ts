import { Command, Option } from 'commander';
import { errorMessage, PouwError } from '../core/errors.ts';
import { soundSource } from '../replay/sound-source.ts';
import type { CheckedLog } from './log/against.ts';
import { exportToFile, exportToStdout } from './log/export.ts';
import { listStreams } from './log/list.ts';
import { type OpenLog, openLog } from './log/open-log.ts';
import { showHistory } from './log/show.ts';
import { streamOption, type StreamOptions } from './log/stream-option.ts';
import { checkLog } from './log/verify.ts';
import { verifyText } from './log/verify-report.ts';
import { rpcUrlOption, wholeNumber } from './parse-options.ts';
import { endWithReader, print, printJson } from './print.ts';
import { exitCodes } from './report-error.ts';

const sourceText = 'a data directory, or a file that `pouw log export` wrote';
const rpcText = 'check against this chain instead of the one in the data directory';

/** `pouw log`. */
export function logCommand(): Command {
  const log = new Command('log')
    .description('Look into a log of events: list its streams, read a history, verify it, export it.')
    .exitOverride();
  log
    .command('list')
    .description('List the streams of a log.')
    .argument('<source>', sourceText)
    .option('--json', 'print one JSON object {source, streams}')
    .action(runList);
  log
    .command('show')
    .description('Show what happened, event by event; in all sessions unless one is named.')
    .argument('<source>', sourceText)
    .addOption(new Option('--session <id>', 'this session only').conflicts('stream'))
    .option('--stream <name>', 'this stream only, of any kind')
    .option('--json', 'print one JSON object per event')
    .action(runShow);
  log
    .command('verify')
    .description('Verify hashes, signatures, authors and on-chain anchors; exit code 1 where something is wrong.')
    .argument('<source>', sourceText)
    .option('--rpc <url>', rpcText, rpcUrlOption)
    .option(
      '--epoch <number>',
      'leave out later anchors: for an export that is older than the chain',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--json', 'print one JSON object {ok, first, faults, …}')
    .action(runVerify);
  log
    .command('export')
    .description('Export a log as NDJSON, with the keys and anchors that prove it.')
    .argument('<source>', sourceText)
    .option('--out <file>', 'write to this file instead of standard output')
    .option('--rpc <url>', rpcText, rpcUrlOption)
    .action(runExport);
  return log;
}

async function runList(path: string, { json = false }: { json?: boolean }): Promise<void> {
  endWithReader();
  const log = await openLog(path);
  try {
    await listStreams(soundSource(log.source), json);
  } finally {
    await log.close();
  }
}

async function runShow(path: string, options: StreamOptions & { json?: boolean }): Promise<void> {
  endWithReader();
  const log = await openLog(path);
  try {
    await showHistory(soundSource(log.source), streamOption(log.source, options), options.json ?? false);
  } finally {
    await log.close();
  }
}

interface VerifyOptions {
  readonly rpc?: string;
  readonly epoch?: number;
  readonly json?: boolean;
}

async function runVerify(path: string, options: VerifyOptions): Promise<void> {
  endWithReader();
  try {
    const ok = await verify(path, options);
    if (!ok) process.exitCode = exitCodes.failed;
  } catch (error) {
    // A log too damaged to be opened is a finding too, and a program wants it in the same form.
    if (options.json !== true || !(error instanceof PouwError) || error.class !== 'corrupt') throw error;
    const first = { code: error.code, stream: null, version: null, position: null, message: errorMessage(error) };
    await printJson({ ok: false, source: path, against: null, first, faults: [first], faultCount: 1 });
    process.exitCode = exitCodes.failed;
  }
}

async function verify(path: string, { rpc, epoch, json = false }: VerifyOptions): Promise<boolean> {
  const log = await openLog(path);
  try {
    const { source, against } = await askChain(log, rpc);
    const report = await checkLog({ source, database: log.database, epochMax: epoch });
    if (json) await printJson({ source: source.origin, against, ...report });
    else await print(verifyText(source.origin, against, report));
    return report.ok;
  } finally {
    await log.close();
  }
}

async function runExport(path: string, { out, rpc }: { readonly out?: string; readonly rpc?: string }): Promise<void> {
  endWithReader();
  const log = await openLog(path);
  try {
    const { source } = await askChain(log, rpc);
    await (out === undefined ? exportToStdout(source) : exportToFile(source, out));
  } finally {
    await log.close();
  }
}

/** Loading a client of the chain takes longer than most commands: only who asks the chain pays for it. */
async function askChain(log: OpenLog, rpcUrl: string | undefined): Promise<CheckedLog> {
  const against = await import('./log/against.ts');
  return against.askChain(log, rpcUrl);
}

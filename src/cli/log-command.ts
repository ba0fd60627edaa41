import { Command, Option } from 'commander';
import { errorMessage, PouwError } from '../core/errors.ts';
import { soundSource } from '../replay/sound-source.ts';
import type { CheckedLog } from './log/against.ts';
import { exportToFile, exportToStdout } from './log/export.ts';
import { listStreams } from './log/list.ts';
import type { NatsLogOptions } from './log/nats-log.ts';
import { type OpenLog, openLog } from './log/open-log.ts';
import { type ReputationOptions, showReputation } from './log/reputation.ts';
import { showHistory } from './log/show.ts';
import { streamOption, type StreamOptions } from './log/stream-option.ts';
import { checkLog } from './log/verify.ts';
import { verifyText } from './log/verify-report.ts';
import { natsPeerOptions } from './nats-options.ts';
import { rpcUrlOption, wholeNumber } from './parse-options.ts';
import { print, printJson } from './print.ts';
import { exitCodes } from './report-error.ts';

const sourceText = 'a data directory, a file that `pouw log export` wrote, or nats://… of a network';
const rpcText = 'check against this chain instead of the one in the data directory';

/** `pouw log`. */
export function logCommand(): Command {
  const log = new Command('log')
    .description('Look into a log of events: list its streams, read a history, verify it, export it.')
    .exitOverride();
  registryOnNats(log.command('list'))
    .description('List the streams of a log.')
    .argument('<source>', sourceText)
    .option('--json', 'print one JSON object {source, streams}')
    .action(runList);
  registryOnNats(log.command('show'))
    .description('Show what happened, event by event; in all sessions unless one is named.')
    .argument('<source>', sourceText)
    .addOption(new Option('--session <id>', 'this session only').conflicts('stream'))
    .option('--stream <name>', 'this stream only, of any kind')
    .option('--json', 'print one JSON object per event')
    .action(runShow);
  checkedOnNats(log.command('verify'))
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
  checkedOnNats(log.command('reputation'))
    .description('Compute the reputation of all nodes from the sessions of a log, and the root for the chain.')
    .argument('<source>', sourceText)
    .option('--rpc <url>', rpcText, rpcUrlOption)
    .option('--epoch <number>', 'as of this epoch of anchors', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--from <position>', 'the first new position, for the manifest', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option('--json', 'print one JSON object {from, to, standings, root, manifestDigest, …}')
    .action(runReputation);
  checkedOnNats(log.command('export'))
    .description('Export a log as NDJSON, with the keys and anchors that prove it.')
    .argument('<source>', sourceText)
    .option('--out <file>', 'write to this file instead of standard output')
    .option('--rpc <url>', rpcText, rpcUrlOption)
    .action(runExport);
  return log;
}

/** For a log on NATS: how to get at it. */
function onNats(command: Command): Command {
  return natsPeerOptions(command, 'an observer, for a log on NATS');
}

/** For a log on NATS: how to get at it, and whose registry says which commits count. */
function registryOnNats(command: Command): Command {
  return onNats(command)
    .option('--rpc <url>', 'for a log on NATS: leave out what its registry’s keys have not signed', rpcUrlOption)
    .option('--deployment <file>', 'for a log on NATS: the deployment.json of its contracts, for --rpc');
}

/** For a log on NATS: how to get at it, and at what the chain is asked about. */
function checkedOnNats(command: Command): Command {
  return onNats(command)
    .option('--deployment <file>', 'for a log on NATS: the deployment.json of its contracts; --rpc names the chain')
    .option('--content <dir...>', 'for a log on NATS: data folders of routers, which have the manifests of anchors');
}

async function runList(path: string, { json = false, ...nats }: NatsLogOptions & { json?: boolean }): Promise<void> {
  const log = await openLog(path, nats);
  try {
    await listStreams(soundSource(log.source), json);
  } finally {
    await log.close();
  }
}

async function runShow(path: string, options: NatsLogOptions & StreamOptions & { json?: boolean }): Promise<void> {
  const log = await openLog(path, options);
  try {
    await showHistory(soundSource(log.source), streamOption(log.source, options), options.json ?? false);
  } finally {
    await log.close();
  }
}

interface VerifyOptions extends NatsLogOptions {
  readonly rpc?: string;
  readonly epoch?: number;
  readonly json?: boolean;
}

async function runVerify(path: string, options: VerifyOptions): Promise<void> {
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

async function verify(path: string, { rpc, epoch, json = false, ...nats }: VerifyOptions): Promise<boolean> {
  const log = await openLog(path, { ...nats, ...(rpc === undefined ? {} : { rpc }) });
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

async function runReputation(
  path: string,
  { rpc, epoch, from, json, ...nats }: NatsLogOptions & ReputationOptions & { rpc?: string },
): Promise<void> {
  const log = await openLog(path, nats);
  try {
    // Only anchors are the chain's to tell.
    const source = epoch === undefined ? log.source : (await askChain(log, rpc)).source;
    await showReputation(soundSource(source), {
      ...(epoch !== undefined && { epoch }),
      ...(from !== undefined && { from }),
      ...(json !== undefined && { json }),
    });
  } finally {
    await log.close();
  }
}

async function runExport(path: string, options: NatsLogOptions & { out?: string; rpc?: string }): Promise<void> {
  const { out, rpc, ...nats } = options;
  const log = await openLog(path, { ...nats, ...(rpc === undefined ? {} : { rpc }) });
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

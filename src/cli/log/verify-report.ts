import type { LogFault } from '../../replay/fault.ts';
import type { Against } from './against.ts';
import type { CheckReport } from './verify.ts';

/** Faults shown to a person; `--json` has more. */
const faultsShown = 10;

/** A verification as a person reads it. */
export function verifyText(origin: string, against: Against, report: CheckReport): string {
  const { commits, events, streams, anchors, parts } = report;
  const signed = parts === 0 ? '' : `, ${count(parts, 'part')} of batched tasks`;
  const counts = `${count(commits, 'commit')}, ${count(events, 'event')}, ${count(streams, 'stream')}, ${count(anchors, 'anchor')}${signed}`;
  const head = [`log      ${origin}`, `read     ${counts}`, `against  ${againstText(against)}`];
  const found = report.ok ? goodLines(report) : badLines(report);
  return `${[...head, '', ...found, ...passedLines(report)].join('\n')}\n`;
}

/** `<stream>@<version>, position <n>`, as far as it is known. */
function placeText({ stream, version, position }: Pick<LogFault, 'stream' | 'version' | 'position'>): string {
  const commit = stream === null ? [] : [version === null ? stream : `${stream}@${version}`];
  const place = position === null ? [] : [`position ${position}`];
  return [...commit, ...place].join(', ') || 'the log as a whole';
}

function againstText(against: Against): string {
  switch (against.kind) {
    case 'chain':
      return `chain ${against.chainId} at ${against.rpcUrl}`;
    case 'saved-chain':
      return `chain ${against.chainId} as it was saved in the data directory`;
    case 'header':
      return 'the keys and anchors in the file’s own header (--rpc URL asks the chain)';
  }
}

function goodLines({ commits, anchored, ordered, epoch }: CheckReport): string[] {
  const lines = ['OK: every hash, signature and author is right, and nothing that was anchored is missing.'];
  const loose = commits - anchored;
  const since = epoch === 0 ? 'Nothing is anchored yet' : `The newest anchor is epoch ${epoch}`;
  const isEven = ordered === anchored;
  const risk = isEven ? 'cut off or reordered' : 'cut off';
  if (loose > 0)
    lines.push(`${since}: the last ${count(loose, 'commit')} could be ${risk} unnoticed until the next one.`);
  if (!isEven) lines.push(`Across streams the order is anchored up to position ${ordered} only.`);
  return lines;
}

function badLines({ first, faults, faultCount }: CheckReport): string[] {
  const lines = [`BAD: ${count(faultCount, 'fault')}.`];
  if (first !== null) lines.push(`first bad commit  ${placeText(first)}`, `  ${first.code}: ${first.message}`);
  const others = faults.filter((fault) => fault !== first);
  if (others.length > 0) lines.push('', 'also:');
  for (const { code, message } of others.slice(0, faultsShown)) lines.push(`  ${code}: ${message}`);
  const more = faultCount - 1 - Math.min(others.length, faultsShown);
  if (more > 0) lines.push(`  and ${more} more`);
  return lines;
}

/** What others have put into the log is named, and is no fault of the log. */
function passedLines({ passedOver: { count: passed, first } }: CheckReport): string[] {
  if (passed === 0) return [];
  const lines = ['', `PASSED OVER: ${count(passed, 'message')} that ${passed === 1 ? 'does' : 'do'} not count.`];
  for (const { position, code, stream } of first.slice(0, faultsShown))
    lines.push(`  ${code}: ${stream === null ? '' : `in the place of ${stream}, `}position ${position}`);
  const more = passed - Math.min(first.length, faultsShown);
  if (more > 0 && first.length > 0) lines.push(`  and ${more} more`);
  return lines;
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}

import type { Standing } from '../../core/checkpoint.ts';
import {
  anchoredPosition,
  type ReputationCheckpoint,
  reputationCheckpoint,
} from '../../replay/reputation-checkpoint.ts';
import type { LogSource } from '../../replay/source.ts';
import { print, printJson } from '../print.ts';
import { table } from '../table.ts';

/** What `pouw log reputation` is asked for. */
export interface ReputationOptions {
  /** As of this epoch of anchors; as of the end of the log where it is left out. */
  readonly epoch?: number;
  /** The first position that is new. */
  readonly from?: number;
  readonly json?: boolean;
}

/** `pouw log reputation`: the checkpoint of reputation that a log leads to. */
export async function showReputation(source: LogSource, { epoch, from = 1, json }: ReputationOptions): Promise<void> {
  const to = epoch === undefined ? undefined : anchoredPosition(await source.anchors(), epoch);
  const made = await reputationCheckpoint(source, { from, ...(to !== undefined && { to }) });
  if (json === true) await printJson(reportOf(source, epoch, made));
  else await print(reputationText(source, epoch, made));
}

function reportOf(source: LogSource, epoch: number | undefined, made: ReputationCheckpoint): object {
  const { manifest, manifestDigest, cid, root, tasks } = made;
  const { from, to, standings } = manifest;
  return { source: source.origin, epoch: epoch ?? null, from, to, tasks, standings, root, manifestDigest, cid };
}

function reputationText(source: LogSource, epoch: number | undefined, made: ReputationCheckpoint): string {
  const { manifest, manifestDigest, cid, root, tasks } = made;
  const bound = epoch === undefined ? 'all of the log' : `anchored in epoch ${epoch}`;
  const head = [
    `log        ${source.origin}`,
    `positions  ${manifest.from} to ${manifest.to}, ${bound}`,
    `tasks      ${tasks} that say something about their miners`,
  ];
  if (root === null) return `${[...head, '', 'Nobody has a reputation yet.'].join('\n')}\n`;
  const tail = [`root       ${root}`, `manifest   ${manifestDigest}`, `           ${cid}`];
  return `${[...head, '', standingsTable(manifest.standings), '', ...tail].join('\n')}\n`;
}

function standingsTable(standings: readonly Standing[]): string {
  const columns = [
    { title: 'node' },
    { title: 'score', right: true },
    { title: 'level', right: true },
    { title: 'honest', right: true },
    { title: 'outlier', right: true },
    { title: 'timed out', right: true },
    { title: 'idle work', right: true },
  ];
  const rows = standings.map(({ node, scoreBps, level, honest, outlier, timedOut, idleWork }) => [
    node,
    (scoreBps / 10_000).toFixed(4),
    ...[level, honest, outlier, timedOut, idleWork].map(String),
  ]);
  return table(columns, rows);
}

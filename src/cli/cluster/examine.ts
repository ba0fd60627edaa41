import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SessionContext } from '../../../actors/session/context.ts';
import { foldSession } from '../../../actors/session/machine.ts';
import { taskOf } from '../../../actors/session/tasks.ts';
import type { TaskContext } from '../../../actors/task/context.ts';
import { auditDeployment, type ChainAudit } from '../../adapters/chain/chain-audit.ts';
import { openChainReader } from '../../adapters/chain/chain-reader.ts';
import { readDeploymentFile } from '../../adapters/chain/deployment-record.ts';
import { openBlockReader } from '../../adapters/ipfs/block-reader.ts';
import { present } from '../../core/assert.ts';
import { foldCommit } from '../../core/fold-commit.ts';
import type { Folded } from '../../core/fold.ts';
import type { Hex } from '../../core/hash.ts';
import { parseStreamId, type SessionId, type TaskId } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import { addWei } from '../../core/wei.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { DoneFault } from './chaos.ts';
import { taskView } from '../../nodes/task-view.ts';
import type { TaskView } from '../../ports/task-views.ts';
import { anchorOf, keysOf, storeSource } from '../../replay/source.ts';
import { verifyLog, type VerifyReport } from '../../replay/verify.ts';

/** What the log says of the network's sessions and tasks. */
export interface LogSummary {
  readonly commits: number;
  readonly events: number;
  /** The hash of each commit, by `stream@version`. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Every task at its end, or as it is now. */
  readonly tasks: ReadonlyMap<TaskId, TaskView>;
  /** Sessions whose money does not add up in the log. */
  readonly unbalanced: readonly SessionId[];
}

/** Reads a whole log and folds its sessions. */
export async function summariseLog(store: EventStore): Promise<LogSummary> {
  const sessions = new Map<SessionId, Folded<SessionContext>>();
  const tasks = new Map<TaskId, TaskView>();
  const hashes = new Map<string, string>();
  let commits = 0;
  let events = 0;
  for await (const { commit } of store.readAll()) {
    commits += 1;
    events += commit.events.length;
    hashes.set(`${commit.stream}@${commit.version}`, commit.hash);
    const { kind, key } = parseStreamId(commit.stream);
    if (kind !== 'session') continue;
    const session = key as SessionId;
    let state = sessions.get(session) ?? foldSession.initial;
    ({ state } = foldCommit(foldSession, state, commit));
    sessions.set(session, state);
    for (const event of commit.events) {
      const task = 'task' in event ? taskOf(state.context, event['task'] as TaskId) : undefined;
      if (task !== undefined) tasks.set(task.context.task, viewOf(session, task));
    }
  }
  const unbalanced = [...sessions].filter(([, { context }]) => !isBalanced(context)).map(([session]) => session);
  return { commits, events, hashes, tasks, unbalanced };
}

function viewOf(session: SessionId, task: Folded<TaskContext>): TaskView {
  return taskView(session, task, { text: null, finishReason: null, unreadable: null, anchor: null });
}

function isBalanced({ money }: SessionContext): boolean {
  const { depositedWei, balanceWei, escrowedWei, paidWei, refundedWei } = money;
  return addWei(balanceWei, escrowedWei, paidWei, refundedWei) === depositedWei;
}

/** A commit that was acknowledged to a node, as the node wrote it down: `stream@version` and its hash. */
export type Acknowledged = readonly [commit: string, hash: string];

/** Every commit that was acknowledged so far. */
export async function acknowledgedCommits(folder: string): Promise<Acknowledged[]> {
  const found: Acknowledged[] = [];
  for (const name of readdirSync(folder)) {
    const file = join(folder, name, acksFile);
    if (!existsSync(file)) continue;
    for await (const line of createInterface({ input: createReadStream(file) })) {
      // The last line of a process that was killed may be torn.
      const [commit, hash] = line.split(' ');
      if (commit !== undefined && hash?.length === 64) found.push([commit, hash]);
    }
  }
  return found;
}

/** Acknowledged commits that a log does not have, or has otherwise. The log must be read after they were collected. */
export function lostCommits(acknowledged: readonly Acknowledged[], { hashes }: LogSummary): string[] {
  return acknowledged.filter(([commit, hash]) => hashes.get(commit) !== hash).map(([commit]) => commit);
}

/** Where a node of a cluster writes down which commits were acknowledged to it. */
export const acksFile = 'acknowledged.txt';

/** Effects that the contracts have applied more than once, and tasks that ended more than once. */
export function duplicates({ effects, endings }: ChainAudit): string[] {
  return [
    ...[...effects].filter(([, count]) => count > 1).map(([effect]) => effect),
    ...[...endings].filter(([, ends]) => ends.length > 1).map(([task]) => task),
  ];
}

/** Reads what the contracts have logged. */
export async function auditOf(rpcUrl: string, deploymentFile: string): Promise<ChainAudit> {
  const record = present(await readDeploymentFile(deploymentFile), 'the deployment');
  return auditDeployment(rpcUrl, record.deployment);
}

/** Verifies a log on NATS against the chain; manifests are read from the routers' folders. */
export async function verifyCluster(
  store: EventStore,
  rpcUrl: string,
  deploymentFile: string,
  routerFolders: readonly string[],
): Promise<VerifyReport> {
  const record = present(await readDeploymentFile(deploymentFile), 'the deployment');
  const reader = await openChainReader({ rpcUrl, ...record, retryMs: 10_000 });
  const readers = routerFolders.map((folder) => openBlockReader(folder));
  const content = async (digest: Hex): Promise<Json | null> => {
    for (const { get } of readers) {
      const found = await get(digest);
      if (found !== undefined) return found;
    }
    return null;
  };
  const anchors = [];
  for (const fact of await reader.anchors()) anchors.push(anchorOf(fact, await content(fact.manifestDigest)));
  const knowledge = { deployment: record.deployment, keys: keysOf(await reader.nodes()), anchors };
  return verifyLog(storeSource('NATS', store, knowledge));
}

/** A change of hands of sessions, from a router's own lines. */
export interface TakeOver {
  readonly at: number;
  readonly router: string;
  readonly group: string;
}

/** When routers took groups of sessions up, from their logs. */
export function takeOvers(routers: readonly { readonly name: string; readonly folder: string }[]): TakeOver[] {
  return routers
    .flatMap(({ name, folder }) =>
      readFileSync(join(folder, 'pouw.log'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('sessions taken up'))
        .map((line) => JSON.parse(line) as { readonly at: string; readonly group: string })
        .map(({ at, group }) => ({ at: Date.parse(at), router: name, group })),
    )
    .toSorted((a, b) => a.at - b.at);
}

/** How long after a paused router goes on a take-over may still be for its sake, in milliseconds. */
const takeOverLagMs = 500;

/**
 * How long groups were without an owner: for each fault of a router, the time until each group it held was taken up
 * by another one. Groups that came back to the same router were not failed over, and neither were those of a router that
 * went on before anybody missed it: what changes hands later does so for another reason.
 */
export function failovers(faults: readonly DoneFault[], taken: readonly TakeOver[], withinMs: number): number[] {
  return faults
    .filter(({ target }) => target === 'router')
    .flatMap(({ at, name, kind, forMs }) => {
      const missedUntil = at + (kind === 'pause' ? forMs + takeOverLagMs : withinMs);
      const owner = new Map<string, string>();
      for (const one of taken) if (one.at <= at) owner.set(one.group, one.router);
      const held = [...owner].filter(([, router]) => router === name).map(([group]) => group);
      return held.flatMap((group) => {
        const next = taken.find((one) => one.group === group && one.at > at);
        if (next === undefined || next.router === name || next.at - at > withinMs || next.at > missedUntil) return [];
        return [next.at - at];
      });
    });
}

import type { Address, Cid, Role, SessionId, TaskId } from '../core/ids.ts';

/** The root of every subject; its version goes up when messages change in a way old nodes cannot read. */
export const subjectRoot = 'pouw.v1';

/** Where a node takes commands: request and reply. */
export function commandSubject(role: Role, node: Address, verb: string): string {
  return `${subjectRoot}.cmd.${role}.${node}.${verb}`;
}

/** Where a miner's tokens for a task go; only the router (or the direct client) may subscribe. */
export function tokenSubject(session: SessionId, task: TaskId, miner: Address | '*'): string {
  return `${subjectRoot}.tok.${session}.${task}.${miner}`;
}

/** Where a node says that it lives. */
export function heartbeatSubject(role: Role | '*', node: Address | '*'): string {
  return `${subjectRoot}.hb.${role}.${node}`;
}

/** Where a process asks all others who holds a block; who does not stays silent. */
export function blockWantSubject(cid: Cid | '*', asker: string): string {
  return `${subjectRoot}.blk.want.${cid}.${asker}`;
}

/** Where a process hears who holds what it wants; only the holder may publish under its name. */
export function blockOfferSubject(asker: string, holder: string): string {
  return `${subjectRoot}.blk.offer.${asker}.${holder}`;
}

/** Where a holder is asked for a range of a block: request and reply. */
export function blockRangeSubject(holder: string): string {
  return `${subjectRoot}.blk.range.${holder}`;
}

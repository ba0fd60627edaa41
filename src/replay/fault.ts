import type { CommitFault } from '../core/commit.ts';
import type { StreamId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';

/** What can be wrong with a log; the codes are stable. */
export type LogFaultCode =
  | CommitFault
  /** The commit does not have the form of one. */
  | 'wrong_form'
  /** The commit is not where its position says, or positions are missing before it. */
  | 'wrong_position'
  /** The signature is good, but the author may not write this stream. */
  | 'forbidden_author'
  /** A claim of an offered place does not carry the signature of the miner it names. */
  | 'forged_claim'
  /** What a node is said to have signed of a batched task is not signed by it, or not what it was bound to. */
  | 'forged_part'
  /** Two authors wrote a stream under one fence, and a lease has one holder. */
  | 'shared_fence'
  /** The log ends before a commit that the chain or the export's header names. */
  | 'tail_cut'
  /** An anchored commit is not the one in the log. */
  | 'anchor_mismatch'
  /** An epoch is missing, or an anchor does not name an earlier one as its previous. */
  | 'anchor_broken_chain'
  | 'anchor_manifest_missing'
  /** The manifest is not the one the chain names, or does not lead to the root on chain. */
  | 'anchor_wrong_manifest'
  /** The export's header says something else than the commits do. */
  | 'header_mismatch'
  /** The source could not be read on: the code of the error underneath. */
  | 'log_malformed'
  | 'log_corrupt'
  | 'log_newer_version';

/** One thing that is wrong, and the commit it is about as far as that is known. */
export interface LogFault {
  readonly code: LogFaultCode;
  readonly stream: StreamId | null;
  readonly version: number | null;
  readonly position: number | null;
  /** What is wrong, in one sentence. */
  readonly message: string;
}

/** Which commit a fault is about, as far as that is known. */
export type FaultPlace = Partial<Pick<LogFault, 'stream' | 'version' | 'position'>>;

/** Collects faults: the first `limits.logFaultsMax` are kept, all are counted. */
export class FaultList {
  readonly kept: LogFault[] = [];
  count = 0;

  add(code: LogFaultCode, message: string, place: FaultPlace = {}): void {
    this.insert(this.count, code, message, place);
  }

  /** Puts a fault that was understood late where it belongs: behind the `before` faults that were there first. */
  insert(before: number, code: LogFaultCode, message: string, place: FaultPlace): void {
    this.count += 1;
    if (before >= limits.logFaultsMax) return;
    const { stream = null, version = null, position = null } = place;
    this.kept.splice(before, 0, { code, stream, version, position, message });
    this.kept.length = Math.min(this.kept.length, limits.logFaultsMax);
  }
}

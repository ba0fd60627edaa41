import { errorMessage, PouwError } from '../core/errors.ts';
import type { StoredCommit } from '../ports/event-store.ts';
import { AnchorChecker } from './check-anchors.ts';
import { CommitChecker } from './check-commits.ts';
import { PartChecker } from './check-parts.ts';
import { OrderChecker } from './check-order.ts';
import { FaultList, type FaultPlace, type LogFault, type LogFaultCode } from './fault.ts';
import type { LogClaims, LogSource, PassedOverList } from './source.ts';

/** What a verification found. */
export interface VerifyReport {
  readonly ok: boolean;
  /** Commits, streams and events that were read. */
  readonly commits: number;
  readonly streams: number;
  readonly events: number;
  readonly anchors: number;
  /** Precommits, results and verdicts of batched tasks, whose signatures and bindings were checked. */
  readonly parts: number;
  /** The last position up to which anchors prove the order of all commits, over all streams; 0 where none does. */
  readonly ordered: number;
  /** The first fault that names a commit, else the first fault; null for a sound log. */
  readonly first: LogFault | null;
  /** In the order of the log, then what is missing at the end; at most `limits.logFaultsMax`. */
  readonly faults: readonly LogFault[];
  /** All faults, those beyond the list too. */
  readonly faultCount: number;
  /** What others have put into the log that does not count: no fault of the log. */
  readonly passedOver: PassedOverList;
}

/**
 * Checks a whole log in one pass: every commit's form, place, chain, hash, signature and author, that all the chain
 * has anchored is there and stands where it was anchored, and for an export that its header says what follows.
 *
 * A bad log is a report with faults, not an error; what throws is a log that cannot be read at all.
 *
 * @throws PouwError `log_unreadable`.
 */
export async function verifyLog(source: LogSource): Promise<VerifyReport> {
  const faults = new FaultList();
  const anchors = await source.anchors();
  const commitChecker = new CommitChecker(await source.keys(), faults);
  const anchorChecker = new AnchorChecker(anchors, faults);
  const orderChecker = new OrderChecker(anchors, faults);
  const partChecker = new PartChecker(source.deployment, faults);
  const unreadable = await readOn(source, (stored) => {
    const before = faults.count;
    commitChecker.take(stored);
    partChecker.take(stored, faults.count > before);
    anchorChecker.take(stored);
    orderChecker.take(stored, faults.count > before);
  });
  // After a line that cannot be read nothing is known of the rest, so nothing is missing there.
  if (unreadable !== undefined) {
    addUnreadable(unreadable, commitChecker.position + 1, faults);
  } else {
    anchorChecker.finish((stream) => commitChecker.heads.get(stream)?.version ?? 0);
    if (source.claims !== null) checkClaims(source.claims, commitChecker, faults);
  }
  // Last, because what else was found tells why a commit stands where it stands.
  orderChecker.finish(commitChecker.position);
  const { kept, count } = faults;
  return {
    ok: count === 0,
    commits: commitChecker.commits,
    streams: commitChecker.heads.size,
    events: commitChecker.events,
    anchors: anchors.length,
    parts: partChecker.checked,
    ordered: Math.min(orderChecker.bound, commitChecker.position),
    first: kept.find(({ stream }) => stream !== null) ?? kept[0] ?? null,
    faults: kept,
    faultCount: count,
    passedOver: source.passedOver?.() ?? { count: commitChecker.passed, first: [] },
  };
}

/** Reads the log through. @returns the error where it cannot be read on. */
async function readOn(source: LogSource, take: (stored: StoredCommit) => void): Promise<PouwError | undefined> {
  try {
    for await (const stored of source.readAll()) take(stored);
    return undefined;
  } catch (error) {
    if (error instanceof PouwError && error.class === 'corrupt') return error;
    throw error;
  }
}

/** The fault of what could not be read; `next` is the position that had to follow. */
function addUnreadable(error: PouwError, next: number, faults: FaultList): void {
  const { position = next, ...place } = (error.details ?? {}) as FaultPlace;
  const why = error.why === undefined ? '' : ` ${error.why}`;
  faults.add(error.code as LogFaultCode, `${errorMessage(error)}${why}`, { ...place, position });
}

function checkClaims(claims: LogClaims, { heads, commits, position }: CommitChecker, faults: FaultList): void {
  for (const [stream, version, hash] of claims.heads) {
    const head = heads.get(stream);
    const last = head?.version ?? 0;
    if (last < version) {
      const message = `${stream} ends at version ${last}, but the header has version ${version}: its tail was cut.`;
      faults.add('tail_cut', message, { stream, version: last + 1 });
    } else if (last > version || head?.hash !== hash) {
      faults.add('header_mismatch', `The header has another head of ${stream} than the log.`, {
        stream,
        version: last,
      });
    }
  }
  if (claims.streams !== heads.size || claims.heads.length !== heads.size) {
    faults.add('header_mismatch', `The header counts ${claims.streams} streams, the log has ${heads.size}.`);
  }
  if (claims.commits !== commits) {
    faults.add(
      'header_mismatch',
      `The header counts ${claims.commits} commits, the log has ${commits} up to position ${position}.`,
    );
  }
}
